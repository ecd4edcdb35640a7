# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034
#
# For tests with real containers, sourced after lib.sh: Docker and Podman, as root and rootless,
# in a world of their own beside the host's: the near network namespace, a mount namespace where
# cgroup2 stands at /sys/fs/cgroup and /run and the users are the test's own, and a process
# namespace, whose first process takes everything with it when it is killed.
#
#   /ID/engine          dockerd, containerd, its shims; podman, conmon, aardvark-dns
#   /ID/docker/CONTAINER    /ID/podman/libpod-CONTAINER    root's
#   /user.slice/user-UID.slice/user@UID.service             a user's, who has this below himself:
#       session             podman, conmon, slirp4netns
#       podman/libpod-CONTAINER
#
# Their bridges are masqueraded in the near namespace. The world's resolv.conf names GOOD. Beyond
# it there is 8.8.8.8, which programs have hard-coded.

HARD=8.8.8.8 HARD_ANSWER=192.0.2.88
ENGINE=$ID/engine DOCKER_PARENT=$ID/docker PODMAN_PARENT=$ID/podman
IMAGE=registry.test/team/box:1.2
WORLD='' SEEN=0

# The world --------------------------------------------------------------------------------

# What the world's first process does: the mounts.
world_script() {
	cat <<-'INSIDE'
		set -e
		work=$1
		mount --make-rprivate /
		umount -R /sys/fs/cgroup
		mount -t sysfs sysfs /sys # of this network namespace
		mount -t cgroup2 cgroup2 /sys/fs/cgroup
		mount -t tmpfs -o mode=755 run /run
		mkdir -p /var/lib/containers # Podman's cache of blobs is there, wherever its storage is
		mount -t tmpfs -o mode=755 containers /var/lib/containers
		mount -t tmpfs -o mode=755 net /dev/net
		mknod -m 666 /dev/net/tun c 10 200
		for file in "$work"/etc/*; do
			[[ -e /etc/${file##*/} ]] || continue
			mount --bind "$file" "$(readlink -f "/etc/${file##*/}")"
		done
		mount --make-rshared /
		touch "$work/world"
		exec sleep infinity
	INSIDE
}

# setup_world: after `setup`. Sets WORLD to its first process.
setup_world() {
	local holder
	need unshare busybox
	mkdir -p "$WORK/etc" "$CGROUP2/$ENGINE" "$CGROUP2/$DOCKER_PARENT" "$CGROUP2/$PODMAN_PARENT"
	echo "nameserver $GOOD4" >"$WORK/etc/resolv.conf"
	(
		echo "$BASHPID" >"$CGROUP2/$ENGINE/cgroup.procs"
		exec nsenter --net="/run/netns/$NEAR" unshare --mount --pid --mount-proc --fork \
			--kill-child bash -c "$(world_script)" world "$WORK"
	) >"$WORK/world.log" 2>&1 &
	holder=$!
	SERVERS+=" $holder"
	disown $holder
	wait_until test -e "$WORK/world" || die "no world for containers: $(<"$WORK/world.log")"
	read -r WORLD <"/proc/$holder/task/$holder/children"
	near sysctl -qw net.ipv4.ip_forward=1
	setup_hard_coded
	make_image
}

setup_hard_coded() {
	ip -n "$FAR" addr add $HARD/32 dev far
	ip -n "$NEAR" neigh add $HARD lladdr 02:df:00:00:00:02 nud permanent dev near
	ip -n "$NEAR" route add $HARD/32 dev near || die "no way to $HARD"
	resolver '' "$FAR" $HARD_ANSWER $HARD
	wait_until answers far $HARD || die "$HARD does not answer"
}

# world CGROUP COMMAND...: there, from that cgroup.
world() {
	local cgroup=$1
	shift
	(
		echo "$BASHPID" >"$CGROUP2/$cgroup/cgroup.procs" || exit 125
		exec nsenter -t "$WORLD" --mount --net --pid env -C / "$@"
	)
}

# copy_program FILE: into the image, with the libraries it needs.
copy_program() {
	local library
	install -D "$1" "$WORK/image/bin/${1##*/}"
	for library in $(ldd "$1" 2>/dev/null | grep -o '/[^ )]*'); do
		install -D "$library" "$WORK/image$library"
	done
}

make_image() {
	local applet
	mkdir -p "$WORK/image"/{bin,etc,proc,sys,dev,tmp}
	copy_program "$(command -v busybox)"
	copy_program "$PROBE"
	for applet in sh sleep nslookup cat readlink true; do
		ln -s busybox "$WORK/image/bin/$applet"
	done
	tar -C "$WORK/image" -c . >"$WORK/image.tar" || die "no image"
}

