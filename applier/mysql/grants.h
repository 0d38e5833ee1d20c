/*
 * grants.h
 *		What SHOW GRANTS says about privileges on a database.
 */
#ifndef PORTAGE_GRANTS_H
#define PORTAGE_GRANTS_H

#include <stdbool.h>
#include <stdint.h>

/* Bits, in the order of grant_names. */
typedef uint32_t Grants;

/* What a migration needs in each database that it writes to. */
extern const char *const grant_names[]; /* NULL at the end */
#define GRANTS_ALL ((Grants) 0x7ff)

/*
 * Add what one line of SHOW GRANTS allows in the database: of all databases, or
 * of those whose name matches its pattern.
 */
void grants_add(const char *line, const char *database, Grants *grants);

/* Has it the word, as a privilege for all databases? */
bool grants_global(const char *line, const char *privilege);

#endif /* PORTAGE_GRANTS_H */
