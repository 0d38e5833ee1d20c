/*
 * ddl_plan.h
 *		What has to be done on the target for the DDL of one source transaction.
 *
 *		ddl_gather.c	what the transaction says
 *		ddl_plan.c		in which order what of it is done
 *		ddl_world.c		the tables as they will be, and the steps to there
 *		ddl_alter*.c	a table gets another shape
 *		ddl_create.c	a table, or a partition, that is new
 *		ddl_column.c	columns, in the words of the target
 *		ddl_enum.c		labels of enums
 *		ddl_other.c		indexes; what is not carried
 *		ddl_actual.c	what the target's catalog has
 *		ddl_rule.c		foreign keys and CHECKs that are in the way
 *		ddl_intent.c	the plan on the target: noted, carried out, done
 *		ddl_unit.c		all of it around the rows of a transaction
 *
 * What makes room (columns, tables, less NOT NULL, fewer keys) is done before
 * the rows; what demands something of rows (NOT NULL, indexes) behind them, since
 * only then they are as the source demanded it of them.  Steps are made one
 * behind the other on a world, which is what the tables will be like by then.
 */
#ifndef PORTAGE_DDL_PLAN_H
#define PORTAGE_DDL_PLAN_H

#include "mysql/ddl_gather.h"

typedef enum DdlStepState
{
	DDL_STEP_BEFORE, /* to be done before the rows */
	DDL_STEP_AFTER,	 /* and behind them */
	DDL_STEP_DONE
} DdlStepState;

/* What holds of a table from some step on. */
typedef struct DdlNoted
{
	uint32_t oid;
	const Shape *shape; /* NULL: it is gone */
	const TableMap *map;
} DdlNoted;

typedef struct DdlStep
{
	DdlStepState state;
	const char *sql;
	/*
	 * A query whose one value is 0 if it is to be done, 1 if it has been, and
	 * anything else if the target was changed by somebody.  "": it may be done
	 * again.
	 */
	const char *probe;
	DdlNoted *noted; /* at least one */
	int noted_count;
} DdlStep;

typedef struct DdlPlan
{
	Arena arena;
	Lsn commit_lsn;
	DdlStep *steps; /* in order */
	int count;
	int capacity;
	DdlNoted *notes; /* what needs no statement */
	int note_count;
	int note_capacity;
} DdlPlan;

void ddl_plan_init(DdlPlan *plan);
void ddl_plan_release(DdlPlan *plan);

/* The newest that the plan says of a table; NULL: nothing. */
const DdlNoted *ddl_plan_noted(const DdlPlan *plan, uint32_t oid);

/* ---- the world */

/* A table as it will be. */
typedef struct WorldTable
{
	Shape shape;
	TableMap map;
	const TableMap *origin; /* as the catalog shows it now; NULL: not yet */
	bool gone;
} WorldTable;

/* NOT NULL of a column, once the rows are as the source demanded it. */
typedef struct TightColumn
{
	WorldTable *table;
	uint16_t num;
} TightColumn;

typedef struct DdlWorld
{
	WorldTable **tables;
	int count;
	int capacity;
} DdlWorld;

/* Everything that planning needs at hand. */
typedef struct DdlPlanning
{
	TargetMysql *self;
	const DdlGather *gather;
	const Txn *txn;
	DdlPlan *plan;
	Arena *arena; /* the plan's */
	DdlWorld world;
	TightColumn *tight;
	int tight_count;
	int tight_capacity;
	TranslateTarget target;
	bool by_hand; /* --ddl-done: note it, and look whether it is there */
	const DdlTable *about;
	Error *err;
} DdlPlanning;

/* From what is gathered; P_DDL_STREAM for what cannot be carried. */
bool ddl_plan_make(TargetMysql *self, const DdlGather *gather, const Txn *txn,
				   DdlPlan *plan, Error *err) MUST_CHECK;

/* As everything is noted. */
void world_init(DdlPlanning *work);

/* NULL if there is none; and if it is gone. */
WorldTable *world_any(const DdlPlanning *work, uint32_t oid);
WorldTable *world_find(const DdlPlanning *work, uint32_t oid);
WorldTable *
world_add(DdlPlanning *work, const Shape *shape, const TableMap *map);

/* Do both have their rows in the same table of the target? */
bool world_same_place(const WorldTable *a, const WorldTable *b);

