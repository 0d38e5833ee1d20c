/* operations that are not there yet */
#include "mysql/target_mysql.h"

bool
target_mysql_check(Target *target, Findings *findings, Error *err)
{
	(void) target;
	(void) findings;
	return error_set(err, P_BUG, "check is not there yet");
}

bool
target_mysql_check_fit(Target *target, const Needs *needs, Findings *findings,
					   Error *err)
{
	(void) target;
	(void) needs;
	(void) findings;
	return error_set(err, P_BUG, "check_fit is not there yet");
}

bool
target_mysql_check_tables(Target *target, Findings *findings, Error *err)
{
	(void) target;
	(void) findings;
	return error_set(err, P_BUG, "check_tables is not there yet");
}

bool
target_mysql_can_disable_triggers(Target *target, bool *can, Error *err)
{
	(void) target;
	(void) can;
	return error_set(err, P_BUG, "can_disable_triggers is not there yet");
}

bool
target_mysql_occupied(Target *target, const Table *tables, int count,
					  const char **what, Arena *arena, Error *err)
{
	(void) target;
	(void) tables;
	(void) count;
	(void) what;
	(void) arena;
	return error_set(err, P_BUG, "occupied is not there yet");
}

bool
target_mysql_identify(Target *target, char *system_id, size_t id_size,
					  char *database, size_t database_size, Error *err)
{
	(void) target;
	(void) system_id;
	(void) id_size;
	(void) database;
	(void) database_size;
	return error_set(err, P_BUG, "identify is not there yet");
}

bool
target_mysql_state_exists(Target *target, bool *exists, Error *err)
{
	(void) target;
	(void) exists;
	return error_set(err, P_BUG, "state_exists is not there yet");
}

bool
target_mysql_state_create(Target *target, Error *err)
{
	(void) target;
	return error_set(err, P_BUG, "state_create is not there yet");
}

bool
target_mysql_owner_acquire(Target *target, OwnerMode mode, bool *owned,
						   char *owner, size_t owner_size, Error *err)
{
	(void) target;
	(void) mode;
	(void) owned;
	(void) owner;
	(void) owner_size;
	return error_set(err, P_BUG, "owner_acquire is not there yet");
}

bool
target_mysql_owner_inspect(Target *target, bool *owned, char *owner,
						   size_t owner_size, Error *err)
{
	(void) target;
	(void) owned;
	(void) owner;
	(void) owner_size;
	return error_set(err, P_BUG, "owner_inspect is not there yet");
}

bool
target_mysql_owner_evict(Target *target, Error *err)
{
	(void) target;
	return error_set(err, P_BUG, "owner_evict is not there yet");
}

bool
target_mysql_progress_read(Target *target, Progress *progress, Error *err)
{
	(void) target;
	(void) progress;
	return error_set(err, P_BUG, "progress_read is not there yet");
}

bool
target_mysql_progress_claim(Target *target, Progress *progress, Error *err)
{
	(void) target;
	(void) progress;
	return error_set(err, P_BUG, "progress_claim is not there yet");
}

bool
target_mysql_progress_insert(Target *target, Progress *progress, Error *err)
{
	(void) target;
	(void) progress;
	return error_set(err, P_BUG, "progress_insert is not there yet");
}

bool
target_mysql_progress_save(Target *target, const Progress *progress, Error *err)
{
	(void) target;
	(void) progress;
	return error_set(err, P_BUG, "progress_save is not there yet");
}

bool
target_mysql_apply(Target *target, const Batch *batch,
				   const ChangeFilter *filter, const Progress *before,
				   const Progress *after, Error *err)
{
	(void) target;
	(void) batch;
	(void) filter;
	(void) before;
	(void) after;
	return error_set(err, P_BUG, "apply is not there yet");
}

void
target_mysql_rollback(Target *target)
{
	(void) target;
}

bool
target_mysql_durability(Target *target, DurabilityWish wish,
						TargetDurability *durability, Error *err)
{
	(void) target;
	(void) wish;
	(void) durability;
	return error_set(err, P_BUG, "durability is not there yet");
}

