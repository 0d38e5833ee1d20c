/*
 * rule_set.h
 *		The rules of a configuration, compiled for one source and one target.
 *
 * A rule makes of a table of the source one table of the target: the derived
 * table.  To everything behind the rules (planner, targets, schema, copy) it is a
 * table of the source like any other: it has a Relation, a SchemaTable, a Table and
 * a Shape of its own.  A table that no rule changes is itself.
 *
 * Which rules handle a table: all that name it exactly; else the first pattern
 * that matches; rules with match besides.  None: it is not migrated.
 *
 * One compiled rule set serves copy, stream, check, plan and verification, so that
 * they cannot disagree about a row.
 */
#ifndef PORTAGE_RULE_SET_H
#define PORTAGE_RULE_SET_H

#include "base/arena.h"
#include "base/error.h"
#include "catalog.h"
#include "change.h"
#include "config/config.h"
#include "expr/expr.h"
#include "finding.h"
#include "schema/schema.h"
#include "shape.h"

typedef struct RuleSet RuleSet;

/* A table of the source as a rule sees it, from whatever is known of it. */
typedef struct RuleColumn
{
	const char *name;
	uint16_t num; /* attnum */
	uint32_t type_oid;
	uint32_t base_type_oid;
	const char *type_schema;
	const char *type_name;
	const char *base_schema;
	const char *base_name;
	int32_t typmod; /* as in Column */
	uint8_t category;
	uint8_t flags; /* WIRE_COLUMN_* */
} RuleColumn;

typedef struct RuleInput
{
	uint32_t oid;
	const char *schema; /* of a partition: its root's, by which rules find it */
	const char *name;
	char identity; /* 'd' 'n' 'f' 'i' */
	RuleColumn *columns;
	int column_count;
} RuleInput;

/* A column of a derived table: one of the source's, or an expression. */
typedef struct DerivedColumn
{
	RuleColumn as;	  /* name, number, type, KEY and NOT NULL as derived */
	int from;		  /* index of the source's column it is; or -1 */
	int expression;	  /* index among the program's expressions; or -1 */
	const char *expr; /* as written, or NULL */
	const char *type; /* as written, or NULL */
} DerivedColumn;

/* A rule applied to a table, for this target. */
typedef struct Derived
{
	const ConfigRule *rule;
	const RuleInput *input;
	uint32_t oid; /* the source's, or one of our own: see rule_set.c */
	const char *schema;
	const char *name;
	DerivedColumn *columns;
	int column_count;
	bool identity;	/* nothing is changed but, at most, for names and order */
	bool unchanged; /* nothing at all: the row passes as it is */

	/*
	 * Programs; NULL where there is nothing to ask.  decide: where, then route,
	 * as far as they are given.  compute: the columns that are expressions.
	 */
	ExprProgram *decide;
	ExprProgram *compute;
	bool has_where;
	bool has_route;

	/*
	 * Can it be told from the key alone whether a row belongs here?  Then, or
	 * with the whole old row, UPDATE and DELETE are exact; else they are put and
	 * maybe-delete.
	 */
	bool decided_by_key;
	bool key_from_key;	 /* derived key needs the identity's columns only */
	bool tolerant;		 /* counts prove less: puts and maybe-deletes */
	bool shared;		 /* other sources or rules write to this table, too */
	unsigned operations; /* RULE_* */
} Derived;

typedef struct RuleSetConfig
{
	const Config *config; /* NULL: no file; every table is itself */
	const char *source;	  /* names in the configuration */
	const char *target;
	const char *stream;
	const char *tables; /* --tables and --exclude-tables hold besides */
	const char *exclude_tables;
} RuleSetConfig;

/* Resolves names of types on the source; SourceOps.type_resolve. */
typedef bool (*TypeResolver)(void *arg, const char *type, Arena *arena,
							 SchemaType *resolved, Error *err);

RuleSet *rule_set_new(const RuleSetConfig *config, Error *err);
void rule_set_free(RuleSet *set);

/* Does it change nothing, whatever table comes? */
bool rule_set_is_identity(const RuleSet *set);

/* Hash of all that the configuration says of rules and references: what was
 * begun with other rules is not gone on with. 32 hexadecimal digits. */
void rule_set_digest(const RuleSet *set, char digest[33]);

/*
 * Look at the whole schema before anything begins: every rule is compiled for
 * every table, what is wrong is a finding with file and line, and types are
 * resolved.  Tables that no rule handles are notes.
 */
bool rule_set_prepare(RuleSet *set, const Schema *schema, TypeResolver resolver,
					  void *arg, Findings *findings, Error *err) MUST_CHECK;

/*
 * What becomes of a table here: count derived tables, none if it does not come
 * to this target.  Kept by the set until the same oid comes with other columns.
 */
bool rule_set_derive(RuleSet *set, const RuleInput *input,
					 const Derived *const **derived, int *count,
					 Error *err) MUST_CHECK;

/* RuleInput from what there is; deep copies in the arena. */
void rule_input_of_relation(const Relation *relation, Arena *arena,
							RuleInput *input);
void rule_input_of_schema(const Schema *schema, const SchemaTable *table,
						  Arena *arena, RuleInput *input);

/* The derived table in the forms that the rest of the applier knows. */
const Relation *
derived_relation_new(const Derived *derived, const Relation *relation);
void derived_table(const Derived *derived, const Table *table, Arena *arena,
				   Table *out);
void derived_shape(const Derived *derived, const Shape *shape, Arena *arena,
				   Shape *out);
/* Keys, indexes, checks and foreign keys that still make sense go with it; what
 * does not is a note. */
void derived_schema_table(const Derived *derived, const Schema *schema,
						  const SchemaTable *table, Arena *arena,
						  SchemaTable *out, Findings *notes);

#endif /* PORTAGE_RULE_SET_H */
