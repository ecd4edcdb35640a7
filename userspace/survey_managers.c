// SPDX-License-Identifier: GPL-2.0-or-later
/* systemd-resolved, systemd-networkd and NetworkManager: what they are told, and what they hold. */
#include <strings.h>

#include "bpf/abi.h"
#include "survey.h"

#define RESOLVED "systemd-resolved.service"

/* systemd(7): yes, true, 1, on and their opposites. */
static bool is_no(const char *value)
{
	static const char *const words[] = {"no", "false", "0", "off", "n", "f"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(value, words[i]) == 0)
			return true;
	return false;
}

static struct survey_item resolved_server(const char *path, unsigned int line)
{
	struct survey_item item = survey_resolver("systemd-resolved", path, line);

	item.asker = SURVEY_UNIT;
	item.unit = RESOLVED;
	return item;
}

static void tell_multicast(const struct survey *survey, const char *path, unsigned int line,
			   uint8_t service, const char *text, const char *advice)
{
	struct survey_item item = survey_note("systemd-resolved", path, line, text, advice);

	item.topic = SURVEY_MULTICAST;
	item.service = service;
	item.asker = SURVEY_UNIT;
	item.unit = RESOLVED;
	survey_tell(survey, &item);
}

static void resolved_setting(void *context, const char *path, unsigned int line,
			     const char *section, const char *key, char *value)
{
	const struct survey *survey = context;
	struct survey_item item = resolved_server(path, line);

	if (!util_streq(section, "Resolve"))
		return;
	item.advice = "remove the address from the line, then restart systemd-resolved";
	if (util_streq(key, "DNS")) {
		survey_tell_addresses(survey, &item, value, " \t,");
	} else if (util_streq(key, "FallbackDNS")) {
		item.fallback = true;
		item.text = "asked only while no other server is known";
		item.advice = "set FallbackDNS= to nothing, then restart systemd-resolved";
		survey_tell_addresses(survey, &item, value, " \t,");
	} else if (util_streq(key, "LLMNR") && !is_no(value)) {
		tell_multicast(survey, path, line, DF_SERVICE_LLMNR,
			       "single-label names are asked of everybody on the link (LLMNR)",
			       "set LLMNR=no");
	} else if (util_streq(key, "MulticastDNS") && !is_no(value)) {
		tell_multicast(survey, path, line, DF_SERVICE_MDNS,
			       "names under .local are asked of everybody on the link (mDNS)",
			       "set MulticastDNS=no");
	} else if (util_streq(key, "DNSOverTLS") && strcasecmp(value, "opportunistic") == 0) {
		struct survey_item note = survey_note(
			"systemd-resolved", path, line,
			"DNS over TLS is tried first, on port 853, and plain DNS without it",
			"sanction both services of the resolver, or set DNSOverTLS=yes");
		survey_tell(survey, &note);
	}
}

static void resolved_file(void *context, const char *path)
{
	(void)survey_read_ini(context, path, resolved_setting, context);
}

static bool uplink_take(void *context, const char *path, unsigned int line, char *text)
{
	struct survey_item item = resolved_server(path, line);
	char word[16], address[128];

	if (sscanf(text, "%15s %127s", word, address) == 2 && util_streq(word, "nameserver")) {
		item.text = "a server of the system or of a link, as systemd-resolved holds it now";
		item.advice = "\"resolvectl dns\" shows whose it is";
		survey_tell_addresses(context, &item, address, " \t");
	}
	return true;
}

/* /run/systemd/netif/links/IFINDEX: networkd's state, NAME= and DNS= among it. */
static void link_setting(void *context, const char *path, unsigned int line, const char *section,
			 const char *key, char *value)
{
	struct survey_item item = survey_resolver("systemd-networkd", path, line);

	(void)section;
	if (!util_streq(key, "DNS"))
		return;
	item.asker = SURVEY_UNIT;
	item.unit = RESOLVED;
	item.text = "from the link's network: DHCP, a router's advertisement, or its own file";
	item.advice = "set UseDNS=no in the [DHCPv4], [DHCPv6] and [IPv6AcceptRA] of its .network "
		      "file";
	survey_tell_addresses(context, &item, value, " \t");
}

