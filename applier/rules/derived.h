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
 * Keys, indexes, checks and foreign keys that still make sense go with it; what
 * does not is a note.
 */
void derived_schema_table(const Derived *derived, const Schema *schema,
						  const SchemaTable *table, Arena *arena,
						  SchemaTable *out, Findings *notes);

#endif /* PORTAGE_DERIVED_H */
