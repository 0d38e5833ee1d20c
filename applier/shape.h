/*
 * shape.h
 *		The shape of a table: names, columns, storage.
 *
 * portage.relation on the target keeps, for each table of the migration, the
 * shape that it has there as of resume_lsn, in the source's words: columns by
 * their numbers on the source.  By these a rename is told from another column
 * of the same name.  Plain values, in an arena of the caller's.
 */
#ifndef PORTAGE_SHAPE_H
#define PORTAGE_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "change.h"

typedef struct ShapeColumn
{
	uint16_t num; /* attnum on the source; 0: it came through a parent */
	const char *name;
	const char *type_schema;
	const char *type_name;
	int32_t typmod;
	bool not_null;

	/* of a wanted shape only; not kept */
	bool key;				 /* of the primary key, as far as R says it */
	char generated;			 /* 's', 'v', or 0 */
	char identity;			 /* 'a', 'd', or 0 */
	const char *default_sql; /* NULL: none, or not known */
	const char *collation;	 /* "schema.name", NULL: the type's, or unknown */
	const char *missing;	 /* what older rows have; NULL: null */
	/* below its domains, as far as it is known; NULL: it is not */
	const struct SchemaType *type;
} ShapeColumn;

typedef struct Shape
{
	uint32_t oid; /* on the source */
	const char *schema;
	const char *name;
	char kind;			 /* 'r' or 'p' */
	uint32_t storage;	 /* relfilenode: another one, other rows */
	uint32_t root_oid;	 /* topmost partitioned table, or 0 */
	const char *root;	 /* "schema.name" of it, for people; "" */
	bool key_is_primary; /* the key columns are the primary key's */
	bool unlogged; /* of a wanted shape only: no row of it is in the WAL */
	int column_count;
	ShapeColumn *columns; /* ascending by num */
} Shape;

/* The modifier of the column itself, as the catalog has it. */
int32_t shape_typmod(const Column *column);

/* As an R record announced it; names are the relation's. */
void shape_of_relation(const Relation *relation, Arena *arena, Shape *shape);

/* A deep copy. */
void shape_copy(const Shape *from, Arena *arena, Shape *to);

/* Is the table what the record says, wherever its rows lie? */
bool shape_is_relation(const Shape *have, const Relation *relation);

/* What is kept of the columns, as JSON. */
char *shape_columns_json(const Shape *shape, Arena *arena);

/* The reverse; P_PROGRESS if it is not what the other wrote. */
bool shape_columns_parse(const char *json, Arena *arena, Shape *shape,
						 Error *err) MUST_CHECK;

/* NULL if there is none of that number, of that name. */
const ShapeColumn *shape_column(const Shape *shape, uint16_t num);
const ShapeColumn *shape_column_named(const Shape *shape, const char *name);

/* Type and modifier are the same. */
bool shape_same_type(const ShapeColumn *a, const ShapeColumn *b);

/* Have both the same columns by name, with the same types, in any order? */
bool shape_same_columns(const Shape *a, const Shape *b);

/* The same name, and the same columns by number? NOT NULL does not count. */
bool shape_same_table(const Shape *a, const Shape *b);

#endif /* PORTAGE_SHAPE_H */
