// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: any bytes as a line of the log, for events and top, and events and an answer to
 * "status json" that are changed. What is taken for an event is shown without anything that a
 * terminal would obey, and counted once or not at all.
 */
#include <stdlib.h>

#include "texts.h"
#include "userspace/top_feed.h"
#include "userspace/when.h"
#include "userspace/where.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EVENT(action) \
	"{\"@timestamp\":\"2026-11-24T19:53:20.25Z\",\"event\":{\"action\":\"" action "\","
#define PLACE                                                                     \
	"\"cgroup\":{\"id\":77,\"path\":\"/docker/x\"},\"unit\":\"web.service\"," \
	"\"user_unit\":\"app.scope\",\"user_unit_uid\":1000"

/* What the readers look at. */
static const char *const good[] = {
	EVENT("dns-denied") "\"reason\":\"resolver-not-sanctioned\",\"sequence\":9},\"network\":{"
			    "\"transport\":\"udp\","
			    "\"protocol\":\"dns\",\"type\":\"ipv4\"},\"source\":{\"ip\":\"10.0.0."
			    "1\",\"port\":40000},"
			    "\"destination\":{\"ip\":\"::1\",\"port\":53},\"dns\":{\"question\":{"
			    "\"name\":"
			    "\"Mail.Example.org\",\"type\":\"A\"}},\"process\":{\"pid\":4711,"
			    "\"name\":\"curl\","
			    "\"command_line\":\"curl "
			    "-s\"},\"user\":{\"id\":\"1000\",\"name\":\"web\"},\"rule\":{\"name\":"
			    "\"default\"},\"container\":{\"name\":\"web\",\"id\":\"3f0c12ab\"},"
			    "\"orchestrator\":{"
			    "\"namespace\":\"prod\",\"resource\":{\"name\":\"pod\",\"id\":\"x\"}},"
			    "\"observer\":{\"ingress\":"
			    "{\"interface\":{\"name\":\"veth1\"}},\"egress\":{\"interface\":{"
			    "\"name\":\"eth0\"}}},"
			    "\"dnsfence\":{\"hook\":\"packet\",\"packet\":false,\"count\":3,"
			    "\"sample\":10," PLACE ",\"via\":{\"basis\":\"connection\",\"process\":"
			    "{\"pid\":12,\"name\":\"app\"},\"container\":"
			    "{\"name\":\"b\"}," PLACE "}}}",
	EVENT("tamper") "\"reason\":\"x\"},\"dnsfence\":{\"tamper\":{\"object\":\"link\",\"name\":"
			"\"egress\","
			"\"what\":\"gone\",\"restored\":true,\"program\":{\"id\":7,\"name\":\"x\","
			"\"tag\":\"y\"}}}}",
	EVENT("resolver-drift") "\"reason\":\"x\"},\"source\":{\"ip\":\"fe80::1\"},\"destination\":"
				"{\"ip\":"
				"\"2001:db8::1\"},\"observer\":{\"ingress\":{\"interface\":{"
				"\"name\":\"eth0\"}}},"
				"\"dnsfence\":{\"drift\":{\"source\":\"resolv.conf\",\"path\":\"/"
				"etc\",\"lifetime\":60}}}",
	EVENT("events-lost") "\"reason\":\"x\",\"list\":[1,true,null,-1.5e9,\"\\u202e\",[],{}]},"
			     "\"dnsfence\":{\"count\":12}}",
	"{\"fence\":\"closed\",\"generation\":3,\"counters\":{\"denied\":1,\"audited\":2,"
	"\"allowed\":3},"
	"\"log\":{\"lost\":4,\"pending\":5},\"process\":{\"pid\":6,\"uptime\":7,\"sink_dropped\":8,"
	"\"tampered\":9,\"restored\":18446744073709551615}}",
};

static void expect_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			abort();
}

static void expect_field(void *context, const char *field, const char *value)
{
	(void)context;
	expect_printable(field);
	expect_printable(value);
}

static void show(const struct entry *entry)
{
	struct where where = {0};
	struct problem problem;
	char line[8400];

	if (where_add(&where, "event.action=*", &problem) < 0 ||
	    where_add_alias(&where, "dst", "1*") < 0)
		abort();
	(void)where_matches(&where, entry);
	where_done(&where);
	entry_write_line(entry, 0, false, line, sizeof(line));
	expect_printable(line);
	entry_each(entry, expect_field, NULL);
}

static void count(const char *line, size_t size)
{
	struct top_model model;
	struct top_view view;

	if (top_model_init(&model, 2, 0) < 0)
		abort();
	top_feed_line(&model, line, size);
	if (top_model_view(&model, TOP_QUESTION, TOP_BY_NAME, false, "", &view) < 0)
		abort();
	if (view.length + model.notices + model.broken + (model.lost > 0) > 1)
		abort();
	for (size_t i = 0; i < view.length; i++)
		expect_printable(view.rows[i].key);
	top_view_done(&view);
	top_model_done(&model);
}

/* As it is, and inside what makes any object an event. */
static void read_line(const char *line, size_t size)
{
	struct entry entry;

	if (entry_parse(line, size, &entry) == 0) {
		show(&entry);
		entry_done(&entry);
	}
	count(line, size);
}

static void read_text(const char *text, size_t length)
{
	struct top_counters counters = {0};

	read_line(text, length);
	(void)top_feed_status(text, length, 1, &counters);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[2048], copy[1024];
	int64_t when;
	int length;

	read_text((const char *)data, size);
	snprintf(copy, sizeof(copy), "%.*s", (int)MIN(size, sizeof(copy) - 1), (const char *)data);
	(void)when_parse(copy, 1795550000 * WHEN_SECOND, &when);
	length = snprintf(text, sizeof(text),
			  "{\"@timestamp\":\"2026-11-24T19:53:20Z\",\"event\":{\"action\":"
			  "\"dns-denied\"},%s}",
			  copy);
	read_line(text, (size_t)length);
	fuzz_change(good[size ? data[0] % ARRAY_LEN(good) : 0], data, size, read_text);
	return 0;
}
