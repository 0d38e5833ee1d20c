/*
 * finding.h
 *		What a preflight check found, for people and as JSON.
 *
 * A check that fails is a finding as well, so that one run shows all that is to
 * be mended.
 */
#ifndef PORTAGE_FINDING_H
#define PORTAGE_FINDING_H

#include "base/arena.h"
#include "base/error.h"

typedef enum Severity
{
	SEVERITY_OK, /* looked at, nothing wrong */
	SEVERITY_NOTE,
	SEVERITY_WARNING,
	SEVERITY_ERROR
} Severity;

/* Where the object is that a finding is about. */
typedef enum FindingSide
{
	FINDING_SOURCE,
	FINDING_TARGET,
	FINDING_HERE /* where the applier runs */
} FindingSide;

typedef struct Finding
{
	Severity severity;
	ErrorCode code; /* what run would fail with, or 0 */
	FindingSide side;
	const char *object; /* "source", "table public.t", ... */
	const char *message;
	const char *remedy; /* or "" */
	bool left_behind;	/* it, or what it holds, is not or may not be carried */
} Finding;

typedef struct Findings
{
	Arena *arena;
	Finding *items;
	int count;
	FindingSide side; /* of those that are added next */
} Findings;

void findings_init(Findings *findings, Arena *arena);

/*
 * Add one; message is formatted, object and remedy are copied.  The result is
 * valid until the next one is added.
 */
Finding *finding_add(Findings *findings, Severity severity, ErrorCode code,
					 const char *object, const char *remedy, const char *fmt,
					 ...) __attribute__((format(printf, 6, 7)));

/*
 * Add why something could not be looked at: with the error's hint, or the
 * general remedy of its code, and without the name of the side that the
 * messages of servers begin with.
 */
void finding_add_error(Findings *findings, Severity severity,
					   const char *object, const Error *why);

/* As output calls them. */
const char *severity_name(Severity severity);
const char *finding_side_name(FindingSide side);

/* How many have this severity? */
int findings_count(const Findings *findings, Severity severity);

/* Is there one of severity error with this code? */
bool findings_have(const Findings *findings, ErrorCode code);

/* Add all of another's; they share the strings. */
void findings_add_all(Findings *findings, const Findings *others);

/* Copy the strings of all from this one on, which belong to others so far. */
void findings_own(Findings *findings, int first);

/* The first of severity error as an error, with how many there are. */
bool findings_verdict(const Findings *findings, Error *err) MUST_CHECK;

#endif /* PORTAGE_FINDING_H */
