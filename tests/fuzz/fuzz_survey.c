// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: any text, and changed files, as every file that the survey reads. What it tells
 * has a source, a path of the tree, and where it is a resolver one address and a port.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "texts.h"
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
	"/etc/haproxy/haproxy.cfg",
	"/etc/systemd/system/a.service",
	"/run/systemd/resolve/resolv.conf",
	"/run/NetworkManager/no-stub-resolv.conf",
	"/etc/NetworkManager/system-connections/a",
	"/run/containers/storage/overlay-containers/1/userdata/resolv.conf",
};

/* Of each kind a little; what is a mistake in one file is a line of another. */
static const char *const good[] = {
	"nameserver 10.0.0.53\nnameserver fe80::1%eth0\noptions edns0\nhosts: files mdns4 resolve "
	"dns\n"
	"name_servers=10.0.0.53\nserver=/x/10.0.0.53#5300\nserver=10.0.0.54@eth0\nresolver "
	"8.8.8.8:53;\n"
	"forward-addr: 8.8.8.8@853#dns\n# ExtServers: [8.8.8.8 host(127.0.0.53)]\n"
	"option domain-name-servers "
	"10.0.0.53,10.0.0.54;\nJAVA_OPTS=\"-Dsun.net.spi.nameservice.x\"\n"
	"GODEBUG=netdns=go\n",
	"[Resolve]\nDNS=10.0.0.53 "
	"[::1]:53%eth0#name\nFallbackDNS=8.8.8.8\nLLMNR=yes\nMulticastDNS=no\n"
	"DNSOverTLS=opportunistic\n[Network]\nDNS=10.0.0.53\n[global-dns-domain-*]\nservers=10.0.0."
	"53\n"
	"[main]\ndns=none\n[ipv4]\ndns=10.0.0.53;8.8.8.8;\n[ipv6]\ndns=2001:db8::1\n",
	"DNS=10.0.0.53 8.8.8.8\nLLMNR=no\n",
	"{\"dns\":[\"10.0.0.53\",8,\"::1\"],\"policies\":{\"DNSOverHTTPS\":{\"Enabled\":true,"
	"\"ProviderURL\":\"https://dns.example/"
	"\",\"Locked\":false}},\"DnsOverHttpsMode\":\"secure\","
	"\"DnsOverHttpsTemplates\":\"https://dns.example/{?dns}\"}",
	"[containers]\ndns_servers = [\"10.0.0.53\", \"8.8.8.8\"]\n[network]\ndns_bind_port = 53\n",
	"clusterDNS: [10.96.0.10, {a: b}]\nresolvConf: /etc/resolv.conf\n",
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

static void read_text(const char *content, size_t size)
{
	const struct runtime_roots runtimes = {0};
	const struct survey survey = {.root = root, .runtimes = &runtimes, .found = check};
	FILE *file;

	make_tree();
	file = fopen(text, "w");
	if (!file || fwrite(content, 1, size, file) != size || fclose(file) != 0)
		abort();
	survey_run(&survey);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_text((const char *)data, size);
	fuzz_change(good[size ? data[0] % ARRAY_LEN(good) : 0], data, size, read_text);
	return 0;
}
