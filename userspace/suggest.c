// SPDX-License-Identifier: GPL-2.0-or-later
#include "suggest.h"

#define WORD_MAX 32

/*
 * How many letters of a short word must be added, left out, replaced, or swapped with the next one
 * to make another. Words that cannot be near count as 99.
 */
static unsigned int suggest_distance(const char *a, const char *b)
{
	size_t length_a = strlen(a), length_b = strlen(b);
	unsigned int rows[3][WORD_MAX];

	if (length_a >= WORD_MAX || length_b >= WORD_MAX)
		return 99;
	for (unsigned int j = 0; j <= length_b; j++)
		rows[0][j] = j;
	for (unsigned int i = 1; i <= length_a; i++) {
		unsigned int *row = rows[i % 3], *above = rows[(i + 2) % 3];
		const unsigned int *swapped = rows[(i + 1) % 3];

		row[0] = i;
		for (unsigned int j = 1; j <= length_b; j++) {
			unsigned int replaced = above[j - 1] + (a[i - 1] != b[j - 1]);

			row[j] = MIN(MIN(above[j], row[j - 1]) + 1, replaced);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = MIN(row[j], swapped[j - 2] + 1);
		}
	}
	return rows[length_a % 3][length_b];
}

void suggestion_begin(struct suggestion *suggestion, const char *word)
{
	*suggestion = (struct suggestion){
		.word = word,
		.distance = 1 + MAX((unsigned int)strlen(word) / 3, 1u),
	};
}

void suggestion_offer(struct suggestion *suggestion, const char *known)
{
	unsigned int distance = suggest_distance(suggestion->word, known);

	if (distance >= suggestion->distance)
		return;
	suggestion->distance = distance;
	suggestion->nearest = known;
}
