#!/bin/sh
# Runs as the first process of a node's new namespaces: builds its root and becomes its init.
# usage: enter.sh FOLDER HOSTNAME IMAGE   (FOLDER holds upper/ work/ root/ on a tmpfs, IMAGE is a root file system)
set -eu
folder=$1 hostname=$2 image=$3
mount -t overlay overlay -o "lowerdir=$image,upperdir=$folder/upper,workdir=$folder/work" "$folder/root"
cd "$folder/root"

mkdir -p proc sys dev run tmp root
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755,size=1m tmpfs dev
for device in null zero full random urandom tty; do
    : > "dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
mount -t tmpfs -o mode=1777,size=2g tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
mount -t tmpfs -o mode=755,size=64m tmpfs run
cp /usr/bin/tini-static run/tini # an image need not have an init
rm -rf opt/devnet var/lib/golem-devnet  # the provider's own program is not part of the image
chmod 1777 tmp
[ -s etc/hosts ] || echo "127.0.0.1 localhost" > etc/hosts # Docker leaves it empty

hostname "$hostname"
ip link set lo up
# Docker's seccomp profile forbids pivot_root; moving the new root over the old one, as switch_root does, is as tight
mount --no-mtab --move . / # the table of mounts would be on the container's root, which is read-only
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
    chroot . /run/tini -s -- sleep infinity
