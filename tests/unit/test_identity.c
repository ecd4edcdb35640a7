// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * userspace/identity.c: paths as each runtime's drivers and systemd make them, and as those make
 * them who would like to be somebody else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "userspace/cgroup.h"
#include "userspace/identity.h"

#define ID "4f797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970"
#define OTHER "9ec39b91f3d70e1beff50a308f77067065ea6be0d91a3378375056cd4422cf3d"
#define UID "aaaa2b4a-f398-41c0-928b-049e1cc4ec40"
#define UID_ "aaaa2b4a_f398_41c0_928b_049e1cc4ec40"
#define STATIC_UID "c0a8f9b3d1e24f7a8b6c5d4e3f2a1b0c"
#define ALICE "/user.slice/user-1000.slice/user@1000.service"
#define BESTEFFORT "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_ ".slice"

struct path_case {
	const char *path;
	/* "NAME@LEVEL", NULL: none */
	const char *unit, *slice, *user_unit, *user_slice;
	uint32_t user; /* 0: none; the tests' user is 1000 */
	const char *container, *nested; /* "RUNTIME ID@LEVEL" */
	const char *pod, *nested_pod;
};

static const struct path_case systemd_cases[] = {
	{.path = "/"},
	{.path = ""},
	{.path = "/init.scope", .unit = "init.scope@1"},
	{.path = "/system.slice", .slice = "system.slice@1"},
	{.path = "/system.slice/nginx.service",
	 .unit = "nginx.service@2",
	 .slice = "system.slice@1"},
	{.path = "/system.slice/nginx.service/workers",
	 .unit = "nginx.service@2",
	 .slice = "system.slice@1"},
	{.path = "/system.slice/system-getty.slice/getty@tty1.service",
	 .unit = "getty@tty1.service@3",
	 .slice = "system-getty.slice@2"},
	{.path = "/system.slice/dev-hugepages.mount",
	 .unit = "dev-hugepages.mount@2",
	 .slice = "system.slice@1"},
	{.path = "/system.slice/systemd-udevd.service/udev",
	 .unit = "systemd-udevd.service@2",
	 .slice = "system.slice@1"},
	{.path = "/system.slice/system-systemd\\x2dfsck.slice/systemd-fsck@dev-sda1.service",
	 .unit = "systemd-fsck@dev-sda1.service@3",
	 .slice = "system-systemd\\x2dfsck.slice@2"},
	/* A name that could be a file of the kernel's. */
	{.path = "/system.slice/_cpu.service", .unit = "cpu.service@2", .slice = "system.slice@1"},
	{.path = "/user.slice/user-1000.slice/session-3.scope",
	 .unit = "session-3.scope@3",
	 .slice = "user-1000.slice@2"},
	{.path = ALICE, .unit = "user@1000.service@3", .slice = "user-1000.slice@2", .user = 1000},
	{.path = ALICE "/init.scope",
	 .unit = "user@1000.service@3",
	 .slice = "user-1000.slice@2",
	 .user_unit = "init.scope@4",
	 .user = 1000},
	{.path = ALICE "/app.slice/app-gnome-firefox-4242.scope",
	 .unit = "user@1000.service@3",
	 .slice = "user-1000.slice@2",
	 .user_unit = "app-gnome-firefox-4242.scope@5",
	 .user_slice = "app.slice@4",
	 .user = 1000},
	{.path = ALICE "/session.slice/dbus.service",
	 .unit = "user@1000.service@3",
	 .slice = "user-1000.slice@2",
	 .user_unit = "dbus.service@5",
	 .user_slice = "session.slice@4",
	 .user = 1000},
};

