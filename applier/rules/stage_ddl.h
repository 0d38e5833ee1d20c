/*
 * stage_ddl.h
 *		What the files share that look at commands; for rules/ only.
 *
 * stage_ddl.c		what becomes of its message
 * stage_ddl_end.c	what it has made and changed
 * stage_ddl_drop.c	what it has dropped
 */
#ifndef PORTAGE_STAGE_DDL_H
#define PORTAGE_STAGE_DDL_H

#include "rules/stage_parts.h"

/* One command being looked at. */
typedef struct StageDdl
{
	RuleStage *stage;
	const DdlEvent *event;
	Arena *arena;
	Error *err;
	int unchanged; /* tables that come as they are */
	int ruled;
	int absent;
	int others;		   /* what belongs to no table */
	const char *table; /* the first one that a rule changes */
	const ConfigRule *rule;
} StageDdl;

/* Stop the stream here: P_DDL_STREAM with the choices.  Always false. */
bool stage_ddl_refuse(const StageDdl *looking, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* "shop.yaml:12, rule 3" */
const char *stage_ddl_place(const StageDdl *looking, const ConfigRule *rule);

/* Who sees something else in the table than itself; NULL: nobody. */
const char *stage_ddl_who(const StageDdl *looking, const StageFate *fate);

/* One more table that the command is about. */
void stage_ddl_count(StageDdl *looking, const StageFate *fate,
					 const char *schema, const char *name);

/* As far as it is known; *name is NULL if it is not. */
void stage_ddl_name(const StageDdl *looking, uint32_t oid, const char **schema,
					const char **name);

/* As what the target knows a table of this OID; *name is NULL if it does not. */
bool stage_ddl_noted(const StageDdl *looking, uint32_t oid, const char **schema,
					 const char **name);

/* ---- stage_ddl_end.c */

/* The tables behind it.  P_DDL_STREAM. */
bool stage_ddl_end(StageDdl *looking);

/* As the command has left it; of a partition: its root's. */
void stage_ddl_name_after(const StageDdl *looking, const Shape *table,
						  const char **schema, const char **name);

/* ---- stage_ddl_drop.c */

/* All that it has dropped.  P_DDL_STREAM. */
bool stage_ddl_dropped(StageDdl *looking);

#endif /* PORTAGE_STAGE_DDL_H */
