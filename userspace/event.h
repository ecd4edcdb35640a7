/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One event, complete: the kernel's record and what user space found out about it. ring.c and
 * enrich.c fill it, event_json.c and event_line.c write it, the sinks carry the text.
 */
#ifndef DNSFENCE_EVENT_H
#define DNSFENCE_EVENT_H

#include <net/if.h>
#include <time.h>

#include "address.h"
#include "bpf/abi.h"
#include "facts.h"
#include "json.h"
#include "printable.h"
#include "question.h"

enum event_kind {
	EVENT_LOOKUP, /* a violation, or an allowed one that was sampled: the record says which */
	EVENT_LOST, /* records that found the ring full, or were not understood */
	EVENT_TAMPER, /* somebody changed the fence, or sits behind it */
	EVENT_DRIFT, /* somebody proposes a resolver that no policy sanctions */
};

/* What the daemon found, see watch.h and guard.h. */
struct event_tamper {
	const char *object;
	const char *name; /* which one; may be empty */
	char what[256];
	bool restored;
	bool neighbour; /* nothing of ours was changed: another's program runs after ours */
	struct {
		uint32_t id;
		char name[16], tag[17];
	} program; /* the neighbour */
};

/* Who proposes which resolver, see drift.h; the interface is the event's. */
struct event_drift {
	const char *source;
	char resolver[ADDRESS_TEXT_MAX];
	char router[ADDRESS_TEXT_MAX]; /* that advertises it */
	uint32_t lifetime_s; /* as advertised; UINT32_MAX: for ever */
	char path[64]; /* of the file that names it */
};

/* Empty strings and zeroes are what nobody could tell. */
struct event {
	enum event_kind kind;
	struct df_event record;
	uint64_t sequence;
	struct timespec time;
	uint64_t count; /* of equal ones; what they stand for is record.sample times that */
	uint64_t lost_before;
	bool has_question;
	struct question_text question;
	char process_name[64];
	/* Not owned; the enricher keeps them until the next event. NULL: nobody could tell. */
	const char *executable, *parent_executable;
	const char *via_executable; /* of whoever asked a forwarder, see df_event.via */
	const struct facts *facts,
		*via_facts; /* of the cgroup, and of that who asked a forwarder */
	char command[DF_COMMAND_MAX]; /* arguments with spaces between them; cut off there */
	char user[64];
	char cgroup[1024];
	char via_cgroup[1024]; /* of whoever asked a forwarder, see df_event.via */
	char interface[IF_NAMESIZE]; /* where an edge hook met it */
	char ingress[IF_NAMESIZE]; /* on which it came into this host */
	struct event_tamper tamper;
	struct event_drift drift;
};

/*
 * Check a record from the ring before anything of it is used: 0, or -EPROTO with *ret_problem.
 * ret->record is a whole struct df_event then, whatever length came.
 */
int event_check_record(const void *data, size_t size, struct df_event *ret,
		       const char **ret_problem);

/* Whether it is in the account of violations, see counters.h. */
bool event_record_is_violation(const void *data, size_t size);

/* Violations that it speaks of. */
uint64_t event_violations(const struct event *event);

/* One line of JSON, ended by a newline, in the Elastic Common Schema. host: this host's name. */
int event_write_json(const struct event *event, const char *host, struct json *to);

/* One readable line, ended by a newline; its length. color: ANSI sequences. */
size_t event_write_line(const struct event *event, bool color, char *to, size_t size);

const char *event_verdict_name(unsigned int verdict);
const char *event_reason_name(unsigned int reason);
const char *event_reason_text(unsigned int reason);
const char *event_service_name(unsigned int service);
const char *event_via_basis(const struct df_event *record); /* on what ground .via is named */
const char *event_transport_name(unsigned int protocol); /* "": unknown */

#endif
