/*
 * put_aside.c
 *		See put_aside.h.
 */
#include "rules/put_aside.h"

#include <string.h>

#include "base/mem.h"

const PutAside *
put_asides_find(const PutAsides *asides, Lsn commit_lsn, uint32_t number,
				uint32_t table)
{
	for (int i = 0; i < asides->count; i++)
	{
		const PutAside *aside = &asides->items[i];

		if (aside->commit_lsn == commit_lsn && aside->number == number &&
			aside->table == table)
			return aside;
	}
	return NULL;
}

bool
put_asides_add(PutAsides *asides, const Error *why)
{
	if (why->change == 0 || why->table == 0 ||
		put_asides_find(asides, why->commit_lsn, why->change, why->table) !=
			NULL)
		return false;
	if (asides->count == asides->capacity)
	{
		asides->capacity = asides->capacity * 2 + 4;
		asides->items = mem_realloc(asides->items, (size_t) asides->capacity *
													   sizeof(*asides->items));
	}
	BUG_UNLESS(asides->items != NULL);
	asides->items[asides->count++] = (PutAside){ why->commit_lsn, why->change,
												 why->table, *why };
	return true;
}

void
put_asides_trim(PutAsides *asides, Lsn resume_lsn)
{
	int kept = 0;

	for (int i = 0; i < asides->count; i++)
	{
		if (asides->items[i].commit_lsn >= resume_lsn)
			asides->items[kept++] = asides->items[i];
	}
	asides->count = kept;
}

void
put_asides_release(PutAsides *asides)
{
	mem_free(asides->items);
	memset(asides, 0, sizeof(*asides));
}
