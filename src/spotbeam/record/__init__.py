"""A log of opaque bytes."""