/* Stop the stream: about the table that is being looked at.  Always false. */
bool planning_refuse(const DdlPlanning *work, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Is the table one of those that --tables and --exclude-tables select? */
bool planning_selects(const DdlPlanning *work, const Shape *shape);

/* A step that is about these tables as they are in the world now. */
void planning_step(DdlPlanning *work, DdlStepState state, const char *sql,
				   const char *probe, WorldTable *const *tables, int count);

/* One more, without anything in it. */
DdlStep *plan_add_step(DdlPlan *plan);

/* Only what is known of it changes. */
void planning_note(DdlPlanning *work, const WorldTable *table);

/* Every table that shares the place, itself included; in the plan's arena. */
WorldTable **
world_sharers(const DdlPlanning *work, const WorldTable *table, int *count);

/* ---- ddl_alter.c */
bool ddl_alter(DdlPlanning *work, WorldTable *table,
			   const DdlTable *announced) MUST_CHECK;

/* NOT NULL of all that are to have it. */
bool ddl_tighten(DdlPlanning *work) MUST_CHECK;
void ddl_tight_later(DdlPlanning *work, WorldTable *table, uint16_t num);

/* Rename the table to what the shape is called; the world follows. */
bool
ddl_move(DdlPlanning *work, WorldTable *table, const Shape *want) MUST_CHECK;

/* ---- ddl_create.c */
bool ddl_create(DdlPlanning *work, const DdlTable *announced) MUST_CHECK;

/* Nothing that is to be created later speaks of it: P_DDL_STREAM. */
bool
ddl_nothing_waits(const DdlPlanning *work, const WorldTable *table) MUST_CHECK;

/* Names of the target for a table of the source. */
bool ddl_place(DdlPlanning *work, const Shape *shape, TableMap *map) MUST_CHECK;

/* ---- ddl_column.c */

/* The shape in the words of a schema: all that the stream says of it. */
SchemaTable *ddl_schema_table(const DdlPlanning *work, const Shape *shape);

/* A column by itself: how its values get there, and as in CREATE TABLE. */
typedef struct DdlColumn
{
	ColumnMap map;
	const char *type;		/* with its character set */
	const char *check;		/* " CHECK (...)", or "" */
	const char *definition; /* all of it, with NOT NULL, DEFAULT ... */
	bool blob;				/* literal defaults stand in parentheses */
} DdlColumn;

/* not_null: as the target's column is to be for now. */
void ddl_column(const DdlPlanning *work, const Shape *shape,
				const ShapeColumn *column, bool not_null, DdlColumn *out);

/*
 * Does every value stay what it is when its column gets the other type, on the
 * source and, as its map says, on the target?
 */
bool ddl_type_widens(const ShapeColumn *from, const ColumnMap *map,
					 const ShapeColumn *to);

/* The literal of a value of the source, in the target's words. */
bool ddl_value(DdlPlanning *work, const ColumnMap *map, const char *text,
			   const char **literal) MUST_CHECK;

/* ---- ddl_enum.c */
bool ddl_enum(DdlPlanning *work, const DdlOther *other) MUST_CHECK;

/* ---- ddl_other.c */
bool ddl_drop_others(DdlPlanning *work) MUST_CHECK;
bool ddl_add_others(DdlPlanning *work) MUST_CHECK;

/* ---- ddl_actual.c: what the target's catalog has now */

typedef struct ActualColumn
{
	const char *name;
	const char *type;
	bool nullable;
	const char *tail;		/* " DEFAULT ... AUTO_INCREMENT COMMENT ..." */
	const char *expression; /* of a generated one, or "" */
} ActualColumn;

typedef struct ActualIndex
{
	const char *name;
	const char **columns;
	int column_count;
} ActualIndex;

/* A foreign key or a CHECK. */
typedef struct ActualRule
{
	const char *name;
	bool foreign_key;
	const char *text; /* of the CHECK; "`a``b`", the columns of a key */
	bool again;		  /* it is dropped, to be added again with this text */
} ActualRule;

typedef struct ActualTable
{
	bool there;
	ActualColumn *columns;
	int column_count;
	ActualIndex *indexes;
	int index_count;
	ActualRule *rules;
	int rule_count;
} ActualTable;

bool actual_read(const DdlPlanning *work, const TableMap *map,
				 ActualTable *actual) MUST_CHECK;

/* select, then "schema = ... AND table_name = ...", as information_schema has it */
bool actual_query(const DdlPlanning *work, const TableMap *map,
				  const char *select, const char *schema, const char *order,
				  MyResult *result) MUST_CHECK;
void actual_put_place(Buffer *sql, const TableMap *map, const char *schema);

/* MySQL shows quotes in expressions with a backslash. */
void actual_put_expression(Buffer *out, const char *text);

/* Is the table there with every column of the map?  P_DDL_STREAM. */
bool actual_prove(const DdlPlanning *work, const WorldTable *table) MUST_CHECK;
const ActualColumn *actual_column(const ActualTable *actual, const char *name);
const ActualIndex *actual_index(const ActualTable *actual, const char *name);

/* ---- ddl_rule.c */

bool rules_read(const DdlPlanning *work, const TableMap *map,
				ActualTable *actual) MUST_CHECK;

/* Does it speak of the column, which is quoted? */
bool rule_names(const ActualRule *rule, const char *column);

/* "DROP FOREIGN KEY x", "DROP CONSTRAINT x", in the plan's arena. */
const char *rule_drop(const DdlPlanning *work, const ActualRule *rule);

/* The column has another name in it; both are quoted. */
void rule_rename(const DdlPlanning *work, ActualRule *rule, const char *was,
				 const char *now);

/* Keys of other tables that refer to one that goes. */
bool
rules_drop_referring(DdlPlanning *work, const WorldTable *table) MUST_CHECK;

/* A constraint of the source was dropped.  *found: the target had it. */
bool rules_drop_named(DdlPlanning *work, WorldTable *table, const char *name,
					  bool *found) MUST_CHECK;

/* A condition on the target's catalog; ddl_probe() makes a query of two. */
void probe_table(Buffer *sql, const TableMap *map, bool there);
void
probe_column(Buffer *sql, const TableMap *map, const char *column, bool there);
void
probe_index(Buffer *sql, const TableMap *map, const char *index, bool there);
void probe_rule(Buffer *sql, const TableMap *map, const char *rule, bool there);
const char *
ddl_probe(const DdlPlanning *work, const Buffer *before, const Buffer *after);

#endif /* PORTAGE_DDL_PLAN_H */
