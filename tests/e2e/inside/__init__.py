"""Scripts that tests take to a head and run there: standard library only."""
