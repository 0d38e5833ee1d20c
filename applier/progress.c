/*
 * progress.c
 *		Names of phases, sums, places in a stream.
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

void
progress_place(Progress *progress, const Progress *other)
{
	progress->consistent_lsn = other->consistent_lsn;
	progress->resume_lsn = other->resume_lsn;
	progress->previous_anchor_lsn = other->previous_anchor_lsn;
	progress->anchor_lsn = other->anchor_lsn;
	memcpy(progress->anchor_nonce, other->anchor_nonce, NONCE_SIZE);
	memcpy(progress->origin_nonce, other->origin_nonce, NONCE_SIZE);
	memcpy(progress->plugin_version, other->plugin_version,
		   sizeof(progress->plugin_version));
	memcpy(progress->plugin_options, other->plugin_options,
		   sizeof(progress->plugin_options));
	progress->digest[0] = '\0';
	progress->skeleton[0] = '\0';
}
