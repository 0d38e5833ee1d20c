/*
 * translation.h
 *		What a target makes of a source's schema, before anything is created:
 *		the statements, and every decision with its reason.
 *
 * A person who knows neither system's quirks reads this in plan's output and
 * decides.
 */
#ifndef PORTAGE_TRANSLATION_H
#define PORTAGE_TRANSLATION_H

#include "catalog.h"
#include "finding.h"

typedef struct TranslatedColumn
{
	const char *name;
	const char *source_type;
	const char *target_name;
	const char *target_type; /* with NOT NULL, AUTO_INCREMENT ... */
	const char *note; /* why, and what it means for values; "" if nothing */
	Severity severity;
} TranslatedColumn;

typedef struct TranslatedTable
{
	uint32_t oid;
	const char *schema;
	const char *name;
	const char *target; /* as one would write it there, quoted */
	const char *note;	/* "partitions become one table"; or "" */
	bool exists;		/* it is there already, and is used as it is */
	TranslatedColumn *columns;
	int column_count;
} TranslatedTable;

typedef struct Translation
{
	DdlEntry *entries; /* in order; what exists already is DDL_DONE */
	int entry_count;
	TranslatedTable *tables;
	int table_count;
	Findings decisions; /* by object: reason, choice made, what else there is */
} Translation;

#endif /* PORTAGE_TRANSLATION_H */
