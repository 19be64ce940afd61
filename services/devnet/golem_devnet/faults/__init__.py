"""The switchboard: by which tests make providers misbehave. Reachable inside the devnet's container only."""
