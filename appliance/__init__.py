"""What ``make`` runs on the host: checks, set-up, demo, tests, stopping. Needs only the standard library."""
