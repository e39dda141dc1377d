"""What is wrong with a policy: dead, shadowed and contradictory rules, each with a case."""

from spotbeam.service.analysis.checking import check
from spotbeam.service.analysis.findings import Example, Finding

__all__ = ["Example", "Finding", "check"]
