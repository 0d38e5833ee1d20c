/*
 * copy_schema.c
 *		See copy_schema.h.
 */
#include "copy/copy_schema.h"

bool
copy_schema_translate(Source *source, Target *target,
					  const SnapshotRef *snapshot, Arena *arena,
					  Translation *translation, Error *err)
{
	Schema schema;

	return source->ops->schema_read(source, snapshot, arena, &schema, err) &&
		   target->ops->schema_translate(target, &schema, arena, translation,
										 err);
}