/* Who may make a cgroup names it: none of these is what it calls itself. */
static const struct path_case hostile_units[] = {
	{.path = "/system.slice/web.service/nginx.service",
	 .unit = "web.service@2",
	 .slice = "system.slice@1"},
	{.path = "/system.slice/web.service/system.slice/nginx.service",
	 .unit = "web.service@2",
	 .slice = "system.slice@1"},
	{.path = "/docker/" ID "/system.slice/nginx.service", .container = "docker " ID "@2"},
	{.path = "/lxc.payload.c1/system.slice/nginx.service", .container = "lxc c1@1"},
	{.path = "/mine/nginx.service"},
	{.path = "/system.slice/nginx.service.d/nginx.service", .slice = "system.slice@1"},
	{.path = "/system.slice/nginx", .slice = "system.slice@1"},
	{.path = "/system.slice/.service", .slice = "system.slice@1"},
	{.path = "/system.slice/@x.service", .slice = "system.slice@1"},
	{.path = "/system.slice/ng inx.service", .slice = "system.slice@1"},
	{.path = "/system.slice/ngi\xc3\xa9nx.service", .slice = "system.slice@1"},
	{.path = "/system.slice/nginx.timer", .slice = "system.slice@1"},
	/* A user's units are a user's, however deep he hides them. */
	{.path = ALICE "/system.slice/nginx.service",
	 .unit = "user@1000.service@3",
	 .slice = "user-1000.slice@2",
	 .user_unit = "nginx.service@5",
	 .user_slice = "system.slice@4",
	 .user = 1000},
	{.path = ALICE "/app.slice/x.service/sshd.service",
	 .unit = "user@1000.service@3",
	 .slice = "user-1000.slice@2",
	 .user_unit = "x.service@5",
	 .user_slice = "app.slice@4",
	 .user = 1000},
	{.path = ALICE "/user.slice/user-0.slice/user@0.service/x.service",
	 .unit = "user@1000.service@3",
	 .slice = "user-1000.slice@2",
	 .user_unit = "user@0.service@6",
	 .user_slice = "user-0.slice@5",
	 .user = 1000},
	/* No manager of that user there. */
	{.path = "/user.slice/user-1000.slice/user@0.service/x.service",
	 .unit = "user@0.service@3",
	 .slice = "user-1000.slice@2"},
	{.path = "/system.slice/user@1000.service/x.service",
	 .unit = "user@1000.service@2",
	 .slice = "system.slice@1"},
	{.path = "/a.slice/user.slice/user-1000.slice/user@1000.service/x.service",
	 .unit = "user@1000.service@4",
	 .slice = "user-1000.slice@3"},
	{.path = "/user.slice/user-01000.slice/user@01000.service/x.service",
	 .unit = "user@01000.service@3",
	 .slice = "user-01000.slice@2"},
	{.path = "/user.slice/user-4294967295.slice/user@4294967295.service/x.service",
	 .unit = "user@4294967295.service@3",
	 .slice = "user-4294967295.slice@2"},
	/* As seen from within a cgroup namespace, or made up. */
	{.path = "/../system.slice/nginx.service"},
	{.path = "/system.slice/../nginx.service"},
	{.path = "/system.slice/./nginx.service"},
};