# Everything in it ends with its first process; what was mounted goes with its mount namespace.
cleanup_more() {
	local try
	[[ ! -e $CGROUP2/$ROOTLESS_SLICE/cgroup.kill ]] || echo 1 >"$CGROUP2/$ROOTLESS_SLICE/cgroup.kill"
	for ((try = 0; try < 50; try++)); do
		find "$CGROUP" "$CGROUP2/$ROOTLESS_SLICE" -depth -type d -exec rmdir {} + 2>/dev/null
		[[ -d $CGROUP || -d $CGROUP2/$ROOTLESS_SLICE ]] || break
		sleep 0.1
	done
	rmdir "$CGROUP2/user.slice" 2>/dev/null # if nobody else is in it
}

# Docker -----------------------------------------------------------------------------------

docker() {
	env -u DOCKER_HOST -u DOCKER_CONTEXT DOCKER_CONFIG="$WORK/docker-cli" \
		docker -H "unix://$WORK/docker.sock" "$@"
}

docker_answers() { docker version >/dev/null 2>&1; }

# Docker gives a privileged container every capability there is. On a machine that is confined
# itself, some are not there to be given and nothing starts: this runc leaves those out.
docker_runtime() {
	cat <<-'SCRIPT'
		#!/bin/bash
		# Names by number, <linux/capability.h>.
		names=(chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap
			linux_immutable net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner
			sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice
			sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap
			mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf
			checkpoint_restore)
		bounds=$((16#$(sed -n 's/^CapBnd:[[:space:]]*//p' /proc/self/status)))
		for ((i = 0; i < ${#names[@]}; i++)); do
			((bounds >> i & 1)) || missing+="CAP_${names[i]^^} "
		done
		leave_out() { # FILE PATH
			jq -c --arg missing "$missing" \
				"$2.capabilities |= map_values(. - (\$missing | split(\" \")))" "$1" >"$1.new" &&
				mv "$1.new" "$1"
		}
		for argument in "$@"; do
			[[ ! $missing || $last != --bundle ]] || leave_out "$argument/config.json" .process
			[[ ! $missing || $last != --process ]] || leave_out "$argument" ''
			last=$argument
		done
		exec runc "$@"
	SCRIPT
}

# start_docker [ARGUMENT...]
start_docker() {
	need docker dockerd containerd runc iptables
	docker_runtime >"$WORK/runc" && chmod +x "$WORK/runc"
	printf '{"runtimes": {"bounded": {"path": "%s"}}, "default-runtime": "bounded"}\n' \
		"$WORK/runc" >"$WORK/docker.json" # and not the host's daemon.json
	world "$ENGINE" dockerd --config-file "$WORK/docker.json" --data-root "$WORK/docker" \
		--exec-root "$WORK/docker-exec" --pidfile "$WORK/docker.pid" \
		-H "unix://$WORK/docker.sock" --exec-opt native.cgroupdriver=cgroupfs \
		--cgroup-parent "/$DOCKER_PARENT" "$@" >"$WORK/docker.log" 2>&1 &
	disown $!
	wait_until docker_answers || die "dockerd does not answer: $(tail -n 3 "$WORK/docker.log")"
	docker import -c 'CMD ["sleep", "600"]' -c 'LABEL from=image' "$WORK/image.tar" $IMAGE \
		>/dev/null || die "no image in docker"
}

# Podman -----------------------------------------------------------------------------------

# Hard limits that Podman would raise and that nobody may raise everywhere; no controllers.
podman_config() {
	cat <<-CONF
		[containers]
		pids_limit = 0
		default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		runtime = "runc"
		[network]
		network_backend = "netavark"
	CONF
}

podman() {
	world "$ENGINE" env CONTAINERS_CONF="$WORK/containers.conf" podman \
		--root "$WORK/podman" --runroot /run/podman-test "$@"
}

setup_podman() {
	need podman runc conmon
	podman_config >"$WORK/containers.conf"
	sed -i "s,^\[network\],&\nnetwork_config_dir = \"$WORK/podman-net\"," "$WORK/containers.conf"
	podman import -q -c 'CMD ["sleep", "600"]' -c 'LABEL from=image' "$WORK/image.tar" $IMAGE \
		>"$WORK/podman.log" 2>&1 || die "no image in podman: $(tail -n 3 "$WORK/podman.log")"
}

# Podman without root: a user of the world's own, and his manager's cgroup, delegated to him as
# systemd does it.
ROOTLESS_UID=$((60000 + $$ % 5000))
ROOTLESS_SLICE=user.slice/user-$ROOTLESS_UID.slice
ROOTLESS_MANAGER=$ROOTLESS_SLICE/user@$ROOTLESS_UID.service
ROOTLESS_PARENT=$ROOTLESS_MANAGER/podman

# make_user: before setup_world. What is fenced is then all that this user has.
make_user() {
	local uid=$ROOTLESS_UID file
	need newuidmap newgidmap slirp4netns setpriv
	mkdir -p "$WORK/etc" "$WORK/home/.config/containers" "$CGROUP2/$ROOTLESS_MANAGER"/{session,podman}
	chmod 711 "$WORK"
	chown -R "$uid:$uid" "$CGROUP2/$ROOTLESS_MANAGER"
	for file in passwd group; do cp /etc/$file "$WORK/etc"; done
	echo "$ID:x:$uid:$uid::$WORK/home:/bin/sh" >>"$WORK/etc/passwd"
	echo "$ID:x:$uid:" >>"$WORK/etc/group"
	for file in subuid subgid; do echo "$ID:$((uid << 16)):65536" >"$WORK/etc/$file"; done
	podman_config >"$WORK/home/.config/containers/containers.conf"
	chown -R "$uid:$uid" "$WORK/home"
	FENCED=/$ROOTLESS_SLICE
	INSTANCE=(--cgroup "$FENCED" --pin-dir "$PIN_DIR" --runtime-dir "$WORK/run")
}

rootless() {
	world "$ROOTLESS_MANAGER/session" setpriv --reuid $ROOTLESS_UID --regid $ROOTLESS_UID \
		--init-groups env -i HOME="$WORK/home" PATH="$PATH" \
		XDG_RUNTIME_DIR=/run/user/$ROOTLESS_UID podman "$@"
}

setup_rootless() {
	need podman runc conmon
	world "$ENGINE" install -d -m 700 -o $ROOTLESS_UID -g $ROOTLESS_UID /run/user/$ROOTLESS_UID
	rootless import -q -c 'CMD ["sleep", "600"]' -c 'LABEL from=image' - $IMAGE \
		<"$WORK/image.tar" >"$WORK/podman.log" 2>&1 ||
		die "no image in rootless podman: $(tail -n 3 "$WORK/podman.log")"
}

# Containers -------------------------------------------------------------------------------

# box ENGINE NAME [OPTION...]: starts it, detached. Sets BOX_IDS[NAME].
declare -A BOX_IDS BOX_ENGINES BOX_IMAGES
box() {
	local engine=$1 name=$2
	shift 2
	case $engine in
	podman) set -- --cgroup-parent "/$PODMAN_PARENT" "$@" ;;
	rootless) set -- --cgroup-parent "/$ROOTLESS_PARENT" "$@" ;;
	esac
	BOX_IDS[$name]=$("$engine" run -d --name "$name" "$@" $IMAGE 2>"$WORK/box.log" | tail -n 1)
	BOX_ENGINES[$name]=$engine
	BOX_IMAGES[$name]=$IMAGE
	[[ ${BOX_IDS[$name]} =~ ^[0-9a-f]{64}$ ]] || die "$engine run $name: $(<"$WORK/box.log")"
	in_box "$name" true 2>"$WORK/box.log" ||
		die "$engine, $name does not run: $(<"$WORK/box.log") $("$engine" logs "$name" 2>&1)"
}

# mac_of DEVICE: in the near namespace.
mac_of() { ip -n "$NEAR" -j link show "$1" | jq -r '.[0].address'; }

# same_box NAME OTHER: after a rename, the one that was called OTHER.
same_box() {
	BOX_ENGINES[$1]=${BOX_ENGINES[$2]}
	BOX_IDS[$1]=${BOX_IDS[$2]}
	BOX_IMAGES[$1]=${BOX_IMAGES[$2]}
}

# in_box NAME COMMAND...
in_box() {
	local name=$1
	shift
	"${BOX_ENGINES[$name]}" exec "$name" "$@"
}

# cgroup_of_box NAME
cgroup_of_box() {
	case ${BOX_ENGINES[$1]} in
	docker) echo "/$DOCKER_PARENT/${BOX_IDS[$1]}" ;;
	podman) echo "/$PODMAN_PARENT/libpod-${BOX_IDS[$1]}" ;;
	rootless) echo "/$ROOTLESS_PARENT/libpod-${BOX_IDS[$1]}" ;;
	esac
}

