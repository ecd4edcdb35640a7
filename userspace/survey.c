// SPDX-License-Identifier: GPL-2.0-or-later
/* resolv.conf(5), nsswitch.conf(5), what makes resolv.conf, and leases. */
#include "survey.h"

#include "bpf/abi.h"

void survey_run(const struct survey *survey)
{
	survey_resolv_conf(survey);
	survey_systemd(survey);
	survey_network_manager(survey);
	survey_leases(survey);
	survey_containers(survey);
	survey_programs(survey);
}

struct resolv_conf {
	const struct survey *survey;
	const char *source;
	bool any;
};

static bool resolv_conf_take(void *context, const char *path, unsigned int line, char *text)
{
	struct resolv_conf *file = context;
	struct survey_item item = survey_resolver(file->source, path, line);
	char word[16], address[128];

	if (sscanf(text, "%15s %127s", word, address) != 2 || !util_streq(word, "nameserver"))
		return true;
	file->any = true;
	item.advice = "remove the line, or sanction the address";
	survey_tell_addresses(file->survey, &item, address, " \t");
	return true;
}

/* resolv.conf(5): without a nameserver line the local machine's is used. */
static void tell_local(const struct survey *survey, const char *path)
{
	struct survey_item item = survey_resolver("resolv.conf", path, 0);
	char local[] = "127.0.0.1";

	item.text = "no nameserver is named, so that of this host itself is asked";
	survey_tell_addresses(survey, &item, local, " ");
}

static bool nsswitch_take(void *context, const char *path, unsigned int line, char *text)
{
	const struct survey *survey = context;
	struct survey_item item =
		survey_note("nsswitch.conf", path, line, "", "take it out of the line");
	char *rest = text + strlen("hosts:");

	if (strncmp(text, "hosts:", strlen("hosts:")) != 0)
		return true;
	for (char *word; (word = strsep(&rest, " \t"));) {
		item.topic = SURVEY_PLAIN;
		if (strncmp(word, "mdns", 4) == 0) {
			item.topic = SURVEY_MULTICAST;
			item.service = DF_SERVICE_MDNS;
			item.text = "names under .local are asked of everybody on the link (mDNS)";
		} else if (util_streq(word, "wins")) {
			item.topic = SURVEY_MULTICAST;
			item.service = DF_SERVICE_NETBIOS;
			item.text = "names are asked of everybody on the link (NetBIOS)";
		} else if (util_streq(word, "resolve")) {
			item.text = "lookups go to systemd-resolved by a socket of its own and "
				    "leave as its: its policy decides, not the program's";
			item.advice = "";
		} else {
			continue;
		}
		survey_tell(survey, &item);
	}
	return true;
}

static bool openresolv_take(void *context, const char *path, unsigned int line, char *text)
{
	const struct survey *survey = context;
	struct survey_item item = survey_resolver("resolvconf", path, line);
	char *value = strchr(text, '=');

	if (strncmp(text, "name_servers", strlen("name_servers")) != 0 || !value)
		return true;
	item.advice = "remove the address from the line";
	survey_tell_addresses(survey, &item, value + 1, " \t\"'");
	return true;
}

static void resolvconf_take(void *context, const char *path)
{
	struct resolv_conf file = {.survey = context, .source = "resolvconf"};

	(void)survey_read_lines(file.survey, path, resolv_conf_take, &file);
}

void survey_resolv_conf(const struct survey *survey)
{
	struct resolv_conf file = {.survey = survey, .source = "resolv.conf"};

	(void)survey_read_lines(survey, "/etc/resolv.conf", resolv_conf_take, &file);
	if (!file.any)
		tell_local(survey, "/etc/resolv.conf");
	(void)survey_read_lines(survey, "/etc/nsswitch.conf", nsswitch_take, (void *)survey);
	(void)survey_read_lines(survey, "/etc/resolvconf.conf", openresolv_take, (void *)survey);
	survey_each(survey, "/run/resolvconf/interface*/*", resolvconf_take, (void *)survey);
	survey_each(survey, "/run/resolvconf/interfaces/*", resolvconf_take, (void *)survey);
	survey_each(survey, "/etc/resolvconf/resolv.conf.d/*", resolvconf_take, (void *)survey);
}

/* dhclient.leases(5): option domain-name-servers A, B; dhcp6.name-servers likewise. */
static bool lease_take(void *context, const char *path, unsigned int line, char *text)
{
	static const char *const options[] = {"option domain-name-servers ",
					      "option dhcp6.name-servers "};
	const struct survey *survey = context;
	struct survey_item item = survey_resolver("dhclient", path, line);

	item.text = "a DHCP server has handed it out; it is asked where resolv.conf is made of "
		    "leases";
	item.advice = "have dhclient.conf supersede domain-name-servers";
	text += strspn(text, " \t");
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (strncmp(text, options[i], strlen(options[i])) == 0)
			survey_tell_addresses(survey, &item, text + strlen(options[i]), " ,;");
	return true;
}

static void lease_file(void *context, const char *path)
{
	(void)survey_read_lines(context, path, lease_take, context);
}

static void dhcpcd_file(void *context, const char *path)
{
	struct resolv_conf file = {.survey = context, .source = "dhcpcd"};

	(void)survey_read_lines(file.survey, path, resolv_conf_take, &file);
}

void survey_leases(const struct survey *survey)
{
	survey_each(survey, "/var/lib/dhcp/*.leases", lease_file, (void *)survey);
	survey_each(survey, "/var/lib/dhclient/*.leases", lease_file, (void *)survey);
	survey_each(survey, "/var/lib/NetworkManager/dhclient-*.lease", lease_file, (void *)survey);
	survey_each(survey, "/run/dhcpcd/hook-state/resolv.conf/*", dhcpcd_file, (void *)survey);
}
