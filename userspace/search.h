/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The work of a sweep's child process: enter every network namespace, judge the sockets there, and
 * write a struct sweep_record for each that counts. The process is no use for anything else then.
 */
#ifndef DNSFENCE_SEARCH_H
#define DNSFENCE_SEARCH_H

#include "sweep.h"

/* Ends the process: 0 after a SWEEP_END or a SWEEP_TROUBLE_SEARCH, 1 when nobody reads `out`. */
_Noreturn void search_run(const struct sweep_request *request, int out);

#endif
