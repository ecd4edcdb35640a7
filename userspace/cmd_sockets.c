// SPDX-License-Identifier: GPL-2.0-or-later
/* sockets: what is open to which resolvers, judged by the configuration; --kill ends it. */
#include "catalog.h"
#include "outcome.h"
#include "prepare.h"
#include "sweep_format.h"

#define NAMES_WAIT_MS 500 /* for the runtimes' files, and not again where they do not answer */

/*
 * Names of units, containers and pods; NULL: paths have to do. After the search has begun, whose
 * process is a copy of this one: threads are not copied.
 */
static struct catalog *names_open(const struct prepared *prepared)
{
	const struct catalog_options options = {
		.roots = &prepared->config.runtimes,
		.mount_fd = prepared->mount_fd,
	};
	struct catalog *names;

	return catalog_new(&options, &names) < 0 ? NULL : names;
}

/* A reference, or NULL. */
static struct facts *names_of(struct catalog *names, const struct sweep_record *record)
{
	struct facts *facts = NULL;

	if (names && record->kind == SWEEP_SOCKET && record->cgroup[0])
		(void)catalog_ask(names, record->socket.cgroup_id, record->cgroup, NAMES_WAIT_MS,
				  &facts);
	return facts;
}

static void sockets_print(const struct sweep_record *record)
{
	char line[SWEEP_LINE_MAX];

	if (record->kind == SWEEP_SOCKET)
		printf("%s\n", sweep_write_line(record, line));
	else if (record->kind == SWEEP_TROUBLE)
		log_debug("%s", sweep_write_line(record, line));
}

/* Every record: in words as it comes, or into the list. */
static void sockets_take(struct sweep *sweep, struct catalog *names, bool json, struct json *text)
{
	struct sweep_record record;

	while (sweep_take(sweep, &record) > 0) {
		_cleanup_(facts_unrefp) struct facts *facts = names_of(names, &record);

		record.facts = facts;
		if (!json)
			sockets_print(&record);
		else if (record.kind != SWEEP_END)
			sweep_write_json(&record, text);
	}
}

static int sockets_write_json(struct sweep *sweep, struct catalog *names,
			      const struct config *config)
{
	struct json text = {0};
	int r;

	json_open(&text, NULL);
	json_put(&text, "config", config->files_length ? config->files[0] : "");
	json_list(&text, "sockets");
	sockets_take(sweep, names, true, &text);
	json_list_end(&text);
	sweep_write_totals(&sweep->totals, &text);
	json_close(&text);
	r = json_finish(&text);
	if (r == 0)
		(void)fwrite(text.text, 1, text.length, stdout);
	json_done(&text);
	return r;
}

static int sockets_outcome(const struct sweep_totals *totals)
{
	char line[SWEEP_LINE_MAX];

	if (sweep_say_done(totals, line))
		log_info("%s", line);
	if (sweep_say_missed(totals, line))
		log_warning("%s", line);
	if (sweep_open(totals)) {
		if (totals->fates[SWEEP_FATE_OPEN])
			log_info("%llu to resolvers that are not sanctioned; \"dnsfence sockets "
				 "--kill\" closes them",
				 (unsigned long long)totals->fates[SWEEP_FATE_OPEN]);
		return EXIT_NEGATIVE;
	}
	if (sweep_troubled(totals))
		return EXIT_KERNEL;
	if (!totals->fates[SWEEP_FATE_CLOSED])
		log_info("no socket is open to a resolver that is not sanctioned");
	return EXIT_FINE;
}

int cmd_sockets(const struct options *options)
{
	_cleanup_(prepared_done) struct prepared prepared = {0};
	struct problem problem = {{0}};
	struct sweep_request request = {
		.cgroup = options->cgroup,
		.close = options->kill,
		.all = options->all,
		.wait = true,
	};
	struct sweep sweep;
	struct catalog *names;
	int r = prepare(options, NULL, &prepared, stderr, &problem);

	request.image = &prepared.image;
	request.mount = prepared.mount;
	if (r >= 0)
		r = sweep_start(&request, &sweep, &problem);
	if (r < 0)
		return outcome_fail(r, &problem);
	names = names_open(&prepared);
	if (options->json)
		r = sockets_write_json(&sweep, names, &prepared.config);
	else
		sockets_take(&sweep, names, false, NULL);
	catalog_free(names);
	return r < 0 ? EXIT_INTERNAL : sockets_outcome(&sweep.totals);
}
