# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/kernel/lib.sh disable=SC2034
# limit: 120
#
# A container as a runtime makes it: a root file system, mount, process, network, cgroup, IPC and
# UTS namespaces of its own, uid 0, with the capabilities that Docker leaves by default and with
# none. Neither reaches the fence. A container that is given the host's BPF file system does:
# the kernel asks for the owner of a pin, not for a capability; the daemon mends that. With pins on
# a BPF file system of their own it has nothing to do.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/attempts.sh"
setup_attempts
mkdir "$CGROUP2/$APPS/container" "$WORK/rootfs"
DOCKER=-all,+chown,+dac_override,+fsetid,+fowner,+mknod,+net_raw,+setgid,+setuid,+setfcap,+setpcap
DOCKER+=,+net_bind_service,+sys_chroot,+kill,+audit_write

cat >"$WORK/bin/container" <<-'INSIDE'
	#!/bin/bash
	# container CAPABILITIES ROOTFS BIN WITH COMMAND...: already in its namespaces. WITH: a host's
	# directory to bind, or /dev/null.
	set -e
	capabilities=$1 root=$2 bin=$3 with=$4
	shift 4
	mount --make-rprivate /
	mount -t tmpfs rootfs "$root"
	cd "$root"
	mkdir proc sys tmp old usr etc dev with
	for directory in bin sbin lib lib64; do
		[[ ! -L /$directory ]] || ln -s "$(readlink /$directory)" $directory
		[[ -L /$directory || ! -d /$directory ]] ||
			{ mkdir $directory && mount --rbind /$directory $directory; }
	done
	mount --rbind /usr usr
	mkdir -p "./$bin"
	mount --bind "$bin" "./$bin"
	[[ ! -d $with ]] || mount --bind "$with" with
	mount -t proc proc proc
	mount -t sysfs -o ro sysfs sys
	mount -t cgroup2 -o ro cgroup sys/fs/cgroup
	pivot_root . old
	cd /
	umount -l old
	exec setpriv --bounding-set "$capabilities" --inh-caps -all --ambient-caps -all \
		--no-new-privs "$@"
INSIDE
chmod 755 "$WORK/bin/container"

# container CAPABILITIES WITH: sets AS.
container() {
	AS=(in_cgroup "$APPS/container" unshare --mount --pid --fork --cgroup --ipc --uts
		"$WORK/bin/container" "$1" "$WORK/rootfs" "$WORK/bin" "$2")
}

for capabilities in "$DOCKER" -all; do
	WHO="a container with $([[ $capabilities == -all ]] && echo no || echo "Docker's") capabilities"
	container $capabilities /dev/null
	expect "who it is" "$("${AS[@]}" id -u)" 0
	effective=$("${AS[@]}" grep CapEff /proc/self/status)
	expect_match "its capabilities" "$effective" '^CapEff:.[0-9a-f]{16}$'
	expect "CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_BPF" \
		$((0x${effective##*[[:space:]]} & (1 << 21 | 1 << 12 | 1 << 39))) 0
	expect "its first process" "$("${AS[@]}" sh -c 'echo $$')" 1
	by_pins ENOENT
	by_ids EPERM
	by_cgroup /sys/fs/cgroup ENOENT
	by_filters
	by_daemon ENOENT ESRCH
	refused EPERM remount /sys/fs/bpf
	refused EPERM unmount /proc
	refused EROFS join /sys/fs/cgroup/cgroup.procs
	rm -rf "${DECOY_PINS:?}"/* && find "$DECOY" -mindepth 1 -type d -exec rmdir {} +
done
nothing_came_of_it

# The same, given the host's BPF file system: what it does lasts until the daemon looks. Before
# Linux 5.19 bpf() refuses whoever has no CAP_BPF (see refused), and nothing is to be mended.
WHO="a container with the host's pins"
for capabilities in "$DOCKER" -all; do
	container $capabilities "$PIN_DIR"
	count=$(tamper_events link packet)
	tamper link-detach /with/links/packet
	AS=()
	if kernel_is_from 5.19; then
		expect "$WHO detaches, errno" "$ERRNO" 0
		expect_tamper "$WHO" link packet "$count"
	else
		expect "$WHO detaches, errno" "$ERRNO" EPERM
		expect "$WHO detaches, events" "$(tamper_events link packet)" "$count"
	fi
	expect_blocked "$WHO"
done

# A file system of the fence's own is not among what such a container is given.
dnsfence unload 2>/dev/null
expect "unload, exit status" $? 0
DAEMON=''
cleanup_more() { umount "$WORK/bpf" 2>/dev/null; }
mkdir -m 700 "$WORK/bpf"
mount -t bpf -o mode=0700 bpf "$WORK/bpf" || die "no second BPF file system"
own=$WORK/bpf/$ID-own
INSTANCE=(--cgroup "$FENCED" --pin-dir "$own" --runtime-dir "$WORK/run")
start_fence
tamper get "$own/links/packet"
expect "root finds the pins there, errno" "$ERRNO" 0
pins_of() { "${AS[@]}" find /with -path "*/$ID-own/links/packet" 2>/dev/null | wc -l; }
decoy_link
for capabilities in "$DOCKER" -all; do
	container $capabilities "$DECOY_PINS"
	expect "a container with the host's BPF file system sees what is pinned there" \
		"$("${AS[@]}" ls /with)" link
	container $capabilities /sys/fs/bpf
	expect "and nothing of the fence's" "$(pins_of)" 0
	refused ENOENT link-detach "$own/links/packet"
	container $capabilities "$WORK/bpf"
	expect "unless it is given that one" "$(pins_of)" 1
done
AS=()
expect_blocked "with pins on a file system of their own"
dnsfence unload 2>/dev/null
expect "unload, exit status" $? 0
DAEMON=''
finish