static const struct path_case container_cases[] = {
	/* Docker: cgroupfs, systemd, --cgroup-parent of either, ECS; rootless. */
	{.path = "/docker/" ID, .container = "docker " ID "@2"},
	{.path = "/docker/" ID "/init.scope", .container = "docker " ID "@2"},
	{.path = "/docker/buildkit/tz9pi8uqpvhd9i0srb0dvojrc"},
	{.path = "/system.slice/docker-" ID ".scope",
	 .unit = "docker-" ID ".scope@2",
	 .slice = "system.slice@1",
	 .container = "docker " ID "@2"},
	{.path = "/web.slice/web-front.slice/docker-" ID ".scope",
	 .unit = "docker-" ID ".scope@3",
	 .slice = "web-front.slice@2",
	 .container = "docker " ID "@3"},
	{.path = "/mine/" ID, .container = "? " ID "@2"},
	{.path = "/" ID, .container = "? " ID "@1"},
	{.path = "/ecs/0123456789abcdef0123456789abcdef/" ID, .container = "? " ID "@3"},
	{.path = ALICE "/user.slice/docker-" ID ".scope",
	 .unit = "user@1000.service@3",
	 .slice = "user-1000.slice@2",
	 .user_unit = "docker-" ID ".scope@5",
	 .user_slice = "user.slice@4",
	 .user = 1000,
	 .container = "docker " ID "@5"},
	/* containerd's CRI plugin: systemd, cgroupfs, a slice that was taken for a path. */
	{.path = BESTEFFORT "/cri-containerd-" ID ".scope",
	 .unit = "cri-containerd-" ID ".scope@4",
	 .slice = "kubepods-besteffort-pod" UID_ ".slice@3",
	 .container = "containerd " ID "@4",
	 .pod = UID "@3"},
	{.path = "/kubepods.slice/kubepods-pod" UID_ ".slice/cri-containerd-" ID ".scope",
	 .unit = "cri-containerd-" ID ".scope@3",
	 .slice = "kubepods-pod" UID_ ".slice@2",
	 .container = "containerd " ID "@3",
	 .pod = UID "@2"},
	{.path = "/kubepods/burstable/pod" UID "/" ID,
	 .container = "containerd " ID "@4",
	 .pod = UID "@3"},
	{.path = "/kubepods/pod" UID "/" ID, .container = "containerd " ID "@3", .pod = UID "@2"},
	{.path = "/kubepods/pod" UID, .pod = UID "@2"},
	{.path = "/kubepods/burstable/pod" STATIC_UID "/" ID,
	 .container = "containerd " ID "@4",
	 .pod = STATIC_UID "@3"},
	{.path = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" STATIC_UID
		 ".slice",
	 .slice = "kubepods-burstable-pod" STATIC_UID ".slice@3",
	 .pod = STATIC_UID "@3"},
	{.path = "/system.slice/containerd.service/kubepods-besteffort-pod" UID_
		 ".slice:cri-containerd:" ID,
	 .unit = "containerd.service@2",
	 .slice = "system.slice@1",
	 .container = "containerd " ID "@3",
	 .pod = UID "@3"},
	/* With a cgroupRoot; k3s as a service of its own. */
	{.path = "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/"
		 "kubelet-kubepods-burstable-pod" UID_ ".slice/cri-containerd-" ID ".scope",
	 .unit = "cri-containerd-" ID ".scope@5",
	 .slice = "kubelet-kubepods-burstable-pod" UID_ ".slice@4",
	 .container = "containerd " ID "@5",
	 .pod = UID "@4"},
	{.path = "/system.slice/k3s.service/kubepods/besteffort/pod" UID "/" ID,
	 .unit = "k3s.service@2",
	 .slice = "system.slice@1",
	 .container = "containerd " ID "@6",
	 .pod = UID "@5"},
	/* cri-dockerd. */
	{.path = BESTEFFORT "/docker-" ID ".scope",
	 .unit = "docker-" ID ".scope@4",
	 .slice = "kubepods-besteffort-pod" UID_ ".slice@3",
	 .container = "docker " ID "@4",
	 .pod = UID "@3"},
	/* CRI-O, with crun's cgroup below; its conmon is no container. */
	{.path = BESTEFFORT "/crio-" ID ".scope/container",
	 .unit = "crio-" ID ".scope@4",
	 .slice = "kubepods-besteffort-pod" UID_ ".slice@3",
	 .container = "cri-o " ID "@4",
	 .pod = UID "@3"},
	{.path = BESTEFFORT "/crio-conmon-" ID ".scope",
	 .unit = "crio-conmon-" ID ".scope@4",
	 .slice = "kubepods-besteffort-pod" UID_ ".slice@3",
	 .pod = UID "@3"},
	{.path = "/kubepods/besteffort/pod" UID "/crio-" ID,
	 .container = "cri-o " ID "@4",
	 .pod = UID "@3"},
	{.path = "/kubepods/besteffort/pod" UID "/crio-conmon-" ID, .pod = UID "@3"},
	/* Podman: systemd, in a pod of its own, cgroupfs, Quadlet; root and rootless. */
	{.path = "/machine.slice/libpod-" ID ".scope/container",
	 .unit = "libpod-" ID ".scope@2",
	 .slice = "machine.slice@1",
	 .container = "podman " ID "@2"},
	{.path = "/machine.slice/libpod-conmon-" ID ".scope",
	 .unit = "libpod-conmon-" ID ".scope@2",
	 .slice = "machine.slice@1"},
	{.path = "/machine.slice/machine-libpod_pod_" OTHER ".slice/libpod-" ID ".scope",
	 .unit = "libpod-" ID ".scope@3",
	 .slice = "machine-libpod_pod_" OTHER ".slice@2",
	 .container = "podman " ID "@3"},
	{.path = "/libpod_parent/libpod-" ID, .container = "podman " ID "@2"},
	{.path = "/libpod_parent/" OTHER "/libpod-" ID, .container = "podman " ID "@3"},
	{.path = "/libpod_parent/conmon"},
	{.path = "/system.slice/web.service/libpod-payload-" ID,
	 .unit = "web.service@2",
	 .slice = "system.slice@1",
	 .container = "podman " ID "@3"},
	{.path = "/system.slice/web.service/runtime",
	 .unit = "web.service@2",
	 .slice = "system.slice@1"},
	{.path = ALICE "/user.slice/libpod-" ID ".scope/container",
	 .unit = "user@1000.service@3",
	 .slice = "user-1000.slice@2",
	 .user_unit = "libpod-" ID ".scope@5",
	 .user_slice = "user.slice@4",
	 .user = 1000,
	 .container = "podman " ID "@5"},
	{.path = ALICE "/user.slice/user-libpod_pod_" OTHER ".slice/libpod-" ID ".scope",
	 .unit = "user@1000.service@3",
	 .slice = "user-1000.slice@2",
	 .user_unit = "libpod-" ID ".scope@6",
	 .user_slice = "user-libpod_pod_" OTHER ".slice@5",
	 .user = 1000,
	 .container = "podman " ID "@6"},
	{.path = ALICE "/app.slice/web.service/libpod-payload-" ID,
	 .unit = "user@1000.service@3",
	 .slice = "user-1000.slice@2",
	 .user_unit = "web.service@5",
	 .user_slice = "app.slice@4",
	 .user = 1000,
	 .container = "podman " ID "@6"},
	/* nerdctl: systemd and cgroupfs. */
	{.path = "/system.slice/nerdctl-" ID ".scope",
	 .unit = "nerdctl-" ID ".scope@2",
	 .slice = "system.slice@1",
	 .container = "nerdctl " ID "@2"},
	{.path = "/default/" ID, .container = "nerdctl " ID "@2"},
	{.path = ALICE "/user.slice/nerdctl-" ID ".scope",
	 .unit = "user@1000.service@3",
	 .slice = "user-1000.slice@2",
	 .user_unit = "nerdctl-" ID ".scope@5",
	 .user_slice = "user.slice@4",
	 .user = 1000,
	 .container = "nerdctl " ID "@5"},
	/* LXC 4 and later, 3.1, Proxmox; its monitor is no container. */
	{.path = "/lxc.payload.web-1", .container = "lxc web-1@1"},
	{.path = "/lxc.payload.web-1/init.scope", .container = "lxc web-1@1"},
	{.path = "/lxc.payload/web-1", .container = "lxc web-1@2"},
	{.path = "/lxc/100/ns", .container = "lxc 100@2"},
	{.path = "/lxc.monitor.web-1"},
	{.path = "/lxc.monitor/web-1"},
	{.path = "/lxc.pivot"},
	/* systemd-nspawn as a service, machined's scopes with an escaped name, libvirt's. */
	{.path = "/machine.slice/systemd-nspawn@web-1.service/payload/init.scope",
	 .unit = "systemd-nspawn@web-1.service@2",
	 .slice = "machine.slice@1",
	 .container = "systemd-nspawn web-1@2"},
	{.path = "/machine.slice/machine-web\\x2d1.scope/payload",
	 .unit = "machine-web\\x2d1.scope@2",
	 .slice = "machine.slice@1",
	 .container = "systemd-nspawn web-1@2"},
	{.path = "/machine.slice/machine-qemu\\x2d2\\x2dvm.scope",
	 .unit = "machine-qemu\\x2d2\\x2dvm.scope@2",
	 .slice = "machine.slice@1"},
	{.path = "/machine.slice/machine-lxc\\x2d7\\x2dc1.scope",
	 .unit = "machine-lxc\\x2d7\\x2dc1.scope@2",
	 .slice = "machine.slice@1"},
	/* An engine nobody knows. */
	{.path = "/system.slice/garden-" ID ".scope",
	 .unit = "garden-" ID ".scope@2",
	 .slice = "system.slice@1",
	 .container = "? " ID "@2"},
};

