"""What ``make`` runs on the host: checks, set-up, demo, tests, stopping. Needs only the standard library."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - it is for whoever has an older one
    # before anything is imported that older ones cannot even read
    sys.exit(
        "Python 3.11 or newer is needed, python3 is {}.{} — nothing was changed — "
        "install one and put it first on PATH".format(*sys.version_info[:2])
    )
