"""Wiring: the only place that opens files, picks adapters and writes folders."""
