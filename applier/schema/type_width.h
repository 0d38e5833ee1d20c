/*
 * type_width.h
 *		How many bytes a value can have in a row of PostgreSQL, and whether it may lie
 *		outside of it (TOAST).
 *
 * Of a value that lies outside and was not changed, the WAL says nothing.
 */
#ifndef PORTAGE_TYPE_WIDTH_H
#define PORTAGE_TYPE_WIDTH_H

#include "schema/schema.h"

/* At most so many bytes, length word included; -1: no limit. */
int64_t type_width(const SchemaType *type, const char *encoding);

/*
 * May a row be so wide that values are moved out of it?  Of the columns that may
 * be, those with out_of_line, which has room for column_count.
 */
bool table_may_toast(const SchemaTable *table, const char *encoding,
					 bool *out_of_line);

#endif /* PORTAGE_TYPE_WIDTH_H */
