"""The command line: a thin caller of the library."""
