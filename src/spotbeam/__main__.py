"""`python -m spotbeam`."""

import sys

from spotbeam.cli.app import main

sys.exit(main())
