"""The record as history: what happened, who says what about it, and when that was known."""
