#!/usr/bin/env bash
# Puts Ray and the plug-in ray_on_golem into .venv; does nothing when they are there and unchanged.
set -euo pipefail
cd "$(dirname "$0")/.."
requirements=services/ray_plugin/requirements.txt
wanted=$(cat "$requirements" services/ray_plugin/pyproject.toml $(find services/ray_plugin/ray_on_golem -name '*.py' | sort) | sha256sum)
# where the folder was moved or copied, or the machine's Python is another one now, its programs lead to what was
usable() {
    grep -qF -e "$(pwd -P)/.venv/bin/python" -e "$(readlink -f .venv)/bin/python" .venv/bin/pip 2>/dev/null \
        && .venv/bin/pip --version >/dev/null 2>&1
}
if usable && [ "$(cat .venv/.wanted 2>/dev/null)" = "$wanted" ]; then
    echo "Ray and the plug-in are in .venv already"
    exit 0
fi
usable || python3 -m venv --clear .venv
.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r "$requirements"
# from a copy: pip builds beside the source, where root's files would be in the owner's way and old modules come back
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -R services/ray_plugin/pyproject.toml services/ray_plugin/ray_on_golem "$copy"
.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall "$copy"
echo "$wanted" > .venv/.wanted
echo "Ray and the plug-in are in .venv"
