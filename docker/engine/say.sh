# shellcheck shell=bash
# Sourced by the scripts of this folder: how they speak, and what they can tell of the machine.

started=${EPOCHREALTIME%.*}

say() { printf '%4d s  %s\n' "$((${EPOCHREALTIME%.*} - started))" "$*"; }

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

is_root() { [ "$(id -u)" = 0 ]; }

# or a relative of it: what packages are installed with
is_debian() { command -v apt-get >/dev/null && command -v dpkg >/dev/null; }

# quietly COMMAND... : shows the output only if the command fails
quietly() {
    local log
    log=$(mktemp)
    if ! "$@" >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}
