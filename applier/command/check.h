/*
 * check.h
 *		Findings shown: as text for people, as JSON for programs.
 */
#ifndef PORTAGE_CHECK_H
#define PORTAGE_CHECK_H

#include "finding.h"

/* quiet: without those that need nobody's attention */
void check_print_text(const Findings *findings, bool quiet);
void check_print_json(const Findings *findings, const char *name);

#endif /* PORTAGE_CHECK_H */
