"""Which images there are: the same look-up as Golem's registry."""