static const struct path_case nested_cases[] = {
	/* kind: a node that is a container, with either driver. */
	{.path = "/docker/" ID "/kubelet.slice/kubelet-kubepods.slice/"
		 "kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pod" UID_
		 ".slice/cri-containerd-" OTHER ".scope",
	 .container = "docker " ID "@2",
	 .nested = "containerd " OTHER "@7",
	 .nested_pod = UID "@6"},
	{.path = "/docker/" ID "/kubelet/kubepods/burstable/pod" UID "/" OTHER,
	 .container = "docker " ID "@2",
	 .nested = "containerd " OTHER "@7",
	 .nested_pod = UID "@6"},
	{.path = "/system.slice/docker-" ID ".scope/kubelet.slice/kubelet-kubepods.slice/"
		 "kubelet-kubepods-pod" UID_ ".slice/cri-containerd-" OTHER ".scope",
	 .unit = "docker-" ID ".scope@2",
	 .slice = "system.slice@1",
	 .container = "docker " ID "@2",
	 .nested = "containerd " OTHER "@6",
	 .nested_pod = UID "@5"},
	/* kind in rootless Podman. */
	{.path = ALICE "/user.slice/libpod-" ID ".scope/container/kubelet/kubepods/pod" UID
		       "/" OTHER,
	 .unit = "user@1000.service@3",
	 .slice = "user-1000.slice@2",
	 .user_unit = "libpod-" ID ".scope@5",
	 .user_slice = "user.slice@4",
	 .user = 1000,
	 .container = "podman " ID "@5",
	 .nested = "containerd " OTHER "@10",
	 .nested_pod = UID "@9"},
	/* Docker in Docker, in LXC, in a pod; three deep: the outermost and the innermost. */
	{.path = "/docker/" ID "/docker/" OTHER,
	 .container = "docker " ID "@2",
	 .nested = "docker " OTHER "@4"},
	{.path = "/lxc.payload.c1/system.slice/docker-" ID ".scope",
	 .container = "lxc c1@1",
	 .nested = "docker " ID "@3"},
	{.path = "/lxc.payload.c1/docker/" ID "/docker/" OTHER,
	 .container = "lxc c1@1",
	 .nested = "docker " OTHER "@5"},
	{.path = "/kubepods/pod" UID "/" ID "/docker/" OTHER,
	 .container = "containerd " ID "@3",
	 .nested = "docker " OTHER "@5",
	 .pod = UID "@2"},
};

