#!/usr/bin/env bash
# Puts what tests and checks need into .venv-test; does nothing when it is there and unchanged.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v chromium >/dev/null; then # the console page is tested in it
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "Chromium is missing, the tests of the console page need it — install it and run: make test" >&2
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core >/dev/null
fi
wanted=$(sha256sum tests/requirements.txt)
if [ "$(cat .venv-test/.wanted 2>/dev/null)" = "$wanted" ]; then
    echo "everything is in .venv-test already"
    exit 0
fi
[ -x .venv-test/bin/pip ] || python3 -m venv .venv-test
.venv-test/bin/pip install --quiet --disable-pip-version-check --require-hashes -r tests/requirements.txt
echo "$wanted" > .venv-test/.wanted
echo "everything is in .venv-test"
