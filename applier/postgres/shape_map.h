/*
 * shape_map.h
 *		portage.relation, and its copy in memory.
 *
 * What the tables of the target look like as of the last row that was applied.
 * The rows change in the transaction that changes the tables; what is in memory
 * is forgotten when that transaction is rolled back.
 */
#ifndef PORTAGE_SHAPE_MAP_H
#define PORTAGE_SHAPE_MAP_H

#include "postgres/pg_conn.h"
#include "shape.h"
#include "stream/shape_diff.h"

/* ids of tables: this is portage.kept's, those of shapes are behind it */
#define KEPT_TABLE_ID 0

typedef struct ShapeEntry
{
	struct ShapeEntry *next;
	Arena arena;
	Shape shape;
	uint32_t target_oid; /* of the table on the target; 0: there is none */
	uint64_t checked;	 /* serial of the relation it was last compared with */
	bool from_rows;		 /* created in this transaction because rows came */
	bool seen;			 /* the table itself was looked at: it loses nothing */
	const char *mark;	 /* of its columns as they were then; column_watch.h */
	uint64_t touched;	 /* the last target transaction that wrote to it */
	Arena copied_arena;
	Shape copied; /* as it was copied, if that is later; oid 0: it is not */
	uint32_t id;  /* from KEPT_TABLE_ID + 1, dense */
	struct TableFacts
		*facts; /* for rows of a relation like it, if seen; or NULL */
} ShapeEntry;

typedef struct ShapeMap ShapeMap;


/* NULL and err if it cannot be read. */
ShapeMap *shape_map_load(PgConn *conn, const char *stream, Error *err);
void shape_map_free(ShapeMap *map);

/* By the OID on the source; NULL if there is none. */
ShapeEntry *shape_map_find(const ShapeMap *map, uint32_t oid);

/* By name; for what is known by name only. */
ShapeEntry *
shape_map_named(const ShapeMap *map, const char *schema, const char *name);

/* All of them, one after the other; NULL begins and ends. */
ShapeEntry *shape_map_next(const ShapeMap *map, const ShapeEntry *entry);

/* Store a shape, new or changed; looks the target's table up by its name. */
ShapeEntry *
shape_map_put(ShapeMap *map, PgConn *conn, const Shape *shape, Error *err);

/*
 * The table is copied later than shape was noted, and looks like this by then.
 * Changes that the copy shows lead from the one to the other and are none of the
 * rows' business; before the first that it does not show, shape becomes copied.
 */
bool shape_map_note_copied(PgConn *conn, const char *stream,
						   const Shape *copied, Error *err) MUST_CHECK;
bool shape_map_adopt_copied(ShapeMap *map, PgConn *conn, ShapeEntry *entry,
							Error *err) MUST_CHECK;

/*
 * After a DDL: tables that are gone are forgotten, with what waits for them;
 * those that were renamed, attached or detached are known as what they are.
 */
bool shape_map_refresh(ShapeMap *map, PgConn *conn, Error *err) MUST_CHECK;

/* After a DDL that may have renamed types: columns are known by their new names. */
bool shape_map_retype(ShapeMap *map, PgConn *conn, Error *err) MUST_CHECK;

/* The table is gone, by hand; nothing happens if it is not known. */
bool shape_map_forget(ShapeMap *map, PgConn *conn, uint32_t oid,
					  Error *err) MUST_CHECK;

/*
 * A step was made on this table of the target: what is known of it and of its
 * descendants follows, except of the one with this OID on the source.
 */
bool
shape_map_follow(ShapeMap *map, PgConn *conn, uint32_t target_oid,
				 uint32_t except, const ShapeStep *step, Error *err) MUST_CHECK;

#endif /* PORTAGE_SHAPE_MAP_H */
