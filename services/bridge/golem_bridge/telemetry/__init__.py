"""What Prometheus sees, computed from store and ledger at each scrape."""
