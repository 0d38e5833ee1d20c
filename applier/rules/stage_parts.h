/*
 * stage_parts.h
 *		What the files of the rule stage share; for rules/ only.
 *
 * rule_stage.c		frames: which events change, and what follows on them
 * stage_table.c	relations of the source and what is derived from them
 * stage_out.c		the frame that is being made, and its ledger
 * stage_kept.c		counters and quarantine
 * stage_ledger.c	keys of rows that rules leave out
 * stage_unsure.c	rows in quarantine that no rule changes
 * stage_reference.c	tables that are followed
 * stage_names.c	what tables are called while the stream goes on
 * stage_ddl*.c	commands: which pass, and which cannot
 */
#ifndef PORTAGE_STAGE_PARTS_H
#define PORTAGE_STAGE_PARTS_H

#include "rules/kept_map.h"
#include "rules/rule_move.h"
#include "rules/rule_stage.h"

/* One derived table of a relation. */
typedef struct StageDerived
{
	const Derived *derived;
	const Relation *relation; /* the derived one; we hold a reference */
	Relation *stamped; /* what a copy of it is known by: its OID counts only */
} StageDerived;

/* A table that rules follow, as a reference. */
typedef struct StageReference
{
	const RuleReference *reference;
	const Relation *stamped; /* what its copy is known by */
	bool tolerant; /* the target may keep rows of which nothing is known */
} StageReference;

/* A relation that a reference follows. */
typedef struct StageFollow
{
	StageReference *to;
	int *from; /* by the reference's column: the relation's */
} StageFollow;

/* A relation as it was announced, and what becomes of its rows here. */
typedef struct StageTable
{
	const Relation *relation; /* we hold a reference */
	StageDerived *derived;
	int count;
	StageFollow *follows;
	int follow_count;
	bool passes;  /* its rows pass as they are */
	bool ignored; /* it is none that is followed: an extension's */
	bool held;	  /* the frame that is being made holds the derived ones */
} StageTable;

/* What the stream has said of a table; of a partition it is the root's name. */
typedef struct StageName
{
	uint32_t oid;
	const char *schema;
	const char *name;
	const Relation
		*relation; /* announced last, or NULL; a StageTable holds it */
} StageName;

/* What becomes of a table of some name here. */
typedef struct StageFate
{
	bool unchanged; /* it comes as it is, */
	const ConfigRule
		*rule; /* and this rule makes something else of it; or NULL */
	const RuleReference *follows; /* this reference follows it; or NULL */
} StageFate;

/* The frame that is being made. */
typedef struct StageOut
{
	Frame *frame;
	Event *events; /* ours, grows; copied into the frame at its end */
	int event_count;
	int event_capacity;
	int relation_capacity;
	Ledger *ledger; /* of the open transaction; in the frame's arena */
	int ledger_capacity;
} StageOut;

struct RuleStage
{
	const RuleSet *set;
	RuleEngine *engine;
	Target *target;
	const ChangeFilter *filter;
	const Relation *kept;
	StageTable **tables; /* by serial number: open addressing */
	int table_capacity;	 /* a power of two, or 0 */
	int table_count;
	StageTable *last;
	StageTable **held; /* by the frame that is being made */
	int held_count;
	int held_capacity;
	int ledger_room; /* entries that a ledger may come to */
	Txn txn;		 /* the open transaction */
	bool in_txn;
	KeptMap quarantined; /* areas of quarantined.h */
	KeptMap counters;
	StageReference *references; /* those that are followed */
	int reference_count;
	const DdlKey *ddl_key; /* or NULL */
	StageName *names;
	int name_count;
	int name_capacity;
	Arena names_arena;
	StageOut out;

	const PutAsides *asides; /* or NULL */
	const char *retry_rule;	 /* rule_stage_retry(), or NULL */
	const char *retry_area;
	const char *retry_key;

	/* of the row that is being evaluated */
	const Derived *deriving;
};

/* ---- stage_table.c */

/* NULL and P_RULE if it cannot be derived. */
StageTable *stage_table(RuleStage *stage, const Relation *relation, Error *err);
void stage_tables_release(RuleStage *stage);

/* ---- stage_out.c */

void stage_out_begin(RuleStage *stage, Frame *source);
void stage_out_event(RuleStage *stage, const Event *event);
void stage_out_change(RuleStage *stage, const Change *change);
/* The frame holds the derived relations of the table from now on. */
void stage_out_hold(RuleStage *stage, StageTable *table);
void stage_out_relation(RuleStage *stage, const Relation *relation);
LedgerEntry *stage_out_ledger(RuleStage *stage, const Derived *derived,
							  const Relation *relation);
