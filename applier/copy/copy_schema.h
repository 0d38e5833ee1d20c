/*
 * copy_schema.h
 *		The schema for a target of another kind than the source.
 */
#ifndef PORTAGE_COPY_SCHEMA_H
#define PORTAGE_COPY_SCHEMA_H

#include "schema/translation.h"
#include "source/source.h"
#include "target/target.h"

/*
 * What the source has under the snapshot, as the target would have it; for one
 * with own_schema.  Nothing is created.  What cannot be is among the decisions.
 */
bool copy_schema_translate(Source *source, Target *target,
						   const SnapshotRef *snapshot, Arena *arena,
						   Translation *translation, Error *err) MUST_CHECK;

#endif /* PORTAGE_COPY_SCHEMA_H */
