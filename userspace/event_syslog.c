// SPDX-License-Identifier: GPL-2.0-or-later
/* An event as a message for a syslog daemon: RFC 5424 6, or as the C library writes it. */
#include "event_log.h"

#define SYSLOG_LINE_MAX 4096
#define SYSLOG_CLOCK 9 /* "04:42:31 " in front of the readable line */
#define SYSLOG_HOST_MAX 255

static void text_add(struct json *to, const char *text)
{
	json_text(to, text, strlen(text));
}

/* HOSTNAME is printable ASCII without spaces, or NILVALUE. */
static void write_hostname(const char *host, struct json *to)
{
	size_t length = strlen(host);

	for (const char *at = host; *at; at++)
		if (*at <= ' ' || *at > '~')
			length = 0;
	if (length && length <= SYSLOG_HOST_MAX)
		json_text(to, host, length);
	else
		text_add(to, "-");
}

static void write_header(const struct event *event, const char *host, struct json *to)
{
	char time[40], pid[48];
	struct tm tm;
	size_t length;

	gmtime_r(&event->time.tv_sec, &tm);
	length = strftime(time, sizeof(time), "1 %Y-%m-%dT%H:%M:%S", &tm);
	snprintf(time + length, sizeof(time) - length, ".%06ldZ ", event->time.tv_nsec / 1000);
	text_add(to, time);
	write_hostname(host, to);
	snprintf(pid, sizeof(pid), " dnsfence %u ", (unsigned int)getpid());
	text_add(to, pid);
	text_add(to, event_action(event));
	text_add(to, " - "); /* no structured data: it takes a private enterprise number */
}

/* The C locale's months: what a daemon knows, whatever ours is. */
static void write_local_header(const struct event *event, struct json *to)
{
	char time[32], tag[32];
	struct tm tm;

	localtime_r(&event->time.tv_sec, &tm);
	strftime(time, sizeof(time), "%b %e %H:%M:%S ", &tm);
	text_add(to, time);
	snprintf(tag, sizeof(tag), "dnsfence[%u]: ", (unsigned int)getpid());
	text_add(to, tag);
}

static void write_readable(const struct event *event, struct json *to)
{
	char line[SYSLOG_LINE_MAX];
	size_t length = event_write_line(event, false, line, sizeof(line));

	if (length > SYSLOG_CLOCK + 1)
		json_text(to, line + SYSLOG_CLOCK, length - SYSLOG_CLOCK - 1);
}

int event_write_syslog(const struct event *event, const struct syslog_style *style,
		       const char *host, const struct json *json, struct json *to)
{
	char priority[16];

	snprintf(priority, sizeof(priority), "<%d>", style->facility * 8 + event_severity(event));
	text_add(to, priority);
	if (style->local)
		write_local_header(event, to);
	else
		write_header(event, host, to);
	if (style->text)
		write_readable(event, to);
	else
		json_text(to, json->text, json->length ? json->length - 1 : 0);
	return to->failed ? -ENOMEM : 0;
}
