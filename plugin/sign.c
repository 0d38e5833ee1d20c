/*
 * sign.c
 *		HMAC-SHA-256 of a message, with the key that the extension made.
 *
 * Anyone may write messages into the WAL; who may read portage.ddl_key can tell
 * which of them are ours.  The key is read below the level where privileges are
 * checked: whoever changes the schema signs without being able to read it.
 */
#include "postgres.h"

#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "capture.h"

/* what the table promises, in its one column */
#define KEY_SIZE 32

static bool
copy_key(Relation table, HeapTuple tuple, uint8 *key)
{
	bool isnull;
	Datum value = heap_getattr(tuple, 1, RelationGetDescr(table), &isnull);
	bytea *bytes;

	if (isnull)
		return false;
	bytes = DatumGetByteaPP(value);
	if (VARSIZE_ANY_EXHDR(bytes) != KEY_SIZE)
		return false;
	memcpy(key, VARDATA_ANY(bytes), KEY_SIZE);
	return true;
}

/* A catalog snapshot: it sees what this transaction has done before, too. */
static bool
read_key(uint8 *key)
{
	Oid schema = get_namespace_oid("portage", true);
	Oid relid = OidIsValid(schema) ? get_relname_relid("ddl_key", schema)
								   : InvalidOid;
	Relation table;
	SysScanDesc scan;
	HeapTuple tuple;
	bool found;

	if (!OidIsValid(relid) || get_rel_relkind(relid) != RELKIND_RELATION)
		return false;
	table = table_open(relid, AccessShareLock);
	scan = systable_beginscan(table, InvalidOid, false, NULL, 0, NULL);
	tuple = systable_getnext(scan);
	found = HeapTupleIsValid(tuple) && copy_key(table, tuple, key);
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	return found;
}

bool
sign_bytes(StringInfo out, const char *data, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	uint8 key[KEY_SIZE];
	uint8 digest[COMPAT_SHA256_SIZE];
	int i;

	if (!read_key(key))
		return false;
	compat_hmac_sha256(key, sizeof(key), (const uint8 *) data, len, digest);
	explicit_bzero(key, sizeof(key));
	for (i = 0; i < (int) sizeof(digest); i++)
	{
		appendStringInfoChar(out, hex[digest[i] >> 4]);
		appendStringInfoChar(out, hex[digest[i] & 0x0F]);
	}
	return true;
}
