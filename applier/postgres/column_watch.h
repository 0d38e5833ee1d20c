/*
 * column_watch.h
 *		Were the target's tables altered while rows are written to them?
 *
 * A column that loses precision on the target changes values without an error.
 * relation_check.c looks at a table before its first row; this makes the look
 * hold for every later row: each target transaction fails at its end if the
 * columns of a table that it wrote to are not those that were looked at.  The
 * locks of its own rows keep everybody from altering the table between the
 * check and the commit.
 */
#ifndef PORTAGE_COLUMN_WATCH_H
#define PORTAGE_COLUMN_WATCH_H

#include "postgres/ddl_work.h"

/*
 * Note what the table's columns are now.  To be called before they are looked
 * at, so that what is altered in between is noticed.
 */
bool column_watch_mark(DdlWork *work, ShapeEntry *entry) MUST_CHECK;

/* A target transaction begins: nothing was written yet. */
void column_watch_begin(ColumnWatch *watch);

/*
 * The transaction itself has carried DDL out: what it has written to before is
 * not compared any more, and every table is looked at before its next row.
 */
void column_watch_forget(const ShapeMap *shapes);

/* Rows of this table are part of the transaction. */
void column_watch_touch(ColumnWatch *watch, ShapeEntry *entry);

/* The tables of a transaction and their marks, for the check. */
typedef struct ColumnMarks
{
	Buffer oids;
	Buffer marks;
	int count;
} ColumnMarks;

void column_marks_init(ColumnMarks *marks);
void column_marks_release(ColumnMarks *marks);
void
column_marks_add(ColumnMarks *marks, uint32_t target_oid, const char *mark);

/* Send the check of these as STEP_COLUMNS; nothing if there are none. */
bool column_marks_send(ColumnMarks *marks, Pipeline *pipeline,
					   Error *err) MUST_CHECK;

/*
 * Before the commit: send the check, as STEP_COLUMNS.  It raises an error on
 * the server, so that the COMMIT may be on its way already.
 */
bool column_watch_send(ColumnWatch *watch, const ShapeMap *shapes,
					   Pipeline *pipeline, Error *err) MUST_CHECK;

/* Explain the failure of STEP_COLUMNS: always false, and passes on a restart. */
bool column_watch_failed(Error *err);

void column_watch_release(ColumnWatch *watch);

#endif /* PORTAGE_COLUMN_WATCH_H */
