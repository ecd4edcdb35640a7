// SPDX-License-Identifier: GPL-2.0-or-later
/* Stands in for top_view.c where ncurses was not there at build time. */
#include "top_view.h"

int top_view_run(struct top_feed *feed, struct top_settings *settings, struct problem *problem)
{
	(void)feed;
	(void)settings;
	return problem_set(problem, ENOTSUP,
			   "this dnsfence was built without ncurses and has no screen; \"dnsfence "
			   "top --batch\" prints tables");
}
