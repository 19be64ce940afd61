"""Parts of tests/bench/upstream.py: two sides, what is measured on each, the table."""
