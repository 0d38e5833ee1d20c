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
#include "replication/logical.h"
#include "replication/output_plugin.h"
#include "replication/reorderbuffer.h"
#include "utils/builtins.h"

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

#endif /* PORTAGE_COMPAT_H */
