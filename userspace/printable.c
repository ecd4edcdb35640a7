// SPDX-License-Identifier: GPL-2.0-or-later
#include "printable.h"

#include "util.h"

/* Names of processes and cgroups are other people's text: nothing of it may reach a terminal raw.
 */
void event_make_printable(char *text)
{
	for (unsigned char *at = (unsigned char *)text; *at; at++) {
		bool c1 = *at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0; /* U+0080 to U+009F */

		if (*at < 0x20 || *at == 0x7f || c1)
			*at = '?';
	}
}
