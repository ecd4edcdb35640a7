// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: any text as every file that the survey reads. What it tells has a source, a
 * path of the tree, and where it is a resolver one address and a port.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "userspace/survey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const files[] = {
	"/etc/resolv.conf",
	"/etc/nsswitch.conf",
	"/etc/resolvconf.conf",
	"/etc/systemd/resolved.conf",
	"/etc/systemd/network/a.network",
	"/run/systemd/netif/links/1",
	"/etc/NetworkManager/NetworkManager.conf",
	"/var/lib/dhcp/a.leases",
	"/etc/docker/daemon.json",
	"/var/lib/docker/containers/1/resolv.conf",
	"/etc/containers/containers.conf",
	"/var/lib/kubelet/config.yaml",
	"/etc/firefox/policies/policies.json",
	"/etc/chromium/policies/managed/a.json",
	"/etc/default/a",
	"/etc/dnsmasq.conf",
	"/etc/unbound/unbound.conf",
	"/etc/nginx/nginx.conf",
};

static char root[32] = "/tmp/fuzz-survey.XXXXXX", text[48];

static void clean_up(void)
{
	char command[64];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", root);
	(void)!system(command);
}

/* Each of them is the one file, by another name. */
static void make_tree(void)
{
	if (text[0])
		return;
	if (!mkdtemp(root))
		abort();
	(void)snprintf(text, sizeof(text), "%s/text", root);
	close(open(text, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char path[256];

		(void)snprintf(path, sizeof(path), "%s%s", root, files[i]);
		for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
			*slash = 0;
			(void)mkdir(path, 0700);
			*slash = '/';
		}
		if (link(text, path) < 0)
			abort();
	}
	(void)atexit(clean_up);
}

static void check(void *context, const struct survey_item *item)
{
	(void)context;
	if (!item->source[0] || item->path[0] != '/' || !item->text || !item->advice)
		abort();
	if (item->kind == SURVEY_RESOLVER && (!address_is_single(&item->address) || !item->port))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct runtime_roots runtimes = {0};
	const struct survey survey = {.root = root, .runtimes = &runtimes, .found = check};
	FILE *file;

	make_tree();
	file = fopen(text, "w");
	if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
		abort();
	survey_run(&survey);
	return 0;
}
