/*
 * inspect.h
 *		State of portage.decode(), and the wording of its lines.
 */
#ifndef PORTAGE_INSPECT_H
#define PORTAGE_INSPECT_H

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

#include "crc32c.h"
#include "wire.h"

typedef enum Place
{
	PLACE_UNKNOWN, /* the frames may begin anywhere */
	PLACE_OUTSIDE,
	PLACE_INSIDE /* a transaction, from its beginning */
} Place;

typedef struct Inspector
{
	MemoryContext context; /* for relations */
	struct varlena **frames;
	int nframes;
	int frame;	/* number of the frame being read, from 1 */
	int record; /* and of the record in it */
	WireReader reader;
	List *relations; /* of KnownRelation, see words.c */
	Crc32cTables tables;
	Place place;
	uint32_t crc;
	uint64_t nrows;
} Inspector;

/*
 * Append a record in words.  If the body is malformed, or not used up, that is
 * found in it, and line is of no use.
 */
extern void words_put_record(StringInfo line, Inspector *ins, uint8_t tag,
							 WireReader *body);

#endif /* PORTAGE_INSPECT_H */
