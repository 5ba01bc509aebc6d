#!/bin/sh -e
# Runs a command within FRR's root. Its files that change are the bed's own, in $RUN/frr: these
# mounts are of the hook's own mount namespace and end with it.
root=${FRR_ROOT:-/var/lib/tandem/frr}
mkdir -p $RUN/frr/run $RUN/frr/etc
mount --bind /proc $root/proc
mount --bind $RUN/frr/run $root/run
mount --bind $RUN/frr/etc $root/etc/frr
exec chroot $root "$@"
