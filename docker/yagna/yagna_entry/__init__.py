"""Entry point of the yagna container: prepares, starts, checks and supervises one requestor daemon."""
