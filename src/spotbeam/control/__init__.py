"""The writes: one function each, from what somebody wants to the bytes of a signed entry."""
