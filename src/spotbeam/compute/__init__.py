"""Where blocks of work run: in this process, or in several."""
