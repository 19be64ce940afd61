#!/bin/sh
# Makes a Debian image with Python into a Ray node: ssh, rsync, Ray on every login's PATH.
# Both docker/ray-node and docker/devnet run it on the same base, so the layer is built once.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends \
    bash ca-certificates iproute2 openssh-client openssh-server procps rsync tini util-linux
rm -rf /var/lib/apt/lists/* /etc/ssh/ssh_host_*

base=$(readlink -f "$(command -v python3)") # not a link that is replaced below
"$base" -m venv /opt/ray
/opt/ray/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /tmp/ray-node/requirements.txt
/opt/ray/bin/python -m compileall -q /opt/ray/lib || true  # some packages ship templates that are no Python
# not links: a linked Python looks for its environment beside the link
for name in python python3 pip ray; do
    rm -f "/usr/local/bin/$name"
    printf '#!/bin/sh\nexec /opt/ray/bin/%s "$@"\n' "$name" > "/usr/local/bin/$name"
    chmod 755 "/usr/local/bin/$name"
done

# a login shell resets PATH from /etc/profile, which holds /usr/local/bin; sshd's sessions want these
mkdir -p /run/sshd /root/.ssh
chmod 700 /root/.ssh
touch /var/log/lastlog
