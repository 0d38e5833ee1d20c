/*
 * selection.h
 *		Which tables a migration is about: --tables and --exclude-tables.
 */
#ifndef PORTAGE_SELECTION_H
#define PORTAGE_SELECTION_H

#include <stdbool.h>

/*
 * Patterns are lists as the options have them, "" for none.  A partition counts
 * by its own name and by that of its root (NULL or "": it has none).
 */
bool selection_has(const char *tables, const char *exclude_tables,
				   const char *schema, const char *name,
				   const char *root_schema, const char *root_name);

#endif /* PORTAGE_SELECTION_H */
