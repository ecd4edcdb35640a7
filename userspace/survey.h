/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every place on this host that decides where lookups go, read and not changed: what each of them
 * says, with file and line. Whether a policy allows it is the caller's matter.
 */
#ifndef DNSFENCE_SURVEY_H
#define DNSFENCE_SURVEY_H

#include "address.h"
#include "config.h"

enum survey_kind {
	SURVEY_RESOLVER, /* somebody will ask this address */
	SURVEY_NOTE, /* something else that matters: text says what */
};

/* Who asks what an item names. */
enum survey_asker {
	SURVEY_EVERYBODY,
	SURVEY_UNIT, /* the system unit .unit */
	SURVEY_CONTAINER, /* the container .container */
};

/* What a note is about; each has its way to be judged. */
enum survey_topic {
	SURVEY_PLAIN, /* told as it is */
	SURVEY_MULTICAST, /* .service is asked of everybody on the link */
	SURVEY_HTTPS, /* DNS over HTTPS, which no port tells from other traffic */
};

struct survey_item {
	enum survey_kind kind;
	enum survey_topic topic;
	enum survey_asker asker;
	const char *source; /* which tool or file it is of */
	const char *path; /* on the host */
	unsigned int line; /* 0: of no line in particular */
	const char *unit;
	const char *container; /* id, or name where there is none */
	struct address address;
	uint16_t port;
	uint8_t service; /* enum df_service, for a note of SURVEY_MULTICAST too */
	uint8_t protocols; /* DF_PROTO_ bits that it is asked by */
	bool fallback; /* only when nothing else is there */
	const char *text; /* of a note; of a resolver what else is to be said, or "" */
	const char *advice; /* what to change, and where; "" */
};

typedef void (*survey_callback)(void *context, const struct survey_item *item);

struct survey {
	const char *root; /* of the host, "" is this one's */
	const struct runtime_roots *runtimes;
	survey_callback found;
	void *context;
};

/* All of them, in an order that stays. What is not there is passed over. */
void survey_run(const struct survey *survey);

/* The families of them, for survey_run(). */
void survey_resolv_conf(const struct survey *survey);
void survey_systemd(const struct survey *survey);
void survey_network_manager(const struct survey *survey);
void survey_leases(const struct survey *survey);
void survey_containers(const struct survey *survey);
void survey_programs(const struct survey *survey);

/* What they are made of: survey_text.c. */

/*
 * Opened as whoever has that root would: a link, absolute or not, leads to nothing outside.
 * A descriptor or -errno.
 */
int survey_open(const char *root, const char *path, int flags);

/* A line at a time, without its end. Return false to stop. */
typedef bool (*survey_line)(void *context, const char *path, unsigned int line, char *text);
/* Regular files only, of at most 4 MiB; path is below root. False when there is none. */
bool survey_read_lines(const struct survey *survey, const char *path, survey_line take,
		       void *context);

/* Of an INI file: key and value without blanks around them; section "" before the first. */
typedef void (*survey_setting)(void *context, const char *path, unsigned int line,
			       const char *section, const char *key, char *value);
bool survey_read_ini(const struct survey *survey, const char *path, survey_setting take,
		     void *context);

/* The paths (below root) that match a pattern of glob(3), sorted. */
typedef void (*survey_path)(void *context, const char *path);
void survey_each(const struct survey *survey, const char *pattern, survey_path take, void *context);

/*
 * Tell of each address in a list that is separated by any of `separators`; each may be
 * ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT, with %ZONE and #NAME behind. What is none is passed over.
 * The item's address and port are filled in.
 */
void survey_tell_addresses(const struct survey *survey, struct survey_item *item, char *list,
			   const char *separators);
void survey_tell(const struct survey *survey, const struct survey_item *item);

/* A resolver of plain DNS, asked by everybody. */
struct survey_item survey_resolver(const char *source, const char *path, unsigned int line);
struct survey_item survey_note(const char *source, const char *path, unsigned int line,
			       const char *text, const char *advice);

#endif
