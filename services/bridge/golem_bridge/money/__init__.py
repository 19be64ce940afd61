"""The books: prices, the ledger, what may be accepted, what a budget can carry, settlement."""
