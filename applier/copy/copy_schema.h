/*
 * copy_schema.h
 *		The schema for a target of another kind than the source.
 */
#ifndef PORTAGE_COPY_SCHEMA_H
#define PORTAGE_COPY_SCHEMA_H

#include "copy/copy_view.h"

/*
 * What the source has behind the rules, as the target would have it; for one with
 * own_schema.  Nothing is created.  What cannot be is among the decisions.  Lives
 * as long as both the view and the arena.
 */
bool copy_schema_translate(CopyView *view, Target *target, Arena *arena,
						   Translation *translation, Error *err) MUST_CHECK;

#endif /* PORTAGE_COPY_SCHEMA_H */
