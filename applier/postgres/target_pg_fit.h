/*
 * target_pg_fit.h
 *		How versions of source and target are compared.
 */
#ifndef PORTAGE_TARGET_PG_FIT_H
#define PORTAGE_TARGET_PG_FIT_H

#include "finding.h"

/* Below, equal to or above 0, by the numbers in them: "1.9" is before "1.10". */
int version_compare(const char *left, const char *right);

/* server_version_num of both: an older target is warned of. */
void fit_versions(int source, int target, Findings *findings);

#endif /* PORTAGE_TARGET_PG_FIT_H */
