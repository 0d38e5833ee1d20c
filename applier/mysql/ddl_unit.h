/*
 * ddl_unit.h
 *		The DDL of one source transaction around its rows.
 *
 * What its first piece says is planned and carried out before the first row.  A
 * later piece may bring no more of it: rows that came before are written, and the
 * server would commit them.  A transaction that is begun again after its DDL has
 * begun finds the plan, and adds nothing to it.
 */
#ifndef PORTAGE_DDL_UNIT_H
#define PORTAGE_DDL_UNIT_H

#include "mysql/ddl_intent.h"

typedef struct DdlUnit
{
	TargetMysql *self;
	DdlGather gather;
	DdlPlan plan;
	int noted;		/* of its notes, so many are stored */
	bool found;		/* the plan is from an earlier try */
	MapTable *held; /* what the plan was made on, and points into */
} DdlUnit;

bool ddl_unit_init(DdlUnit *unit, TargetMysql *self, Error *err) MUST_CHECK;
void ddl_unit_release(DdlUnit *unit);

/*
 * What was begun and not ended, by whoever: to its end, as far as it belongs
 * before the rows that come next.  Nothing may be written to tables before.
 */
bool ddl_unit_settle(TargetMysql *self, const Progress *progress,
					 Error *err) MUST_CHECK;

/* Before the piece's rows; before BEGIN if it is the first. */
bool
ddl_unit_before(DdlUnit *unit, const Batch *batch, const ChangeFilter *filter,
				const Progress *progress, Error *err) MUST_CHECK;

/* Inside the transaction: note what needs no statement.  *renewed: maps are. */
bool ddl_unit_note(DdlUnit *unit, bool *renewed, Error *err) MUST_CHECK;

/* Behind COMMIT. */
bool
ddl_unit_after(DdlUnit *unit, const Progress *progress, Error *err) MUST_CHECK;

/* Is the table gone by the end of the transaction? */
bool ddl_unit_drops(const DdlUnit *unit, uint32_t oid);

/* The table as it is now, with what older rows have in its columns. */
const Shape *ddl_unit_shape(const DdlUnit *unit, const MapEntry *entry);

#endif /* PORTAGE_DDL_UNIT_H */
