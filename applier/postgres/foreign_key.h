/*
 * foreign_key.h
 *		The SQL of a foreign key: pg_dump's statement taken apart, and the definition
 *		of one that rules make.
 *
 *		ALTER TABLE [ONLY] table
 *			ADD CONSTRAINT name FOREIGN KEY (...) REFERENCES other(...) ...;
 *
 * Names stay as they are written, quoted where they have to be.  What may follow
 * the first statement (a comment on the constraint) is left alone.
 */
#ifndef PORTAGE_FOREIGN_KEY_H
#define PORTAGE_FOREIGN_KEY_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/slice.h"
#include "schema/schema.h"

typedef struct ForeignKey
{
	const char *sql;  /* all of it */
	Slice table;	  /* whose rows refer to others */
	Slice name;		  /* of the constraint */
	Slice referenced; /* the others' table */
	bool inherited;	  /* no ONLY: the table is partitioned */
	bool unvalidated; /* NOT VALID or NOT ENFORCED: so it stays */
	size_t end;		  /* of the first statement, before its semicolon */
} ForeignKey;

/* False if the text is anything else.  It must outlive key. */
bool foreign_key_parse(ForeignKey *key, const char *sql);

/* The statements with NOT VALID; the statement that then validates. */
void foreign_key_add_sql(const ForeignKey *key, Buffer *sql);
void foreign_key_validate_sql(const ForeignKey *key, Buffer *sql);

/* "FOREIGN KEY (...) REFERENCES ...", as pg_get_constraintdef() writes it. */
const char *foreign_key_print(const SchemaForeignKey *key, Arena *arena);

#endif /* PORTAGE_FOREIGN_KEY_H */
