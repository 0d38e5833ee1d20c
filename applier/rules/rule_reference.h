/*
 * rule_reference.h
 *		References: tables that expressions may ask, beside the row.
 *
 * A file or a query is read by each engine by itself, and again when refresh has
 * passed.  A table of the source is followed: its rows are kept on the target
 * (kept.h, area "reference:NAME"), changed in the transaction that changes the
 * table, and read from there when the stream starts (stage_reference.c).  The copy
 * reads it from the source, under the snapshot of the rows that ask it.
 *
 * What can be followed is only a table whose rows the stream tells apart by the
 * reference's key: it is unique there, and the WAL carries it of old rows.
 */
#ifndef PORTAGE_RULE_REFERENCE_H
#define PORTAGE_RULE_REFERENCE_H

#include "rules/rule_set.h"

/* One that the rules of a set ask for. */
struct RuleReference
{
	const ConfigReference *config;
	ExprReference shape; /* as expressions know it */
	/* of a followed table */
	const RuleInput *input;
	const char *area; /* of its kept rows */
	uint32_t oid;	  /* of its chunk in the copy */
};

/*
 * Look at all that rules ask for: what is wrong is a finding with its place.
 * False only for what passes by itself.
 */
bool rule_references_prepare(RuleSet *set, const Schema *schema,
							 Findings *findings, Error *err) MUST_CHECK;

/* Create their tables, empty. */
bool
rule_references_create(const RuleSet *set, ExprDb *db, Error *err) MUST_CHECK;

/*
 * The name of a reference in the text that follows a table of another source than
 * the set's; or NULL.
 */
const ConfigReference *
rule_reference_foreign(const RuleSet *set, const char *text);

/* Take all rows out of it. */
bool rule_reference_clear(const RuleReference *reference, ExprDb *db,
						  Error *err) MUST_CHECK;

/* The whole path of its file. */
char *rule_reference_path(const RuleSet *set, const ConfigReference *reference,
						  Arena *arena);

/* "shop.yaml:12:5: reference zip: " before the message. */
bool rule_reference_wrap(const RuleSet *set, const ConfigReference *reference,
						 Error *err);

/* ---- what an engine has read of files and queries */

typedef struct ReferenceReads ReferenceReads;

/* Nothing is read yet; the set lives as long. */
ReferenceReads *reference_reads_new(const RuleSet *set);
void reference_reads_free(ReferenceReads *reads);

/* See rule_engine_read() and rule_engine_refresh(). */
bool
reference_reads_all(ReferenceReads *reads, ExprDb *db, Error *err) MUST_CHECK;
void reference_reads_due(ReferenceReads *reads, ExprDb *db);

#endif /* PORTAGE_RULE_REFERENCE_H */
