// SPDX-License-Identifier: GPL-2.0-or-later
#include "event_format.h"

#include "color.h"

const char *event_transport_name(unsigned int protocol)
{
	switch (protocol) {
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDPLITE:
		return "udplite";
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_DCCP:
		return "dccp";
	default:
		return "";
	}
}

static const struct lookup_words words_of_verdicts[DF_VERDICT_MAX] = {
	[DF_VERDICT_ALLOW] = {"dns-allowed", "ALLOW ", COLOR_GREEN, NULL},
	[DF_VERDICT_DENY] = {"dns-denied", "DENIED", COLOR_RED, "enforce"},
	[DF_VERDICT_AUDIT] = {"dns-audited", "AUDIT ", COLOR_YELLOW, "audit"},
};

const struct lookup_words *event_lookup_words(const struct event *event)
{
	return &words_of_verdicts[event->record.verdict];
}

const char *event_format_ip(const struct df_event *record, const uint8_t *bytes,
			    char text[INET6_ADDRSTRLEN])
{
	if (!inet_ntop(record->family == 6 ? AF_INET6 : AF_INET, bytes, text, INET6_ADDRSTRLEN))
		text[0] = 0;
	return text;
}

bool event_has_service(const struct df_event *record)
{
	return record->service < DF_SERVICE_MAX || record->dport;
}

void event_format_proposer(const struct event *event, char *to, size_t size)
{
	const struct event_drift *drift = &event->drift;

	(void)snprintf(to, size, "%s%s%s%s%s", drift->source, drift->router[0] ? " by " : "",
		       drift->router, event->interface[0] ? " at " : "", event->interface);
}
