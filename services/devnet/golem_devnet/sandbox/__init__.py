"""One node: a throw-away system of its own, made with overlayfs and util-linux's unshare."""
