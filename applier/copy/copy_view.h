/*
 * copy_view.h
 *		The source as one target is to see it: tables, shapes and schema behind the
 *		rules, all of one snapshot.
 *
 * Without rules, or with rules that change nothing, it is the source as it is, and
 * nothing is read for it.
 */
#ifndef PORTAGE_COPY_VIEW_H
#define PORTAGE_COPY_VIEW_H

#include "rules/rule_schema.h"
#include "schema/translation.h"
#include "source/source.h"
#include "target/target.h"

typedef struct CopyView
{
	Source *source;
	const RuleSet *rules; /* NULL: none */
	SnapshotRef snapshot; /* id NULL: each list is of a snapshot of its own */
	RuleEngine *engine;	  /* NULL: nothing changes */
	Arena arena;
	Schema schema; /* of the source; with an engine */
	RuleSchema made;
	Findings notes; /* what does not go along */
	Table
		*followed; /* by rules, as references; each with what it is read from */
	int followed_count;
} CopyView;

/* rules, which are prepared, and source live as long as the view. */
bool copy_view_open(CopyView *view, Source *source, const RuleSet *rules,
					const SnapshotRef *snapshot, Error *err) MUST_CHECK;
void copy_view_close(CopyView *view);

/*
 * As those of the source, SourceOps.  Strings live as long as both the view and
 * the arena.  Of a derived table Table.source is what its rows are read from.
 */
bool copy_view_tables(CopyView *view, Arena *arena, Table **tables, int *count,
					  Error *err) MUST_CHECK;
/* Put those that are followed before them. */
void copy_view_add_followed(const CopyView *view, Arena *arena, Table **tables,
							int *count);
/* Add those whose rows change others, by match. */
bool copy_view_add_matches(CopyView *view, Arena *arena, Table **tables,
						   int *count, Error *err) MUST_CHECK;
bool copy_view_shapes(CopyView *view, Arena *arena, Shape **shapes, int *count,
					  Error *err) MUST_CHECK;

/*
 * The schema of a target of the source's kind as entries.  An error among left_out
 * is one.
 */
bool copy_view_entries(CopyView *view, Arena *arena, DdlEntry **entries,
					   int *count, Findings *left_out, Error *err) MUST_CHECK;

/* The same as values, for a target of another kind. */
bool copy_view_schema(CopyView *view, Arena *arena, Schema *schema,
					  Findings *notes, Error *err) MUST_CHECK;

/*
 * What a table's rows go through, with an engine of the caller's thread: the rule
 * of a table that copy_view_tables() has given.
 */
bool
copy_view_derive(const CopyView *view, RuleEngine *engine, const Table *table,
				 const Derived **derived, Error *err) MUST_CHECK;

#endif /* PORTAGE_COPY_VIEW_H */
