/*
 * ddl_work.h
 *		Carrying DDL out on a PostgreSQL target, inside the transaction of the
 *		rows around it.
 *
 *		ddl_work.c			the frame: pipeline left and entered, refusals
 *		shape_change.c		a table is given another shape
 *		relation_check.c	the first row of a relation: is the table like it?
 *		ddl_replay.c		messages of the source's event triggers
 *		ddl_fast_default.c	values that older rows get with a new column
 *		ddl_defer.c			what must not act while the stream runs
 */
#ifndef PORTAGE_DDL_WORK_H
#define PORTAGE_DDL_WORK_H

#include "postgres/shape_map.h"
#include "postgres/target_pg.h"
#include "stream/ddl_event.h"
#include "stream/shape_diff.h"

/* One piece of such work. */
typedef struct DdlWork
{
	TargetPg *self;
	PgConn *conn;
	ShapeMap *shapes;
	const char *stream;
	const Txn *txn;
	const ChangeFilter *filter;
	Arena arena;
	const char *tag;	   /* for messages: "ALTER TABLE" */
	const char *statement; /* or what we know of it */
	bool as_it_is;		   /* the error is no refusal of a command */
	bool only_looked;	   /* nothing was changed */
	Error *err;
} DdlWork;

/*
 * Leave the pipeline, with every answer read; load what is known.  After
 * ddl_work_end the pipeline is as it was.  ok: the work went well; an error
 * that is not about a connection becomes P_DDL_STREAM.
 */
bool ddl_work_begin(DdlWork *work, TargetPg *self, const Txn *txn,
					const ChangeFilter *filter, Error *err) MUST_CHECK;
bool ddl_work_end(DdlWork *work, bool ok) MUST_CHECK;

/* Stop the stream here: P_DDL_STREAM with the choices.  Always false. */
bool ddl_work_refuse(DdlWork *work, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* May it be carried out at all?  Refuses with --ddl stop. */
bool ddl_work_allowed(DdlWork *work) MUST_CHECK;

/* Was the DDL of this transaction carried out by hand? */
bool ddl_work_is_done(const DdlWork *work);

/* What the copy of a table shows of this transaction. */
ChangeVerdict ddl_table_verdict(const DdlWork *work, uint32_t oid);

/* Run one statement. */
bool ddl_work_exec(DdlWork *work, const char *fmt, ...)
	__attribute__((format(printf, 2, 3))) MUST_CHECK;

/* Quoted, in the work's arena. */
const char *ddl_ident(DdlWork *work, const char *name);
const char *ddl_table(DdlWork *work, const char *schema, const char *name);
const char *ddl_literal(DdlWork *work, const char *text);

/* ---- shape_change.c */

/* The table as the target's catalog has it; columns only. */
bool shape_actual(DdlWork *work, uint32_t target_oid, Shape *actual) MUST_CHECK;

/* Carry out what the diff says, and prove that the table is as wanted. */
bool shape_change(DdlWork *work, ShapeEntry *entry, const Shape *want,
				  const ShapeDiff *diff) MUST_CHECK;

/* A table that is not there yet. */
bool shape_create(DdlWork *work, const Shape *want) MUST_CHECK;

/* P_DDL_STREAM unless the table has exactly the columns wanted. */
bool
shape_prove(DdlWork *work, uint32_t target_oid, const Shape *want) MUST_CHECK;

/* "type [COLLATE ...]" of a column; refuses a type that is not there. */
const char *shape_type_sql(DdlWork *work, const ShapeColumn *column);

/* ---- relation_check.c */

/*
 * Before a change of this relation: is the target's table as it was announced?
 * If not, it is made so.
 */
bool relation_check(TargetPg *self, const Txn *txn, const Relation *relation,
					const ChangeFilter *filter, Error *err) MUST_CHECK;

/* Before the commit: tell of tables that were created from their rows alone. */
void relation_tell_created(TargetPg *self);

/* ---- ddl_replay.c */
bool ddl_replay(TargetPg *self, const Txn *txn, const Message *message,
				const ChangeFilter *filter, Error *err) MUST_CHECK;

/* Before the commit: an event whose command has not ended is carried out. */
bool ddl_replay_finish(TargetPg *self, const Txn *txn,
					   const ChangeFilter *filter, Error *err) MUST_CHECK;

/* ---- ddl_fast_default.c */

/*
 * Do the rows that were there have in new columns what the source's have?  had:
 * the shape before the command, NULL for a new table.
 */
bool fast_defaults_match(DdlWork *work, const Shape *had, const Shape *now,
						 uint32_t target_oid) MUST_CHECK;

/* ---- ddl_defer.c */

/* Objects that were created for the time of a command. */
typedef struct Deferral
{
	const char *foreign_keys; /* OIDs in their catalog, "{1,2}" */
	const char *triggers;
	const char *rules;
	const char *were_valid;	  /* those foreign keys whose NOT VALID is ours */
	const char *view_numbers; /* of the entries that refresh views */
	const char *view_oids;
	bool waiting; /* they wait for the newest stamp, not for finish */
} Deferral;

/*
 * Create what is deferred on these tables of the source (an array, "{1,2}"), or on
 * all, so that a command finds it.
 */
bool defer_open(DdlWork *work, const char *table_oids, bool all,
				Deferral *deferral) MUST_CHECK;

/* Something that pg_portage finish is to do. */
bool
defer_add(DdlWork *work, const char *type, const char *schema, const char *name,
		  const char *table_oid, const char *sql) MUST_CHECK;

/* Take away again, and note, whatever must not act while the stream runs. */
bool defer_close(DdlWork *work, const Deferral *deferral) MUST_CHECK;

#endif /* PORTAGE_DDL_WORK_H */
