/*
 * compat.h
 *		What differs between PostgreSQL 13 and 18; no other file knows versions.
 *
 * Comes right after postgres.h.  Whatever is defined here has one meaning
 * under all versions; what a version lacks is done without in silence.
 */
#ifndef PORTAGE_COMPAT_H
#define PORTAGE_COMPAT_H

#if PG_VERSION_NUM < 130000
#error "pg_portage needs PostgreSQL 13 or later"
#endif

#include "access/xlog.h"
#include "catalog/pg_attribute.h"
#include "nodes/parsenodes.h"
#include "replication/logical.h"
#include "replication/message.h"
#include "replication/output_plugin.h"
#include "replication/reorderbuffer.h"
#include "utils/builtins.h"

#if PG_VERSION_NUM >= 140000
#include "common/hmac.h"
#endif
#include "common/sha2.h"
#if PG_VERSION_NUM >= 160000
#include "access/xlogrecovery.h"
#include "varatt.h"
#endif

/*
 * The module is compiled with hidden visibility, which the server's own build
 * does only since 16: names as short as ours must not meet those of another
 * library in the same server.
 */
#if PG_VERSION_NUM < 160000
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
extern PGDLLEXPORT void _PG_output_plugin_init(OutputPluginCallbacks *cb);
#endif

/* The tuple of a change; NULL if there is none. */
#if PG_VERSION_NUM >= 170000
#define COMPAT_TUPLE(t) (t)
#else
#define COMPAT_TUPLE(t) ((t) != NULL ? &(t)->tuple : NULL)
#endif

#if PG_VERSION_NUM >= 150000
#define COMPAT_COMMIT_TIME(txn) ((txn)->xact_time.commit_time)
#else
#define COMPAT_COMMIT_TIME(txn) ((txn)->commit_time)
#endif

#ifndef ATTRIBUTE_GENERATED_VIRTUAL
#define ATTRIBUTE_GENERATED_VIRTUAL 'v'
#endif

#if PG_VERSION_NUM >= 180000
#define COMPAT_MODULE_MAGIC(v) \
	PG_MODULE_MAGIC_EXT(.name = "pg_portage", .version = (v))
#else
#define COMPAT_MODULE_MAGIC(v) PG_MODULE_MAGIC
#endif

/*
 * Must the plugin itself report progress within a transaction?  From 16 on the
 * server does.  Before the minor releases named here a report was taken for
 * the end of a transaction, so that it did harm and no good.
 */
#if PG_VERSION_NUM >= 160000
#define COMPAT_REPORTS_PROGRESS false
#elif PG_VERSION_NUM >= 150000 ||                            \
	(PG_VERSION_NUM >= 140004 && PG_VERSION_NUM < 150000) || \
	(PG_VERSION_NUM >= 130008 && PG_VERSION_NUM < 140000)
#define COMPAT_REPORTS_PROGRESS true
#else
#define COMPAT_REPORTS_PROGRESS false
#endif

static inline void
compat_update_progress(LogicalDecodingContext *ctx, bool skipped)
{
#if PG_VERSION_NUM >= 150000
	OutputPluginUpdateProgress(ctx, skipped);
#else
	(void) skipped;
	OutputPluginUpdateProgress(ctx);
#endif
}

/* Write a number and return the end of it; 13 does not say how long it is. */
static inline char *
compat_put_int32(char *p, int32 value)
{
#if PG_VERSION_NUM >= 140000
	return p + pg_ltoa(value, p);
#else
	pg_ltoa(value, p);
	return p + strlen(p);
#endif
}

static inline char *
compat_put_int64(char *p, int64 value)
{
#if PG_VERSION_NUM >= 140000
	return p + pg_lltoa(value, p);
#else
	pg_lltoa(value, p);
	return p + strlen(p);
#endif
}

