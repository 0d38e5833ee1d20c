/*
 * rule_set.h
 *		The rules of a configuration for one source and one target, and what they
 *		make of a table.
 *
 * A rule makes of a table of the source one table of the target: the derived
 * table.  To everything behind the rules (planner, targets, schema, copy) it is a
 * table of the source like any other: it has a Relation, a SchemaTable, a Table and
 * a Shape of its own (derived.h).  A table that no rule changes is itself.
 *
 * Which rules handle a table is said in rule_match.h.  A RuleSet does not change
 * once it is prepared and may be shared by threads; each of them has a RuleEngine
 * of its own, which compiles what it meets and keeps it.
 *
 * One set serves copy, stream, check, plan and verification, so that they cannot
 * disagree about a row.
 */
#ifndef PORTAGE_RULE_SET_H
#define PORTAGE_RULE_SET_H

#include "base/arena.h"
#include "base/error.h"
#include "config/config.h"
#include "expr/expr.h"
#include "finding.h"
#include "rules/rule_input.h"
#include "schema/schema.h"

typedef struct RuleSet RuleSet;
typedef struct RuleEngine RuleEngine;
typedef struct RuleReference RuleReference;

/* A column of a derived table: one of the source's, or an expression. */
typedef struct DerivedColumn
{
	RuleColumn as;	  /* name, number, type, KEY and NOT NULL as derived */
	int from;		  /* index of the source's column it is; or -1 */
	int expression;	  /* index in compute's program; or -1 */
	const char *expr; /* as written, or NULL */
	const SchemaType *type; /* as written and resolved, or NULL */
	bool volatile_value;	/* copy, stream and verification may differ */
} DerivedColumn;

/* A rule applied to a table, for this target. */
typedef struct Derived
{
	const RuleSet *set;
	const ConfigRule *rule; /* NULL: no rule is needed */
	const char *rule_name;
	const RuleInput *input;
	uint32_t oid; /* the source's, or one of our own: rule_derive.c */
	bool own_oid;
	const char *schema;
	const char *name;
	DerivedColumn *columns;
	int column_count;
	int key_count;
	bool unchanged; /* the row passes as it is, under its own name */
	bool plain;		/* no expression: names and order, at most */

	/*
	 * Programs; NULL where there is nothing to ask.  decide: where, then route, as
	 * far as they are given; compute: the columns that are expressions.
	 */
	ExprProgram *decide;
	ExprProgram *compute;
	int compute_count;
	bool has_where;
	bool has_route;

	/* The identity's columns alone say whether a row belongs here. */
	bool decided_by_key;
	/* Old rows are whole: what UPDATE and DELETE do is known exactly. */
	bool old_known;
	/* Puts and maybe-deletes: counts of rows prove less. */
	bool tolerant;
	/* Others write to this table, too. */
	bool shared;
	/* Rows of the copy may find their key taken, and the rule says who wins. */
	bool conflicts;
	unsigned operations; /* RULE_* */
	const int *match;	 /* columns of the derived table, or NULL */
	int match_count;
	int latest; /* of latest_wins: column of the derived table; or -1 */
} Derived;

typedef struct RuleSetConfig
{
	const Config *config; /* NULL: no file; every table is itself */
	const char *source;	  /* names in the configuration */
	const char *target;
	const char *stream;
	bool begun; /* the tables of rules were there: they may be gone by now */
} RuleSetConfig;

/* Resolves names of types on the source: SourceOps.type_resolve. */
typedef bool (*TypeResolver)(void *arg, const char *type, Arena *arena,
							 SchemaType *resolved, Error *err);

/* The configuration lives as long as the set. */
RuleSet *rule_set_new(const RuleSetConfig *config);
void rule_set_free(RuleSet *set);

const RuleSetConfig *rule_set_config(const RuleSet *set);

/* Does it change nothing, whatever table comes? */
bool rule_set_is_identity(const RuleSet *set);

/*
 * Hash of all that the configuration says of rules and references: what was begun
 * with other rules is not gone on with.  32 hexadecimal digits.
 */
void rule_set_digest(const RuleSet *set, char digest[33]);

/*
 * Before anything else: look at the whole schema.  Types are resolved, every rule
 * is compiled for every table it handles, what is wrong is a finding with file and
 * line, tables that no rule handles are notes.  False only where nothing more can
 * be looked at.
 */
bool rule_set_prepare(RuleSet *set, const Schema *schema, TypeResolver resolver,
					  void *arg, Findings *findings, Error *err) MUST_CHECK;

/*
 * Does a sequence of the source number what comes here?  Not, if the column that
 * it numbers does not come, or no more takes its default from it.
 */
bool
rule_set_has_sequence(const RuleSet *set, const char *schema, const char *name);

/* ---- one thread's part */

/*
 * With a database of its own, in which references are empty; the set lives as
 * long.  NULL with the error.
 */
RuleEngine *rule_engine_new(const RuleSet *set, Error *err);
void rule_engine_free(RuleEngine *engine);

const RuleSet *rule_engine_set(const RuleEngine *engine);
ExprDb *rule_engine_db(RuleEngine *engine);

/*
 * Read the files and queries that rules ask, before rows are looked at.
 * P_REFERENCE, or what passes by itself.
 */
bool rule_engine_read(RuleEngine *engine, Error *err) MUST_CHECK;

/*
 * Between transactions, or chunks: read again what is to be refreshed.  A failure
 * is told once, and what was read before stays until it goes well.
 */
void rule_engine_refresh(RuleEngine *engine);

/*
 * What becomes of a table on this target: count derived tables, none if it does
 * not come here.  Kept as long as the engine.  P_RULE.
 */
bool rule_engine_derive(RuleEngine *engine, const RuleInput *input,
						const Derived *const **derived, int *count,
						Error *err) MUST_CHECK;

#endif /* PORTAGE_RULE_SET_H */
