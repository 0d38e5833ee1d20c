/*
 * derived.h
 *		A derived table in the forms in which the rest of the applier knows tables.
 *
 * To whoever gets one it is a table of the source like any other.
 */
#ifndef PORTAGE_DERIVED_H
#define PORTAGE_DERIVED_H

#include "catalog.h"
#include "change.h"
#include "rules/rule_set.h"
#include "schema/sql_columns.h"
#include "shape.h"

/* As if an R record had announced it; relation is the source's. The caller's. */
const Relation *
derived_relation_new(const Derived *derived, const Relation *relation);

/* For the copy; table is the source's. Strings live as long as both. */
void derived_table(const Derived *derived, const Table *table, Arena *arena,
				   Table *out);

/* The same of its shape. */
void derived_shape(const Derived *derived, const Shape *shape, Arena *arena,
				   Shape *out);

/*
 * Keys, indexes, checks and defaults go with it where all their columns are there
 * as they are on the source, names aside; what does not is a note.  Foreign keys
 * still refer to the source's tables: rule_schema.h.
 */
void derived_schema_table(const Derived *derived, const SchemaTable *table,
						  Arena *arena, SchemaTable *out, Findings *notes);

/*
 * How a derived table calls the columns of the source's: those that are there as
 * they are, in the order of the table's.
 */
void derived_columns(const Derived *derived, const SchemaTable *table,
					 Arena *arena, SqlColumns *columns);

#endif /* PORTAGE_DERIVED_H */