/* Root in a container, or whoever has a directory, tries to be another container. */
static const struct path_case hostile_containers[] = {
	{.path = "/docker/" ID "/docker-" OTHER ".scope",
	 .container = "docker " ID "@2",
	 .nested = "docker " OTHER "@3"},
	{.path = "/mine/" ID "/libpod-" OTHER,
	 .container = "? " ID "@2",
	 .nested = "podman " OTHER "@3"},
	{.path = "/docker/../docker/" ID},
	{.path = "/docker/4f797c53"},
	{.path = "/docker/" ID "0"},
	{.path = "/docker/4F797C539E6C745DE61A93CA3FF892358ECBCACCD8414D5DB545C38428142970"},
	{.path = "/docker/zf797c539e6c745de61a93ca3ff892358ecbcaccd8414d5db545c38428142970"},
	{.path = "/docker-" ID ".scope.d"},
	{.path = "/x-" ID},
	{.path = "/lxc.payload."},
	{.path = "/lxc.payload...", .container = NULL},
	{.path = "/lxc.payload.a b"},
	{.path = "/lxc/.."},
	{.path = "/machine.slice/machine-a\\x2fb.scope",
	 .unit = "machine-a\\x2fb.scope@2",
	 .slice = "machine.slice@1"},
	{.path = "/machine.slice/machine-\\x2e\\x2e.scope",
	 .unit = "machine-\\x2e\\x2e.scope@2",
	 .slice = "machine.slice@1"},
	{.path = "/machine.slice/machine-a\\x00b.scope",
	 .unit = "machine-a\\x00b.scope@2",
	 .slice = "machine.slice@1"},
	{.path = "/machine.slice/machine-a\\x0ab.scope",
	 .unit = "machine-a\\x0ab.scope@2",
	 .slice = "machine.slice@1"},
	{.path = "/machine.slice/machine-a\\x2.scope",
	 .unit = "machine-a\\x2.scope@2",
	 .slice = "machine.slice@1"},
	{.path = "/machine.slice/systemd-nspawn@.service",
	 .unit = "systemd-nspawn@.service@2",
	 .slice = "machine.slice@1"},
	{.path = "/machine.slice/systemd-nspawn@..service",
	 .unit = "systemd-nspawn@..service@2",
	 .slice = "machine.slice@1"},
	/* Pods: only in the kubelet's own tree, with a uid that is one. */
	{.path = "/pod" UID},
	{.path = "/burstable/pod" UID},
	{.path = "/kubepods/mine/pod" UID},
	{.path = "/kubepods/pod"},
	{.path = "/kubepods/pod.."},
	{.path = "/kubepods/pod" UID UID},
	{.path = "/my-pod" UID_ ".slice", .slice = "my-pod" UID_ ".slice@1"},
	{.path = "/kubepods.slice/kubepods-pod.slice", .slice = "kubepods-pod.slice@2"},
};

