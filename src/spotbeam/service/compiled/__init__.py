"""The verdict over columns: a policy compiled for its ground, and terminals decided in bulk."""

from spotbeam.service.compiled.binding import Bound, Standing, bind, stand
from spotbeam.service.compiled.deciding import MemoryColumns, VerdictColumns, verdicts
from spotbeam.service.compiled.tables import CompiledPolicy, compile_policy

__all__ = [
    "Bound",
    "CompiledPolicy",
    "MemoryColumns",
    "Standing",
    "VerdictColumns",
    "bind",
    "compile_policy",
    "stand",
    "verdicts",
]
