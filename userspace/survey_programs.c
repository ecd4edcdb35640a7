// SPDX-License-Identifier: GPL-2.0-or-later
/* Programs that bring a resolver of their own, where a file shows it. */
#include "bpf/abi.h"
#include "survey.h"

/* A word of a line, its address behind, and who reads it. */
struct directive {
	const char *source;
	const char *pattern; /* of files */
	const char *word;
	const char *separators; /* between addresses */
	const char *unit;
	const char *text;
	const char *advice;
};

/* The first word of a line, whole; what is behind it are addresses. */
static const struct directive directives[] = {
	{"dnsmasq", "/etc/dnsmasq.conf", "server", "=,", "dnsmasq.service", "it forwards there",
	 "change the server= line"},
	{"dnsmasq", "/etc/dnsmasq.d/*", "server", "=,", "dnsmasq.service", "it forwards there",
	 "change the server= line"},
	{"unbound", "/etc/unbound/unbound.conf", "forward-addr", ": \t@", "unbound.service",
	 "it forwards there", "change the forward-addr line"},
	{"unbound", "/etc/unbound/unbound.conf.d/*.conf", "forward-addr", ": \t@",
	 "unbound.service", "it forwards there", "change the forward-addr line"},
	{"nginx", "/etc/nginx/nginx.conf", "resolver", " \t;", "nginx.service",
	 "names in its own configuration are asked there", "change the resolver line"},
	{"nginx", "/etc/nginx/conf.d/*.conf", "resolver", " \t;", "nginx.service",
	 "names in its own configuration are asked there", "change the resolver line"},
	{"nginx", "/etc/nginx/sites-enabled/*", "resolver", " \t;", "nginx.service",
	 "names in its own configuration are asked there", "change the resolver line"},
	{"haproxy", "/etc/haproxy/haproxy.cfg", "nameserver", " \t", "haproxy.service",
	 "its servers' names are asked there", "change the nameserver line"},
};

struct search {
	const struct survey *survey;
	const struct directive *directive;
};

static bool directive_take(void *context, const char *path, unsigned int line, char *text)
{
	const struct search *search = context;
	const struct directive *directive = search->directive;
	struct survey_item item = survey_resolver(directive->source, path, line);
	size_t length = strlen(directive->word);
	char *value;

	text += strspn(text, " \t");
	text[strcspn(text, "#")] = 0;
	if (strncmp(text, directive->word, length) != 0 || !strchr("=: \t", text[length]))
		return true;
	value = text + length;
	item.asker = SURVEY_UNIT;
	item.unit = directive->unit;
	item.text = directive->text;
	item.advice = directive->advice;
	/* unbound: addresses have colons of their own. */
	if (*directive->separators == ':') {
		value += strspn(value, ": \t");
		survey_tell_addresses(search->survey, &item, value, " \t@");
	} else {
		survey_tell_addresses(search->survey, &item, value, directive->separators);
	}
	return true;
}

static void directive_file(void *context, const char *path)
{
	const struct search *search = context;

	(void)survey_read_lines(search->survey, path, directive_take, context);
}

static void tell_https(const struct survey *survey, const char *source, const char *path,
		       unsigned int line, const char *advice)
{
	struct survey_item item = survey_note(
		source, path, line,
		"it asks by DNS over HTTPS, which no port tells from other traffic", advice);

	item.topic = SURVEY_HTTPS;
	survey_tell(survey, &item);
}

/* Firefox: network.trr.mode 2 and 3 use DNS over HTTPS; about:config writes prefs.js. */
static bool firefox_take(void *context, const char *path, unsigned int line, char *text)
{
	const char *mode = strstr(text, "\"network.trr.mode\"");

	if (mode && strpbrk(mode + strlen("\"network.trr.mode\""), "23"))
		tell_https(context, "Firefox", path, line,
			   "lock network.trr.mode to 5, or set DNSOverHTTPS in policies.json");
	return true;
}

static void firefox_file(void *context, const char *path)
{
	(void)survey_read_lines(context, path, firefox_take, context);
}

