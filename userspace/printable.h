/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other people's text on its way to a terminal. */
#ifndef DNSFENCE_PRINTABLE_H
#define DNSFENCE_PRINTABLE_H

/* Whatever a terminal would obey becomes a question mark, in place. */
void event_make_printable(char *text);

#endif