/* Up to where a walsender may read: what is flushed, on a standby replayed. */
static inline XLogRecPtr
compat_readable_lsn(void)
{
#if PG_VERSION_NUM >= 160000
	if (RecoveryInProgress())
		return GetXLogReplayRecPtr(NULL);
#endif
#if PG_VERSION_NUM >= 150000
	return GetFlushRecPtr(NULL);
#else
	return GetFlushRecPtr();
#endif
}

/* what CREATE TABLE AS makes: a table or a materialized view */
#if PG_VERSION_NUM >= 140000
#define COMPAT_CTAS_KIND(stmt) ((stmt)->objtype)
#else
#define COMPAT_CTAS_KIND(stmt) ((stmt)->relkind)
#endif

/* DETACH PARTITION, of which 14 has a form that is not one transaction */
#if PG_VERSION_NUM >= 140000
#define COMPAT_IS_DETACH_PARTITION(subtype) \
	((subtype) == AT_DetachPartition || (subtype) == AT_DetachPartitionFinalize)
#define COMPAT_IS_CONCURRENT_DETACH(cmd)             \
	((cmd)->subtype == AT_DetachPartitionFinalize || \
	 ((cmd)->subtype == AT_DetachPartition &&        \
	  ((const PartitionCmd *) (cmd)->def)->concurrent))
#else
#define COMPAT_IS_DETACH_PARTITION(subtype) ((subtype) == AT_DetachPartition)
#define COMPAT_IS_CONCURRENT_DETACH(cmd) (false)
#endif

/* The text of a string constant; NULL if it is none. */
static inline const char *
compat_const_string(const A_Const *constant)
{
#if PG_VERSION_NUM >= 150000
	return !constant->isnull && IsA(&constant->val, String)
			   ? strVal(&constant->val)
			   : NULL;
#else
	return IsA(&constant->val, String) ? strVal(&constant->val) : NULL;
#endif
}

/* A transactional message; nothing is flushed before the commit. */
static inline void
compat_log_message(const char *prefix, const char *content, size_t len)
{
#if PG_VERSION_NUM >= 170000
	LogLogicalMessage(prefix, content, len, true, false);
#else
	LogLogicalMessage(prefix, content, len, true);
#endif
}

#define COMPAT_SHA256_SIZE PG_SHA256_DIGEST_LENGTH

#if PG_VERSION_NUM < 140000
/* One round of the construction of RFC 2104: H((key ^ pad) || data). */
static inline void
compat_hmac_round(const uint8 *block, uint8 pad, const uint8 *data, size_t len,
				  uint8 *digest)
{
	uint8 padded[PG_SHA256_BLOCK_LENGTH];
	pg_sha256_ctx context;
	int i;

	for (i = 0; i < PG_SHA256_BLOCK_LENGTH; i++)
		padded[i] = block[i] ^ pad;
	pg_sha256_init(&context);
	pg_sha256_update(&context, padded, sizeof(padded));
	pg_sha256_update(&context, data, len);
	pg_sha256_final(&context, digest);
}
#endif

/* HMAC-SHA-256; the key must not be longer than a block (64 bytes). */
static inline void
compat_hmac_sha256(const uint8 *key, size_t key_len, const uint8 *data,
				   size_t len, uint8 *digest)
{
#if PG_VERSION_NUM >= 140000
	pg_hmac_ctx *context = pg_hmac_create(PG_SHA256);

	if (context == NULL || pg_hmac_init(context, key, key_len) < 0 ||
		pg_hmac_update(context, data, len) < 0 ||
		pg_hmac_final(context, digest, COMPAT_SHA256_SIZE) < 0)
	{
		pg_hmac_free(context);
		elog(ERROR, "could not compute an HMAC");
	}
	pg_hmac_free(context);
#else
	uint8 block[PG_SHA256_BLOCK_LENGTH] = { 0 };
	uint8 inner[COMPAT_SHA256_SIZE];

	memcpy(block, key, key_len);
	compat_hmac_round(block, 0x36, data, len, inner);
	compat_hmac_round(block, 0x5C, inner, sizeof(inner), digest);
#endif
}

#endif /* PORTAGE_COMPAT_H */
