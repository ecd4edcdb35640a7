/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths in the notations of others, written and read: glob(3)'s and mountinfo(5)'s. */
#ifndef DNSFENCE_ESCAPE_H
#define DNSFENCE_ESCAPE_H

/*
 * A pattern below a directory that is taken by its name, whatever that holds: for glob(3) without
 * GLOB_NOESCAPE. To be freed; NULL for want of memory.
 */
char *escape_glob(const char *directory, const char *pattern);

/* mountinfo(5) writes blanks and the backslash as \ooo: back to what they are, in place. */
void escape_undo_octal(char *text);

#endif
