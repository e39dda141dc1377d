"""Where writes are made: one module for each, and the sequencer that has them witnessed."""
