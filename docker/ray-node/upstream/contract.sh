#!/bin/sh
# What Ray on Golem 0.13's own server finds in its images and counts on: host keys, made with the image; a sshd
# that lets root in by key; root's home as an empty volume, with what belongs there beside it in /root_copy.
set -eu
ssh-keygen -A
cat > /etc/ssh/sshd_config.d/ray-on-golem.conf <<CONFIG
UseDNS no
PermitRootLogin yes
PasswordAuthentication no
StrictModes no
ClientAliveInterval 60
ClientAliveCountMax 3
CONFIG
mkdir -p /root_copy/.config /root_copy/.local
cp /etc/skel/.bashrc /etc/skel/.profile /root_copy/
ln -s /opt/ray /root_copy/venv
rm -rf /root/.bashrc /root/.profile /root/.config /root/.local
