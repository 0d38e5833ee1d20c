/*
 * describe.h
 *		What the catalogs say of a relation, for its cache entry.
 */
#ifndef PORTAGE_DESCRIBE_H
#define PORTAGE_DESCRIBE_H

#include "relcache.h"

/*
 * Fill an entry that is empty but for relid and context, which is the current
 * memory context.  Dependencies are kept whole at every moment, since the
 * callbacks of invalidations may look at them.
 */
extern void describe_relation(RelationEntry *entry, Relation relation,
							  const Options *options, TextStyle style);

#endif /* PORTAGE_DESCRIBE_H */