static void link_file(void *context, const char *path)
{
	(void)survey_read_ini(context, path, link_setting, context);
}

static void network_setting(void *context, const char *path, unsigned int line, const char *section,
			    const char *key, char *value)
{
	struct survey_item item = survey_resolver("systemd-networkd", path, line);

	if (!util_streq(section, "Network") || !util_streq(key, "DNS"))
		return;
	item.asker = SURVEY_UNIT;
	item.unit = RESOLVED;
	item.advice = "remove the address from the line, then \"networkctl reload\"";
	survey_tell_addresses(context, &item, value, " \t,");
}

static void network_file(void *context, const char *path)
{
	(void)survey_read_ini(context, path, network_setting, context);
}

void survey_systemd(const struct survey *survey)
{
	static const char *const resolved[] = {
		"/usr/lib/systemd/resolved.conf",          "/etc/systemd/resolved.conf",
		"/usr/lib/systemd/resolved.conf.d/*.conf", "/run/systemd/resolved.conf.d/*.conf",
		"/etc/systemd/resolved.conf.d/*.conf",
	};

	for (size_t i = 0; i < ARRAY_LEN(resolved); i++)
		survey_each(survey, resolved[i], resolved_file, (void *)survey);
	(void)survey_read_lines(survey, "/run/systemd/resolve/resolv.conf", uplink_take,
				(void *)survey);
	survey_each(survey, "/etc/systemd/network/*.network", network_file, (void *)survey);
	survey_each(survey, "/run/systemd/network/*.network", network_file, (void *)survey);
	survey_each(survey, "/run/systemd/netif/links/*", link_file, (void *)survey);
}

static void manager_setting(void *context, const char *path, unsigned int line, const char *section,
			    const char *key, char *value)
{
	struct survey_item item = survey_resolver("NetworkManager", path, line);
	const bool global = strncmp(section, "global-dns-domain-", 18) == 0;
	const bool connection = util_streq(section, "ipv4") || util_streq(section, "ipv6");

	item.advice = global ? "remove the address from the line, then \"nmcli general reload\""
			     : "\"nmcli connection modify\" sets ipv4.dns and ipv6.dns";
	if ((global && util_streq(key, "servers")) || (connection && util_streq(key, "dns")))
		survey_tell_addresses(context, &item, value, " \t,;");
}

static void manager_file(void *context, const char *path)
{
	(void)survey_read_ini(context, path, manager_setting, context);
}

static bool manager_state_take(void *context, const char *path, unsigned int line, char *text)
{
	struct survey_item item = survey_resolver("NetworkManager", path, line);
	char word[16], address[128];

	if (sscanf(text, "%15s %127s", word, address) == 2 && util_streq(word, "nameserver")) {
		item.text = "a server of some connection, as NetworkManager holds it now";
		item.advice = "set ipv4.ignore-auto-dns and ipv6.ignore-auto-dns of the connection";
		survey_tell_addresses(context, &item, address, " \t");
	}
	return true;
}

void survey_network_manager(const struct survey *survey)
{
	static const char *const files[] = {
		"/etc/NetworkManager/NetworkManager.conf",
		"/usr/lib/NetworkManager/conf.d/*.conf",
		"/etc/NetworkManager/conf.d/*.conf",
		"/etc/NetworkManager/system-connections/*",
		"/run/NetworkManager/system-connections/*",
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		survey_each(survey, files[i], manager_file, (void *)survey);
	(void)survey_read_lines(survey, "/run/NetworkManager/no-stub-resolv.conf",
				manager_state_take, (void *)survey);
}