bool
target_mysql_table_look(Target *target, const Relation *relation,
						const PlanTable **table, Error *err)
{
	(void) target;
	(void) relation;
	(void) table;
	return error_set(err, P_BUG, "table_look is not there yet");
}

bool
target_mysql_table_renewed(Target *target, const Relation *relation)
{
	(void) target;
	(void) relation;
	return false;
}

TargetWriter *
target_mysql_writer_open(Target *target, bool many, Error *err)
{
	(void) target;
	(void) many;
	error_set(err, P_BUG, "writer_open is not there yet");
	return NULL;
}

bool
target_mysql_writer_begin(TargetWriter *writer, Error *err)
{
	(void) writer;
	return error_set(err, P_BUG, "writer_begin is not there yet");
}

bool
target_mysql_writer_write(TargetWriter *writer, const Plan *plan,
						  const ChangeFilter *filter, Error *err)
{
	(void) writer;
	(void) plan;
	(void) filter;
	return error_set(err, P_BUG, "writer_write is not there yet");
}

bool
target_mysql_writer_savepoint(TargetWriter *writer, SavepointVerb verb,
							  Error *err)
{
	(void) writer;
	(void) verb;
	return error_set(err, P_BUG, "writer_savepoint is not there yet");
}

bool
target_mysql_writer_commit(TargetWriter *writer, const Progress *before,
						   const Progress *after, const ApplyCounts *counts,
						   TargetDurability *durability, Error *err)
{
	(void) writer;
	(void) before;
	(void) after;
	(void) counts;
	(void) durability;
	return error_set(err, P_BUG, "writer_commit is not there yet");
}

void
target_mysql_writer_rollback(TargetWriter *writer)
{
	(void) writer;
}

void
target_mysql_writer_close(TargetWriter *writer)
{
	(void) writer;
}

bool
target_mysql_ddl_store(Target *target, const Progress *progress,
					   const DdlEntry *entries, int count, Error *err)
{
	(void) target;
	(void) progress;
	(void) entries;
	(void) count;
	return error_set(err, P_BUG, "ddl_store is not there yet");
}

bool
target_mysql_ddl_list(Target *target, Arena *arena, DdlEntry **entries,
					  int *count, Error *err)
{
	(void) target;
	(void) arena;
	(void) entries;
	(void) count;
	return error_set(err, P_BUG, "ddl_list is not there yet");
}

bool
target_mysql_ddl_run(Target *target, const Progress *progress,
					 const DdlEntry *entry, Error *err)
{
	(void) target;
	(void) progress;
	(void) entry;
	return error_set(err, P_BUG, "ddl_run is not there yet");
}

bool
target_mysql_ddl_postpone(Target *target, const Progress *progress,
						  const DdlEntry *entry, DdlState state, Error *err)
{
	(void) target;
	(void) progress;
	(void) entry;
	(void) state;
	return error_set(err, P_BUG, "ddl_postpone is not there yet");
}

bool
target_mysql_foreign_key_add(Target *target, const Progress *progress,
							 const DdlEntry *entry, bool *validated, Error *err)
{
	(void) target;
	(void) progress;
	(void) entry;
	(void) validated;
	return error_set(err, P_BUG, "foreign_key_add is not there yet");
}

bool
target_mysql_identity_relax(Target *target, const Progress *progress,
							Error *err)
{
	(void) target;
	(void) progress;
	return error_set(err, P_BUG, "identity_relax is not there yet");
}

bool
target_mysql_chunks_store(Target *target, const Progress *progress,
						  const Chunk *chunks, int count, Error *err)
{
	(void) target;
	(void) progress;
	(void) chunks;
	(void) count;
	return error_set(err, P_BUG, "chunks_store is not there yet");
}

bool
target_mysql_chunks_list(Target *target, Arena *arena, Chunk **chunks,
						 int *count, Error *err)
{
	(void) target;
	(void) arena;
	(void) chunks;
	(void) count;
	return error_set(err, P_BUG, "chunks_list is not there yet");
}

bool
target_mysql_load_activity(Target *target, Arena *arena,
						   LoadActivity **activity, int *count, Error *err)
{
	(void) target;
	(void) arena;
	(void) activity;
	(void) count;
	return error_set(err, P_BUG, "load_activity is not there yet");
}

