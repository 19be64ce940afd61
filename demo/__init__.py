"""``make demo``: the whole appliance at work, from an empty machine to the bill. Needs only the standard library."""
