#!/bin/sh
# What is done with volumes, in a container that has them below $2. $1 says what, $3 is the file of a backup.
set -eu
volumes=$2
backup=${3:-}

pack() { tar -C "$volumes" --exclude='./*/.restored' -czf "$backup" .; }

# beside what is there: where room is missing, or somebody loses patience, nothing has happened
unpack() {
    trap 'rm -rf "$volumes"/*/.restored' EXIT
    rm -rf "$volumes"/*/.restored
    for volume in "$volumes"/*; do
        mkdir "$volume/.restored"
        tar -C "$volume/.restored" --strip-components=1 -xzf "$backup" "./${volume##*/}"
    done
    trap - EXIT
}

# what was unpacked takes its place: renames only, and nothing is deleted before all are done
swap() {
    for volume in "$volumes"/*; do [ -d "$volume/.restored/${volume##*/}" ]; done
    trap '' HUP INT TERM
    for volume in "$volumes"/*; do
        old=$(mktemp -d "$volume/.replaced.XXXXXX")
        new="$volume/.restored/${volume##*/}"
        find "$volume" -mindepth 1 -maxdepth 1 ! -name .restored ! -path "$old" -exec mv -t "$old" {} +
        find "$new" -mindepth 1 -maxdepth 1 -exec mv -t "$volume" {} +
        chown --reference="$new" "$volume"
        chmod --reference="$new" "$volume"
    done
    rm -rf "$volumes"/*/.restored "$volumes"/*/.replaced.*
}

# folders with a network's name, also among what an interrupted swap has put aside
wallets() { find "$volumes/yagna-data" -mindepth 1 -maxdepth 2 -type d -printf '%f\n'; }

# the devnet's wallet and agreements, and nobody else's
forget_devnet() { rm -rf "$volumes/yagna-data/devnet"; }

case $1 in
    pack | unpack | swap | wallets) "$1" ;;
    forget-devnet) forget_devnet ;;
    *) echo "unknown: $1" >&2 && exit 2 ;;
esac