/* What was counted so far becomes an event, if there is anything. */
void stage_out_tally(RuleStage *stage);
Frame *stage_out_end(RuleStage *stage);
void stage_out_discard(RuleStage *stage);

/* ---- stage_kept.c */

/* Read what is kept on the target. */
bool stage_kept_load(RuleStage *stage, Error *err);

/* A change of a kept row; strings are copied into the frame. */
void stage_put_kept(RuleStage *stage, ChangeKind kind, const char *area,
					Slice key, Slice body);

/* The same with everything as it is to be kept. */
void stage_put_kept_row(RuleStage *stage, ChangeKind kind, const KeptRow *row);
/*
 * Rows with this area, and this key if it is among the columns of match, have an
 * empty body from now on.  match lives as long as the program, strings as the frame.
 */
void stage_empty_kept(RuleStage *stage, const int *match, int match_count,
					  const char *area, const char *key);

/* ExprContext.counter; the argument is the stage. */
bool stage_counter(void *stage, int expression, Slice key, int64_t *next,
				   Error *err);

/* May the row be here, or in quarantine, nobody knows? */
bool stage_is_quarantined(RuleStage *stage, const StageDerived *derived,
						  const Change *change);
/* The row has come to its place: it is not in quarantine any more. */
void stage_release(RuleStage *stage, const StageDerived *derived,
				   const Change *change);
/* Put the row aside, with why. */
void stage_quarantine(RuleStage *stage, const StageDerived *derived,
					  const Change *change, const Error *why);
/* All rows of the relation have gone: none of them is to be tried again. */
void stage_quarantine_truncate(RuleStage *stage, const StageDerived *item,
							   const Relation *relation);

/* ---- stage_ledger.c: nothing, where the rule keeps no keys */

/* What has become of the row. */
void stage_ledger_keys(RuleStage *stage, const StageDerived *item,
					   const Change *change, const RuleMoves *moves);
/* It is put aside, which is kept elsewhere. */
void stage_ledger_quarantined(RuleStage *stage, const StageDerived *item,
							  const Change *change);
/* All rows of the relation have gone. */
void stage_ledger_truncate(RuleStage *stage, const StageDerived *item,
						   const Relation *relation);

/* ---- stage_unsure.c */

/* What a change of a table that no rule changes comes to, there or not. */
bool stage_move_unsure(const Change *change, Arena *arena, RuleMoves *moves,
					   Error *err);
/*
 * What of an UPDATE of the key is not shown, where the rows of both keys were copied
 * under different snapshots: the later one may have put its row aside.
 */
const Change *stage_not_shown(RuleStage *stage, const Change *change);

/* ---- stage_reference.c */

/* Read what references have: files, queries, kept rows. */
bool stage_references_load(RuleStage *stage, Error *err);
void stage_references_release(RuleStage *stage);

/* Which references follow a table that is new to the stage. */
bool stage_follow_table(RuleStage *stage, StageTable *table,
						const RuleInput *input, Error *err);
void stage_unfollow_table(StageTable *table);

/* Before the rules of its row: apply a change to what follows its table. */
bool stage_follow(RuleStage *stage, const StageTable *table,
				  const Change *change, Error *err);
bool stage_follow_truncate(RuleStage *stage, const StageTable *table,
						   const Change *change, Error *err);

/* Does it follow a table of this name? */
bool reference_follows(const RuleReference *reference, const char *schema,
					   const char *name);

/* ---- stage_names.c */

StageFate
stage_fate(const RuleStage *stage, const char *schema, const char *name);

/* Is a table of the one name the same to all rules as one of the other? */
bool
stage_same_rules(const RuleStage *stage, const char *schema, const char *name,
				 const char *other_schema, const char *other_name);

/* Does the copy of the table show the open transaction already? */
bool stage_is_copied(const RuleStage *stage, uint32_t oid);

/* As the stream has said, or NULL. */
StageName *stage_name(const RuleStage *stage, uint32_t oid);
void stage_name_put(RuleStage *stage, uint32_t oid, const char *schema,
					const char *name);

/*
 * A relation is new.  P_RULE if it has got a name under which other rules see it,
 * P_DDL_STREAM if a rule changes it and its rows were written anew.
 */
bool stage_name_relation(RuleStage *stage, const Relation *relation,
						 const RuleInput *input, Error *err);
/* It is held by a StageTable now. */
void stage_name_hold(RuleStage *stage, const Relation *relation);

/* ---- stage_ddl.c */

/* A message with DDL's prefix: does it pass?  P_DDL_STREAM, P_PROTOCOL. */
bool
stage_ddl(RuleStage *stage, const Message *message, bool *passes, Error *err);

#endif /* PORTAGE_STAGE_PARTS_H */
