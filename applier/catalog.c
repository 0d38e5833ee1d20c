/*
 * catalog.c
 *		Names of what catalog.h enumerates: in the state, and for people.
 */
#include "catalog.h"

static const char *const chunk_kind_names[] = {
	[CHUNK_WHOLE] = "whole",
	[CHUNK_KEYS] = "keys",
	[CHUNK_BLOCKS] = "blocks",
};

static const char *const ddl_state_names[] = {
	[DDL_TODO] = "todo",
	[DDL_DONE] = "done",
	[DDL_WAITING] = "waiting",
	[DDL_DEFERRED] = "deferred",
};

const char *
chunk_kind_name(ChunkKind kind)
{
	return chunk_kind_names[kind];
}

const char *
ddl_state_name(DdlState state)
{
	return ddl_state_names[state];
}