# box_probe NAME ARGUMENT...: leakprobe in it; sets OUT STATUS ERRNO.
box_probe() {
	box_outcome in_box "$1" leakprobe "${@:2}"
}

box_outcome() {
	OUT=$("$@" 2>&1)
	STATUS=$?
	ERRNO=${OUT##*errno=} ERRNO=${ERRNO%% *}
}

# The same, and what left the container before this has arrived when it returns.
box_probe_settled() {
	local before
	before=$(arrived $CLIENT4)
	box_outcome in_box "$1" sh -c "leakprobe \"\$@\"; status=\$?
		leakprobe udp-sendto $CLIENT4 9 >/dev/null; exit \$status" sh "${@:2}"
	wait_until arrived_more $CLIENT4 "$before" || fail "$1: a packet to port 9 did not arrive"
}

# After something else than a probe.
box_settle() {
	local before
	before=$(arrived $CLIENT4)
	in_box "$1" leakprobe udp-sendto $CLIENT4 9 >/dev/null 2>&1
	wait_until arrived_more $CLIENT4 "$before" || fail "$1: a packet to port 9 did not arrive"
}

# box_asks NAME ADDR: what busybox nslookup makes of ADDR's answer, the last address of it.
box_asks() {
	in_box "$1" nslookup -type=a x.test "${@:2}" 2>&1 | tr -d '\r' |
		sed -n 's/^Address: *//p' | tail -n 1
}

# Events of one container are told from those before: mark_events, and then expect_new_event.
mark_events() { SEEN=$(wc -l <"$EVENTS"); }

new_events() { tail -n "+$((SEEN + 1))" "$EVENTS" | jq -c "select($1)"; }

has_new_event() { [[ $(new_events "$1" 2>/dev/null | head -n 1) ]]; }

expect_new_event() {
	((CHECKS++))
	wait_until has_new_event "$2" && return
	fail "$1: no event with $2; the last is: $(tail -n 1 "$EVENTS")"
}

# box_event NAME ADDR POLICY [FILTER]
box_event() {
	echo ".dnsfence.cgroup.path == \"$(cgroup_of_box "$1")\" and .destination.ip == \"$2\" and
		.destination.port == 53 and .rule.name == \"$3\" and .event.action == \"dns-denied\" and
		.event.reason == \"resolver-not-sanctioned\" and .process.pid > 0 and (${4:-true})"
}

# container_of NAME: all that events tell of it.
container_of() {
	echo "{id: \"${BOX_IDS[$1]}\", name: \"$1\", image: {name: \"${BOX_IMAGES[$1]}\"},
		runtime: \"${BOX_ENGINES[$1]/rootless/podman}\"}"
}

# asked_by NAME PROGRAM: what the event of a forwarder's lookup says of who asked for it.
asked_by() {
	echo ".dnsfence.via.cgroup.path == \"$(cgroup_of_box "$1")\" and
		.dnsfence.via.container == $(container_of "$1") and .dnsfence.via.process.name == \"$2\" and .dns.question.name == \"x.test\""
}

# box_leaks NAME ADDR TECHNIQUE [ARGUMENT...]: without the fence it arrives at ADDR's port 53.
box_leaks() {
	local before
	before=$(arrived "$2")
	box_probe "$1" "$3" "$2" 53 "${@:4}"
	((CHECKS++))
	wait_until arrived_more "$2" "$before" || fail "$1, $3 to $2, open: nothing arrived ($OUT)"
}

denied_is() { [[ $(denied) == "$1" ]]; }

# box_blocked NAME POLICY ADDR TECHNIQUE [ARGUMENT...]: with it EPERM, no packet, one denial and
# one event, which names the container's cgroup, the process and the policy.
box_blocked() {
	local name=$1 policy=$2 addr=$3 what="$1, $4 to $3" before denied_before
	shift 3
	before=$(arrived "$addr") denied_before=$(denied)
	mark_events
	box_probe_settled "$name" "$1" "$addr" 53 "${@:2}"
	expect "$what, errno" "$ERRNO" EPERM
	expect "$what, exit status" "$STATUS" 1
	expect "$what, packets at the far end" "$(arrived "$addr")" "$before"
	((CHECKS++))
	wait_until denied_is $((denied_before + 1)) ||
		fail "$what, denied counter: got $(denied), want $((denied_before + 1))"
	expect_new_event "$what" "$(box_event "$name" "$addr" "$policy" \
		'.process.name == "leakprobe"')"
}

events_of() { jq -c "select(.dnsfence.cgroup.path? == \"$(cgroup_of_box "$1")\" and ($2))" "$EVENTS"; }

has_told() { [[ $(events_of "$1" ".container == $(container_of "$1")" 2>/dev/null | head -n 1) ]]; }

# expect_told NAME...: an event of each tells its id, name, image and runtime. The first one may
# have come before its runtime's files were read; but none tells anything else.
expect_told() {
	local name
	for name in "$@"; do
		((CHECKS++))
		wait_until has_told "$name" ||
			fail "$name: no event with $(container_of "$name"): $(events_of "$name" true | tail -n 1)"
	done
}

expect_no_other_told() {
	local name
	for name in "$@"; do
		expect "$name, events that tell of another" "$(events_of "$name" \
			"$(container_of "$name") as \$want | .container.id != \$want.id or
			\$want * .container != \$want" | wc -l)" 0
	done
}
