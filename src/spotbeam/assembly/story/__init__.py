"""The story that `spotbeam demo` tells, with real processes: a switch that nobody flips alone."""
