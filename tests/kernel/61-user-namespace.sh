# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh disable=SC2034
# limit: 120
# vm: below the root, the attempts are on the cgroup that is fenced
#
# Root of a user namespace that a user without privileges made has every capability there, and
# none over the fence. Its own BPF file system is empty, the host's stays where it is.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/attempts.sh"
setup_attempts
nobody=(fenced setpriv --reuid nobody --regid nogroup --clear-groups)
"${nobody[@]}" unshare -Ur true 2>/dev/null || skip "this kernel gives users no user namespaces"

WHO="root of a user namespace"
AS=("${nobody[@]}" unshare -Ur)
expect "who it is" "$("${AS[@]}" id -u)" 0
expect_match "its capabilities" "$("${AS[@]}" grep CapEff /proc/self/status)" '[1-9a-f]{8}'
by_pins EACCES
by_ids EPERM
by_cgroup "$CGROUP" EINVAL
by_filters
by_daemon EACCES EPERM
works rmdir "$DECOY/below"
refused EACCES rmdir "$CGROUP2/$APPS"
refused EACCES join "$CGROUP2/cgroup.procs"

# With a mount and a network namespace of its own, too.
WHO="root of user, mount and network namespaces"
AS=("${nobody[@]}" unshare -Urmn)
by_pins EACCES
by_ids EPERM
by_cgroup "$CGROUP" EINVAL
refused EPERM remount /sys/fs/bpf
refused EINVAL unmount /sys/fs/bpf
# A BPF file system of its own is refused by some kernels, and none of ours is in it on the others.
expect_match "root mounts another one" \
	"$(unshare -m sh -c 'mount -t bpf bpf /mnt && find /mnt -name packet | wc -l' 2>&1)" '^0$'
expect_match "a BPF file system of its own" \
	"$("${AS[@]}" sh -c 'mount -t bpf bpf /mnt && find /mnt -name packet | wc -l' 2>&1)" '^0$|permission denied'

AS=("${nobody[@]}" unshare -Ur) WHO="root of a user namespace"
nothing_came_of_it
finish
