# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh disable=SC2034
# limit: 120
# vm: below the root, the attempts are on the cgroup that is fenced
#
# A user without privileges inside the fence can neither detach nor replace nor write anything of
# it, nor leave it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/attempts.sh"
setup_attempts
WHO=nobody
AS=(fenced setpriv --reuid nobody --regid nogroup --clear-groups)

by_pins EACCES
by_ids EPERM
# A link is no attachment that BPF_PROG_DETACH knows; without a link nobody could detach it.
works attach-alone "$DECOY/below" connect6 allow
refused 0 detach "$DECOY/below" connect6
by_cgroup "$CGROUP" EINVAL
by_filters
by_daemon EACCES EPERM
works rmdir "$DECOY/below"
refused EACCES rmdir "$CGROUP2/$APPS"
works join "$DECOY/cgroup.procs"
refused EACCES join "$CGROUP2/cgroup.procs"
refused EACCES join "$DECOY/cgroup.procs"
expect "root in a mount namespace of its own unmounts" \
	"$(unshare -m "$TAMPER" unmount /sys/fs/bpf | grep -o 'errno=0')" errno=0
refused EPERM unmount /sys/fs/bpf
refused EPERM remount /sys/fs/bpf

nothing_came_of_it
finish
