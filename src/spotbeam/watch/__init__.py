"""What follows what in the record, and deserves a second look: alerts, never accusations."""
