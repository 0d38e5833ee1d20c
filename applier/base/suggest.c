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

/*
 * Insertions, deletions, replacements, and exchanges of neighbours between two
 * words (Levenshtein's distance, as Damerau extended it to typing mistakes).
 */
static size_t
distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0]; /* two letters of a ago */
	size_t *above = rows[1];
	size_t *row = rows[2];
	size_t len = strlen(b);

	if (strlen(a) > WORD_MAX || len > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 0; a[i] != '\0'; i++)
	{
		size_t *oldest = before;

		before = above;
		above = row;
		row = oldest;
		row[0] = i + 1;
		for (size_t j = 0; j < len; j++)
		{
			row[j + 1] = least(above[j + 1] + 1, row[j] + 1,
							   above[j] + (a[i] == b[j] ? 0 : 1));
			if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] &&
				before[j - 1] + 1 < row[j + 1])
				row[j + 1] = before[j - 1] + 1;
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