bool
target_mysql_shapes_store(Target *target, const Progress *progress,
						  const Shape *shapes, int count, Error *err)
{
	(void) target;
	(void) progress;
	(void) shapes;
	(void) count;
	return error_set(err, P_BUG, "shapes_store is not there yet");
}

bool
target_mysql_shape_copied(Target *target, const Progress *progress,
						  const Shape *shape, Error *err)
{
	(void) target;
	(void) progress;
	(void) shape;
	return error_set(err, P_BUG, "shape_copied is not there yet");
}

bool
target_mysql_shapes_list(Target *target, Arena *arena, Shape **shapes,
						 int *count, Error *err)
{
	(void) target;
	(void) arena;
	(void) shapes;
	(void) count;
	return error_set(err, P_BUG, "shapes_list is not there yet");
}

bool
target_mysql_sequences_set(Target *target, const Progress *progress,
						   const Sequence *sequences, int count, Error *err)
{
	(void) target;
	(void) progress;
	(void) sequences;
	(void) count;
	return error_set(err, P_BUG, "sequences_set is not there yet");
}

bool
target_mysql_analyze(Target *target, const Table *table, Error *err)
{
	(void) target;
	(void) table;
	return error_set(err, P_BUG, "analyze is not there yet");
}

bool
target_mysql_state_drop(Target *target, bool *existed, Error *err)
{
	(void) target;
	(void) existed;
	return error_set(err, P_BUG, "state_drop is not there yet");
}

TargetLoader *
target_mysql_loader_open(Target *target, const Progress *progress, Error *err)
{
	(void) target;
	(void) progress;
	error_set(err, P_BUG, "loader_open is not there yet");
	return NULL;
}

bool
target_mysql_loader_prove_empty(TargetLoader *loader, const Table *table,
								Error *err)
{
	(void) loader;
	(void) table;
	return error_set(err, P_BUG, "loader_prove_empty is not there yet");
}

bool
target_mysql_loader_reset(TargetLoader *loader, const Table *table,
						  const Chunk *chunks, int count, Error *err)
{
	(void) loader;
	(void) table;
	(void) chunks;
	(void) count;
	return error_set(err, P_BUG, "loader_reset is not there yet");
}

bool
target_mysql_loader_begin(TargetLoader *loader, const Table *table,
						  const Chunk *chunk, Error *err)
{
	(void) loader;
	(void) table;
	(void) chunk;
	return error_set(err, P_BUG, "loader_begin is not there yet");
}

bool
target_mysql_loader_data(TargetLoader *loader, Slice data, Error *err)
{
	(void) loader;
	(void) data;
	return error_set(err, P_BUG, "loader_data is not there yet");
}

bool
target_mysql_loader_end(TargetLoader *loader, int64_t *rows, Error *err)
{
	(void) loader;
	(void) rows;
	return error_set(err, P_BUG, "loader_end is not there yet");
}

bool
target_mysql_loader_commit(TargetLoader *loader, const Chunk *chunk, Error *err)
{
	(void) loader;
	(void) chunk;
	return error_set(err, P_BUG, "loader_commit is not there yet");
}

void
target_mysql_loader_abort(TargetLoader *loader)
{
	(void) loader;
}

bool
target_mysql_loader_ddl(TargetLoader *loader, const DdlEntry *entry, Error *err)
{
	(void) loader;
	(void) entry;
	return error_set(err, P_BUG, "loader_ddl is not there yet");
}

bool
target_mysql_loader_analyze(TargetLoader *loader, const Table *table,
							Error *err)
{
	(void) loader;
	(void) table;
	return error_set(err, P_BUG, "loader_analyze is not there yet");
}

void
target_mysql_loader_close(TargetLoader *loader)
{
	(void) loader;
}

bool
target_mysql_schema_translate(Target *target, const Schema *schema,
							  Arena *arena, Translation *translation,
							  Error *err)
{
	(void) target;
	(void) schema;
	(void) arena;
	(void) translation;
	return error_set(err, P_BUG, "not yet");
}

bool
target_mysql_wants_generated(Target *target, uint32_t table_oid,
							 const char *column)
{
	(void) target;
	(void) table_oid;
	(void) column;
	return false;
}
