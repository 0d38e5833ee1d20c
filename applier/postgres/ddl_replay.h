/*
 * ddl_replay.h
 *		The parts of carrying out one event of the source's triggers.
 *
 *		ddl_replay.c	messages in their order
 *		ddl_relevance.c	is the event about what is migrated?
 *		ddl_command.c	the command itself, in the session that it ran in
 *		ddl_describe.c	without its text: from what it has made and dropped
 */
#ifndef PORTAGE_DDL_REPLAY_H
#define PORTAGE_DDL_REPLAY_H

#include "postgres/ddl_work.h"

/* ---- ddl_relevance.c; after false, ask whether work->err is set */

/* Is the table one of those that --tables and --exclude-tables select? */
bool table_is_selected(const DdlWork *work, const Shape *shape);

bool event_is_relevant(DdlWork *work, const DdlEvent *event);

/* all (or NULL): there is nothing in it that is not migrated. */
bool drop_is_relevant(DdlWork *work, const DdlEvent *event, bool *all);
bool dropped_is_relevant(DdlWork *work, const DdlObject *object);

/*
 * The table on the source that a dropped "x on schema.table" was on, or 0.
 */
uint32_t table_of_identity(DdlWork *work, const char *identity);

/* "{1,2}": the source's tables that a command is about. */
const char *
event_tables(DdlWork *work, const DdlEvent *event, const DdlEvent *drop);

/* ---- ddl_command.c */

/* Run the command; event may be a drop of its own. */
bool event_command(DdlWork *work, const DdlEvent *event,
				   const DdlEvent *drop) MUST_CHECK;

/* The tables are as the event says: know them so. */
bool event_accept(DdlWork *work, const DdlEvent *event) MUST_CHECK;

/* Materialized views that are gone need not be filled. */
bool views_forget(DdlWork *work, const DdlEvent *drop) MUST_CHECK;

/* ---- ddl_describe.c */

/* CREATE TABLE AS: its rows come before it, or may have. */
bool event_creates_filled(const DdlWork *work, const DdlEvent *event);
bool event_fill(DdlWork *work, const DdlEvent *event) MUST_CHECK;

/* Columns and names alone, by comparison; current: the rows are right. */
bool event_describe(DdlWork *work, const DdlEvent *event, const DdlEvent *drop,
					bool current) MUST_CHECK;

bool drop_describe(DdlWork *work, const DdlEvent *event) MUST_CHECK;

/* It was done by hand: forget the tables that are gone. */
bool drop_accept(DdlWork *work, const DdlEvent *event) MUST_CHECK;

#endif /* PORTAGE_DDL_REPLAY_H */
