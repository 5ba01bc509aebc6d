#!/bin/sh -e
# Runs a command within FRR's root. Its files that change are the bed's own, in $RUN/frr: the mounts
# are of a mount namespace that ends with the command and what it leaves running.
if test -z "$FRR_ENTERED"; then
  FRR_ENTERED=1 exec unshare --mount --propagation slave sh "$0" "$@"
fi
root=/var/lib/tandem/frr
mkdir -p $RUN/frr/run $RUN/frr/etc
mount --bind /proc $root/proc
mount --bind $RUN/frr/run $root/run
mount --bind $RUN/frr/etc $root/etc/frr
exec chroot $root "$@"