/* Chromium and Chrome: DnsOverHttpsMode of the managed policies, dns_over_https of Local State. */
static bool chromium_take(void *context, const char *path, unsigned int line, char *text)
{
	char *key = strstr(text, "\"DnsOverHttpsMode\"");

	if (!key)
		key = strstr(text, "\"dns_over_https\"");
	if (key) /* the object ends here; Local State is all on one line */
		key[strcspn(key, "}")] = 0;
	if (key && (strstr(key, "\"secure\"") || strstr(key, "\"automatic\"")))
		tell_https(context, "Chromium", path, line,
			   "set DnsOverHttpsMode to \"off\" in a managed policy");
	return true;
}

static void chromium_file(void *context, const char *path)
{
	(void)survey_read_lines(context, path, chromium_take, context);
}

/* Firefox's policies.json: "DNSOverHTTPS": {"Enabled": true}, which may be on lines of their own.
 */
struct firefox_policy {
	const struct survey *survey;
	bool inside;
};

static bool firefox_policy_take(void *context, const char *path, unsigned int line, char *text)
{
	struct firefox_policy *policy = context;
	const char *enabled;

	if (strstr(text, "\"DNSOverHTTPS\""))
		policy->inside = true;
	enabled = policy->inside ? strstr(text, "\"Enabled\"") : NULL;
	if (enabled && strstr(enabled, "true"))
		tell_https(policy->survey, "Firefox", path, line,
			   "set \"Enabled\": false and \"Locked\": true");
	if (policy->inside && strchr(text, '}'))
		policy->inside = false;
	return true;
}

static void firefox_policy_file(void *context, const char *path)
{
	struct firefox_policy policy = {.survey = context};

	(void)survey_read_lines(policy.survey, path, firefox_policy_take, &policy);
}

#define JAVA_SERVERS "sun.net.spi.nameservice.nameservers="

/* What an environment or a unit sets for the runtimes that resolve names themselves. */
static bool environment_take(void *context, const char *path, unsigned int line, char *text)
{
	char *java = strstr(text, JAVA_SERVERS);
	struct survey_item item = survey_resolver("Java", path, line);
	struct survey_item go = survey_note(
		"Go", path, line,
		"programs written in Go read resolv.conf themselves (netdns=go), whatever "
		"nsswitch.conf says",
		"");

	text += strspn(text, " \t");
	if (*text == '#')
		return true;
	if (strstr(text, "netdns=go"))
		survey_tell(context, &go);
	if (!java)
		return true;
	item.text = "a Java program's own servers";
	item.advice = "remove the property";
	java += strlen(JAVA_SERVERS);
	java[strcspn(java, " \t\"'")] = 0;
	survey_tell_addresses(context, &item, java, ",");
	return true;
}

static void environment_file(void *context, const char *path)
{
	(void)survey_read_lines(context, path, environment_take, context);
}

void survey_programs(const struct survey *survey)
{
	static const struct {
		const char *pattern;
		survey_path take;
	} files[] = {
		{"/etc/firefox/policies/policies.json", firefox_policy_file},
		{"/usr/lib/firefox*/distribution/policies.json", firefox_policy_file},
		{"/root/.mozilla/firefox/*/prefs.js", firefox_file},
		{"/home/*/.mozilla/firefox/*/prefs.js", firefox_file},
		{"/home/*/snap/firefox/common/.mozilla/firefox/*/prefs.js", firefox_file},
		{"/etc/chromium/policies/managed/*.json", chromium_file},
		{"/etc/opt/chrome/policies/managed/*.json", chromium_file},
		{"/home/*/.config/chromium/Local State", chromium_file},
		{"/home/*/.config/google-chrome/Local State", chromium_file},
		{"/etc/environment", environment_file},
		{"/etc/default/*", environment_file},
		{"/etc/systemd/system/*.service", environment_file},
		{"/etc/systemd/system/*.service.d/*.conf", environment_file},
	};

	for (size_t i = 0; i < ARRAY_LEN(directives); i++) {
		struct search search = {survey, &directives[i]};

		survey_each(survey, directives[i].pattern, directive_file, &search);
	}
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		survey_each(survey, files[i].pattern, files[i].take, (void *)survey);
}
