/*
 * finding.h
 *		What a preflight check found, for people and as JSON.
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

typedef struct Finding
{
	Severity severity;
	ErrorCode code;		/* what run would fail with, or 0 */
	const char *object; /* "source", "table public.t", ... */
	const char *message;
	const char *remedy; /* or "" */
} Finding;

typedef struct Findings
{
	Arena *arena;
	Finding *items;
	int count;
	int capacity;
} Findings;

void findings_init(Findings *findings, Arena *arena);

/* Add one; message is formatted, object and remedy are copied. */
void finding_add(Findings *findings, Severity severity, ErrorCode code,
				 const char *object, const char *remedy, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));

/* How many have this severity? */
int findings_count(const Findings *findings, Severity severity);

#endif /* PORTAGE_FINDING_H */
