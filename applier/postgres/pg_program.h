/*
 * pg_program.h
 *		pg_dump and pg_restore: found, asked for their version, run.
 *
 * A child never outlives us (it is killed when we die), reads and writes only
 * the descriptors it is given, and gets secrets through its environment.
 */
#ifndef PORTAGE_PG_PROGRAM_H
#define PORTAGE_PG_PROGRAM_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"

typedef struct PgPrograms
{
	const char *pg_dump; /* paths, in the caller's arena */
	const char *pg_restore;
	int major; /* of both: found in one folder */
} PgPrograms;

typedef struct PgProgramRun
{
	const char *const *argv; /* argv[0] is the path; NULL at the end */
	const char *const *env;	 /* NAME=value that replace ours, or NULL */
	int stdin_fd;			 /* or -1: nothing to read */
	int stdout_fd;			 /* or -1: collect into out */
	Buffer *out;
} PgProgramRun;

/*
 * Find a pair that is not older than the server's major version: in bindir if
 * that is given, else along PATH and where we were built.  P_PG_DUMP.
 */
bool pg_programs_find(const char *bindir, int server_major, Arena *arena,
					  PgPrograms *programs, Error *err) MUST_CHECK;

/*
 * Run to the end.  P_PG_DUMP with the last words of its stderr if it fails;
 * P_STOPPED, the child killed, when a stop is requested.
 */
bool pg_program_run(const PgProgramRun *run, Error *err) MUST_CHECK;

#endif /* PORTAGE_PG_PROGRAM_H */