static const char *at(const char *text, unsigned int level, char *to, size_t size)
{
	snprintf(to, size, "%s@%u", text, level);
	return text[0] ? to : "-";
}

static const char *container_at(const struct identity_container *container, char *to, size_t size)
{
	const char *name = identity_runtime_name(container->runtime);

	snprintf(to, size, "%s %s@%u", name ? name : "?", container->id, container->level);
	return container->runtime ? to : "-";
}

static void expect(const char *path, const char *what, const char *expected, const char *found)
{
	if (strcmp(expected ? expected : "-", found) != 0)
		fail_msg("%s: %s is %s, not %s", path, what, found, expected ? expected : "-");
}

static void check(const struct path_case *c)
{
	struct identity got;
	char text[400];

	identity_of_path(c->path, &got);
#define AT(what) at((what).name, (what).level, text, sizeof(text))
	expect(c->path, "unit", c->unit, AT(got.unit));
	expect(c->path, "slice", c->slice, AT(got.slice));
	expect(c->path, "user unit", c->user_unit, AT(got.user_unit));
	expect(c->path, "user slice", c->user_slice, AT(got.user_slice));
#undef AT
	expect(c->path, "container", c->container,
	       container_at(&got.container, text, sizeof(text)));
	expect(c->path, "nested", c->nested, container_at(&got.nested, text, sizeof(text)));
	expect(c->path, "pod", c->pod, at(got.pod.uid, got.pod.level, text, sizeof(text)));
	expect(c->path, "nested pod", c->nested_pod,
	       at(got.nested_pod.uid, got.nested_pod.level, text, sizeof(text)));
	if (got.user != (c->user ? c->user : IDENTITY_NO_USER))
		fail_msg("%s: user %u", c->path, got.user);
	if (got.level != cgroup_level(c->path) && !strstr(c->path, "/."))
		fail_msg("%s: level %u", c->path, got.level);
}

