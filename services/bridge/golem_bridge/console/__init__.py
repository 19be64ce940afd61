"""The page at the bridge's root: HTML, CSS and JavaScript as they are written, put together at start."""
