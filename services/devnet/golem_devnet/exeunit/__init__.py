"""What runs a requestor's commands: an activity's state, its batches of commands and its usage."""