#define TABLE_TEST(table)                                     \
	static void test_##table(void **state)                \
	{                                                     \
		(void)state;                                  \
		for (size_t i = 0; i < ARRAY_LEN(table); i++) \
			check(&(table)[i]);                   \
	}

TABLE_TEST(systemd_cases)
TABLE_TEST(hostile_units)
TABLE_TEST(container_cases)
TABLE_TEST(nested_cases)
TABLE_TEST(hostile_containers)

/* Names at and beyond what is kept: all of it, or nothing. */
static void test_lengths(void **state)
{
	char path[700], name[400];
	struct identity got;

	(void)state;
	for (size_t length = 100; length < 300; length++) {
		memset(name, 'a', length);
		name[length] = 0;
		snprintf(path, sizeof(path), "/%s.service", name);
		identity_of_path(path, &got);
		assert_int_equal(strlen(got.unit.name),
				 length + 8 < IDENTITY_UNIT_MAX ? length + 8 : 0);
		snprintf(path, sizeof(path), "/lxc.payload.%s", name);
		identity_of_path(path, &got);
		assert_int_equal(strlen(got.container.id), length < IDENTITY_ID_MAX ? length : 0);
		assert_int_equal(got.container.runtime,
				 length < IDENTITY_ID_MAX ? RUNTIME_LXC : RUNTIME_NONE);
		snprintf(path, sizeof(path), "/kubepods/pod%s", name);
		identity_of_path(path, &got);
		assert_int_equal(strlen(got.pod.uid), length < IDENTITY_POD_MAX ? length : 0);
	}
}

static void test_is_at(void **state)
{
	struct identity got;

	(void)state;
	identity_of_path("/system.slice/nginx.service", &got);
	assert_true(identity_is_at(&got, &got.unit));
	assert_false(identity_is_at(&got, &got.slice));
	assert_false(identity_is_at(&got, &got.user_unit));
	identity_of_path("/system.slice/nginx.service/worker", &got);
	assert_false(identity_is_at(&got, &got.unit));
	identity_of_path("/system.slice", &got);
	assert_true(identity_is_at(&got, &got.slice));
	identity_of_path("/", &got);
	assert_false(identity_is_at(&got, &got.slice));
}

static void test_runtime_names(void **state)
{
	(void)state;
	assert_null(identity_runtime_name(RUNTIME_NONE));
	assert_null(identity_runtime_name(RUNTIME_UNKNOWN));
	for (int i = RUNTIME_NONE + 1; i < RUNTIME_UNKNOWN; i++)
		assert_int_equal(identity_runtime_find(identity_runtime_name((enum runtime)i)), i);
	assert_int_equal(identity_runtime_find("rkt"), RUNTIME_NONE);
	assert_int_equal(identity_runtime_find("cri-o"), RUNTIME_CRIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_systemd_cases),
		cmocka_unit_test(test_hostile_units),
		cmocka_unit_test(test_container_cases),
		cmocka_unit_test(test_nested_cases),
		cmocka_unit_test(test_hostile_containers),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_is_at),
		cmocka_unit_test(test_runtime_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
