#!/usr/bin/env bash
# Puts what tests and checks need into .venv-test; does nothing when it is there and unchanged.
set -euo pipefail
cd "$(dirname "$0")/.."
wanted=$(sha256sum tests/requirements.txt)
if [ "$(cat .venv-test/.wanted 2>/dev/null)" = "$wanted" ]; then
    echo "everything is in .venv-test already"
    exit 0
fi
[ -x .venv-test/bin/pip ] || python3 -m venv .venv-test
.venv-test/bin/pip install --quiet --disable-pip-version-check --require-hashes -r tests/requirements.txt
echo "$wanted" > .venv-test/.wanted
echo "everything is in .venv-test"
