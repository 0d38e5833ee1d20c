/*
 * suggest.c
 *		See suggest.h.
 */
#include "base/suggest.h"

#include <stddef.h>
#include <string.h>

#define WORD_MAX 40
#define NEAR 2

static size_t
least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Insertions, deletions and replacements between two words (Levenshtein). */
static size_t
distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1];
	size_t len = strlen(b);
	size_t i;
	size_t j;

	if (strlen(a) > WORD_MAX || len > WORD_MAX)
		return WORD_MAX;
	for (j = 0; j <= len; j++)
		row[j] = j;
	for (i = 0; a[i] != '\0'; i++)
	{
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (j = 0; j < len; j++)
		{
			size_t above = row[j + 1];

			row[j + 1] = least(above + 1, row[j] + 1,
							   diagonal + (a[i] == b[j] ? 0 : 1));
			diagonal = above;
		}
	}
	return row[len];
}

const char *
suggest(const char *word, const char *const *words)
{
	const char *best = NULL;
	size_t best_distance = NEAR + 1;

	for (; *words != NULL; words++)
	{
		size_t d = distance(word, *words);

		/* half of a short word is not near */
		if (d < best_distance && 2 * d < strlen(*words))
		{
			best = *words;
			best_distance = d;
		}
	}
	return best;
}
