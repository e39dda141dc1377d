"""What a change would do, shown before anybody signs it: on cells and rules, and to terminals."""
