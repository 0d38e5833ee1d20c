/*
 * sql_scan.h
 *		Just as much of SQL as is needed to tell quoted from unquoted text.
 *
 * Strings with and without backslashes, quoted names, dollar quotes, comments.
 * standard_conforming_strings is taken to be on, as in every dump.
 */
#ifndef PORTAGE_SQL_SCAN_H
#define PORTAGE_SQL_SCAN_H

/* Behind one token: a word, a quoted thing, a comment, or one other byte. */
const char *sql_skip_token(const char *p);

/* Behind the next line break, or at the end of the text. */
const char *sql_skip_line(const char *p);

#endif /* PORTAGE_SQL_SCAN_H */
