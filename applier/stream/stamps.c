/*
 * stamps.c
 *		Visibility of transactions in the snapshots of copied tables.
 *
 * The WAL carries 32-bit xids, snapshots 64-bit ones: an xid belongs to the
 * epoch that brings it nearest to the snapshot's xmax, since transactions of
 * one WAL stream are never two billion apart.
 */
#include "stream/stamps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

typedef struct TableStamp
{
	uint32_t table_oid;
	uint64_t xmin;
	uint64_t xmax;
	const uint64_t *xip; /* ascending */
	int xip_count;
} TableStamp;

struct Stamps
{
	ChangeFilter filter; /* must be first */
	Arena arena;
	Lsn newest;
	TableStamp *tables; /* by OID; only those with a stamp of their own */
	int count;
	uint32_t *ignored; /* OIDs of tables that are not followed */
	int ignored_count;
};

static bool
parse_number(const char **p, char end, uint64_t *out)
{
	char *stop;

	if (**p < '0' || **p > '9')
		return false;
	errno = 0;
	*out = strtoull(*p, &stop, 10);
	if (errno != 0 || (*stop != end && !(end == ',' && *stop == '\0')))
		return false;
	*p = *stop != '\0' ? stop + 1 : stop;
	return true;
}

static bool
parse_snapshot(const char *text, Arena *arena, TableStamp *out)
{
	const char *p = text;
	uint64_t *xip;
	size_t max = 1;

	if (!parse_number(&p, ':', &out->xmin) ||
		!parse_number(&p, ':', &out->xmax))
		return false;
	for (const char *c = p; *c != '\0'; c++)
		max += *c == ',';
	xip = ARENA_ARRAY(arena, uint64_t, max);
	out->xip = xip;
	out->xip_count = 0;
	while (*p != '\0')
	{
		if (!parse_number(&p, ',', &xip[out->xip_count]))
			return false;
		out->xip_count++;
	}
	return true;
}

static uint64_t
full_xid(uint32_t xid, uint64_t xmax)
{
	uint64_t full = (xmax & ~UINT64_C(0xFFFFFFFF)) | xid;
	const uint64_t half = UINT64_C(0x80000000);

	if (full > xmax + half && full >= 2 * half)
		return full - 2 * half;
	if (full + half < xmax)
		return full + 2 * half;
	return full;
}

static int
compare_xids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *) a;
	uint64_t y = *(const uint64_t *) b;

	return x < y ? -1 : x > y;
}

static bool
table_shows(const TableStamp *table, uint32_t xid)
{
	uint64_t full = full_xid(xid, table->xmax);

	if (full < table->xmin)
		return true;
	if (full >= table->xmax)
		return false;
	return table->xip_count == 0 ||
		   bsearch(&full, table->xip, (size_t) table->xip_count,
				   sizeof(uint64_t), compare_xids) == NULL;
}

bool
stamp_shows(const char *snapshot, uint32_t xid, bool *shows)
{
	TableStamp table = { 0 };
	Arena arena;
	bool ok;

	arena_init(&arena);
	ok = parse_snapshot(snapshot, &arena, &table);
	if (ok)
		*shows = table_shows(&table, xid);
	arena_release(&arena);
	return ok;
}

static int
compare_tables(const void *a, const void *b)
{
	uint32_t x = ((const TableStamp *) a)->table_oid;
	uint32_t y = ((const TableStamp *) b)->table_oid;

	return x < y ? -1 : x > y;
}

static int
compare_oids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *) a;
	uint32_t y = *(const uint32_t *) b;

	return x < y ? -1 : x > y;
}

static ChangeVerdict
stamp_verdict(const ChangeFilter *filter, const Txn *txn, const Change *change,
			  const Relation *relation)
{
	const Stamps *stamps = (const Stamps *) filter;
	TableStamp key = { .table_oid = relation->oid };
	const TableStamp *table;

	(void) change;
	if (stamps->ignored_count > 0 &&
		bsearch(&relation->oid, stamps->ignored, (size_t) stamps->ignored_count,
				sizeof(uint32_t), compare_oids) != NULL)
		return VERDICT_SKIP;
	if (stamps->count == 0 || txn->commit_lsn >= stamps->newest)
		return VERDICT_APPLY;
	table = bsearch(&key, stamps->tables, (size_t) stamps->count,
					sizeof(TableStamp), compare_tables);
	return table == NULL || !table_shows(table, txn->xid) ? VERDICT_APPLY
														  : VERDICT_SKIP;
}

static const Chunk *
stamp_emptied(const ChangeFilter *filter, const Txn *txn,
			  const Relation *relation, int i)
{
	(void) filter;
	(void) txn;
	(void) relation;
	(void) i;
	return NULL; /* a whole table has one stamp: nothing is partly shown */
}

Stamps *
stamps_new(const Chunk *chunks, int count, Lsn newest, Error *err)
{
	Stamps *stamps = mem_zalloc(sizeof(*stamps));
	TableStamp *table;
	int i;

	arena_init(&stamps->arena);
	stamps->filter.verdict = stamp_verdict;
	stamps->filter.emptied = stamp_emptied;
	stamps->newest = newest;
	stamps->tables = ARENA_ARRAY(&stamps->arena, TableStamp,
								 (size_t) count + 1);
	for (i = 0; i < count; i++)
	{
		if (chunks[i].stamp.slot)
			continue;
		table = &stamps->tables[stamps->count++];
		table->table_oid = chunks[i].table_oid;
		if (chunks[i].state != CHUNK_DONE ||
			!parse_snapshot(chunks[i].stamp.snapshot, &stamps->arena, table))
		{
			error_set(err, P_PROGRESS,
					  "the copy of table %s.%s has no readable "
					  "stamp",
					  chunks[i].schema, chunks[i].name);
			stamps_free(stamps);
			return NULL;
		}
	}
	qsort(stamps->tables, (size_t) stamps->count, sizeof(TableStamp),
		  compare_tables);
	return stamps;
}

void
stamps_ignore(Stamps *stamps, const uint32_t *oids, int count)
{
	stamps->ignored = ARENA_ARRAY(&stamps->arena, uint32_t, (size_t) count + 1);
	memcpy(stamps->ignored, oids, (size_t) count * sizeof(uint32_t));
	stamps->ignored_count = count;
}

void
stamps_free(Stamps *stamps)
{
	if (stamps == NULL)
		return;
	arena_release(&stamps->arena);
	mem_free(stamps);
}

const ChangeFilter *
stamps_filter(const Stamps *stamps)
{
	return &stamps->filter;
}
