# shellcheck shell=bash
# Makes a Debian image from this machine's own apt mirror, for machines that reach no registry. What belongs to
# the machine (apt sources, extra certificates) goes into the image, which is why it must never be published.

STANDIN_LABEL=ray-on-golem.standin=never-publish
SUITE=bookworm

debian_standin() {
    is_root && is_debian || fail "No registry answers and $1 is not here — only root on Debian can make a stand-in — run: docker pull $1"
    install_debootstrap
    local folder root mirror
    folder=$(mktemp -d)
    root=$folder/root
    mirror=$(host_mirror)
    [ -n "$mirror" ] || fail "No apt mirror for $SUITE is configured here — run: docker pull $1"
    quietly debootstrap --variant=minbase --include=ca-certificates "$SUITE" "$root" "$mirror" \
        || fail "debootstrap failed — see above — run: docker pull $1"
    copy_apt_settings "$root"
    copy_certificates "$root"
    slim "$root"
    import "$root" "$1"
    rm -rf "$folder"
}

install_debootstrap() {
    command -v debootstrap >/dev/null && return
    export DEBIAN_FRONTEND=noninteractive
    quietly apt-get update
    quietly apt-get install -y --no-install-recommends debootstrap
}

host_mirror() {
    apt-get indextargets --format '$(SITE)|$(CODENAME)' 'Created-By: Packages' \
        | awk -F'|' -v suite="$SUITE" '$2 == suite {print $1; exit}'
}

copy_apt_settings() {
    local root=$1 file key
    rm -f "$root/etc/apt/sources.list"
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list; do
        if [ -e "$file" ] && grep -q "$SUITE" "$file"; then install -D -m 0644 "$file" "$root$file"; fi
    done
    while read -r key; do
        if [ -e "$key" ]; then install -D -m 0644 "$key" "$root$key"; fi
    done < <(cat "$root"/etc/apt/sources.list.d/* "$root"/etc/apt/sources.list 2>/dev/null \
        | sed -nE 's/^Signed-By: *(\/[^ ]+).*/\1/p; s/.*signed-by=([^] ]+).*/\1/p' | sort -u)
    apt-config dump | grep -E '^Acquire::(Check-|https?::(Proxy|Verify|CaInfo)|Retries)' >"$root/etc/apt/apt.conf.d/99host" \
        || true # most machines have none of these
}

copy_certificates() {
    local root=$1 certificate
    for certificate in /usr/local/share/ca-certificates/*.crt; do
        if [ -e "$certificate" ]; then install -D -m 0644 "$certificate" "$root$certificate"; fi
    done
    quietly chroot "$root" update-ca-certificates
}

slim() {
    local root=$1
    printf 'path-exclude /usr/share/%s/*\n' man locale info lintian doc >"$root/etc/dpkg/dpkg.cfg.d/slim"
    printf 'path-include /usr/share/doc/*/copyright\n' >>"$root/etc/dpkg/dpkg.cfg.d/slim"
    printf 'Acquire::Languages "none";\n' >"$root/etc/apt/apt.conf.d/no-languages"
    rm -rf "$root"/usr/share/{man,info,locale,groff,lintian}/* "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* \
        "$root"/var/log/* "$root"/etc/resolv.conf "$root"/etc/hostname
    find "$root/usr/share/doc" -type f ! -name copyright -delete
    mkdir -p "$root/var/log/apt" "$root/var/cache/apt/archives/partial"
}

import() {
    local root=$1 image=$2 variable changes=()
    # variables that name a certificate bundle on this machine: the bundle is at the same place in the image
    while read -r variable; do changes+=(--change "ENV $variable"); done \
        < <(env | grep -E '^(PIP_CERT|SSL_CERT_FILE|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|NODE_EXTRA_CA_CERTS|PIP_DEFAULT_TIMEOUT)=' | sort)
    tar --numeric-owner -C "$root" -c . | quietly docker import \
        --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' "${changes[@]}" \
        --change "LABEL $STANDIN_LABEL" --change 'CMD ["bash"]' - "$image"
}

# the machine's pip settings that mean something in a container
host_pip_settings() {
    echo '[global]'
    python3 -m pip config list 2>/dev/null \
        | sed -nE "s/^global\.(cert|index-url|extra-index-url|trusted-host|timeout)='(.*)'$/\1 = \2/p" | grep -v 'file:' || true
}
