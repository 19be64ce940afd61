#!/usr/bin/env bash
# base-images.sh [FILE] : sees to it that the images the appliance starts from are there: left alone, pulled, or, where
# no registry answers, made from Debian's own packages. Writes the compose profiles to use into FILE; without one only
# what a devnet alone needs is looked at.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=docker/engine/say.sh
. ./say.sh
# shellcheck source=docker/engine/standins/debian.sh
. ./standins/debian.sh

REGISTRY_PATIENCE=5
profiles_file=${1:-}

# setting NAME : from the environment, else from .env
setting() {
    if [ -n "${!1:-}" ]; then echo "${!1}"; else sed -n "s/^$1=//p" ../../.env; fi
}

have() { docker image inspect "$1" >/dev/null 2>&1; }

registry_answers() {
    [ -n "${answer:-}" ] || answer=$(timeout "$REGISTRY_PATIENCE" docker manifest inspect "$1" >/dev/null 2>&1 && echo yes || echo no)
    [ "$answer" = yes ]
}

# ensure IMAGE BUILDER : BUILDER makes a stand-in under that name
ensure() {
    if have "$1"; then return; fi
    if registry_answers "$1"; then
        say "pulling $1"
        quietly docker pull "$1" && return
    fi
    say "no registry answers: making a stand-in for $1 from Debian's packages (never publish it)"
    "$2" "$1"
}

python_standin() {
    ensure debian:bookworm-slim debian_standin
    local folder
    folder=$(mktemp -d)
    host_pip_settings >"$folder/pip.conf"
    quietly docker build --tag "$1" --label "$STANDIN_LABEL" --file standins/python.Dockerfile "$folder"
    rm -rf "$folder"
}

prometheus_standin() {
    ensure debian:bookworm-slim debian_standin
    quietly docker build --tag "$1" --label "$STANDIN_LABEL" --file standins/prometheus.Dockerfile standins
}

choose_profiles() {
    local profiles grafana
    profiles=$(setting COMPOSE_PROFILES)
    profiles=${profiles//'${GOLEM_NETWORK}'/$(setting GOLEM_NETWORK)} # as compose reads .env
    grafana=$(setting GRAFANA_IMAGE)
    if [[ ",$profiles," == *,grafana,* ]] && ! have "$grafana"; then
        if registry_answers "$grafana" && say "pulling $grafana" && quietly docker pull "$grafana"; then :; else
            say "Grafana is left out: its image $grafana is not here and no registry answers"
            profiles=$(tr ',' '\n' <<<"$profiles" | sed '/^grafana$/d' | paste -sd,)
        fi
    fi
    echo "$profiles" >"$profiles_file"
}

ensure "$(setting PYTHON_IMAGE)" python_standin
if [ -n "$profiles_file" ]; then
    ensure "$(setting PROMETHEUS_IMAGE)" prometheus_standin
    choose_profiles
    say "base images are there; profiles: $(cat "$profiles_file")"
else
    say "base images are there"
fi
