/*
 * progress.c
 *		Names of phases, sums.
 */
#include "progress.h"

#include <string.h>

static const char *const phase_names[] = {
	[PHASE_NONE] = "none", [PHASE_SLOT] = "slot",	  [PHASE_SCHEMA] = "schema",
	[PHASE_COPY] = "copy", [PHASE_STREAM] = "stream", [PHASE_FINISH] = "finish",
	[PHASE_DONE] = "done",
};

const char *
phase_name(Phase phase)
{
	return phase_names[phase];
}

Phase
phase_parse(const char *name)
{
	int i;

	for (i = PHASE_SLOT; i <= PHASE_DONE; i++)
	{
		if (strcmp(phase_names[i], name) == 0)
			return (Phase) i;
	}
	return PHASE_NONE;
}

void
apply_counts_add(ApplyCounts *sum, const ApplyCounts *counts)
{
	sum->batches += counts->batches;
	sum->vector_rows += counts->vector_rows;
	sum->single_rows += counts->single_rows;
	sum->ordered_rows += counts->ordered_rows;
	sum->refused += counts->refused;
	sum->serial_rows += counts->serial_rows;
}
