"""Arrays in, arrays out: no files, no clock, no classes."""
