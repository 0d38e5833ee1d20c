/*
 * needs.h
 *		What a source's database takes for granted of its server, so that a
 *		target can say whether it has it.
 *
 * Plain values that a source adapter reads; strings live in the caller's arena.
 */
#ifndef PORTAGE_NEEDS_H
#define PORTAGE_NEEDS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum NeedKind
{
	NEED_EXTENSION,
	NEED_TABLESPACE,
	NEED_TYPE,		/* of a column, one that the server brings */
	NEED_COLLATION, /* the same */
	NEED_SUPERUSER, /* an object that nobody else may create */
	NEED_SCHEMA		/* to create objects in, unless it is created itself */
} NeedKind;

typedef struct Need
{
	NeedKind kind;
	const char *name;
	const char *detail; /* version of an extension, else one that needs it */
	bool perhaps;		/* what needs it may turn out to be left out */
} Need;

typedef struct Needs
{
	int server_version;
	const char *encoding;
	const char *provider; /* of the database's locale: "libc", "icu" ... */
	const char *locale;	  /* what decides how text sorts */
	const char *ctype;
	const char *locale_version; /* or "" */
	int64_t table_bytes;		/* of what is to be migrated */
	int64_t index_bytes;
	Need *items;
	int count;
} Needs;

#endif /* PORTAGE_NEEDS_H */
