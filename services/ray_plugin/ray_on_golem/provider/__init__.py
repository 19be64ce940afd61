"""What Ray loads: the node provider and its command runner."""
