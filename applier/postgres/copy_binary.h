/*
 * copy_binary.h
 *		COPY's binary form: which tables can travel in it, and where its rows
 *		are.
 *
 * It is cheaper than text for both servers where reading or writing a value's
 * text takes work: dates and times, numeric, bytea, and text itself, which needs
 * no escapes.
 */
#ifndef PORTAGE_COPY_BINARY_H
#define PORTAGE_COPY_BINARY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * SQL: can values of the type go from one server to another as they are sent in
 * binary?  t is a row of pg_type.
 *
 * Yes for the built-in types of which all versions since 13 read what any of
 * them sends, into the very value that its text would give, whatever the
 * settings, and with the same checks of encoding and modifier; for arrays of
 * these, which name their element's type by an OID that is the same everywhere;
 * and for enums, which are sent as their labels.
 *
 * Not for floating-point numbers: what computations leave as NaN has bits that
 * its text does not have, and rows that are found by their images would not be
 * found.  Not for intervals: 17 reads as infinite what is a finite one before,
 * and its infinite ones are finite there.  Not for name, which is cut off as
 * text when another encoding needs more bytes, and refused in binary.  Not for
 * what contains OIDs (reg*, composite types and arrays of them) or values of any
 * type (ranges), what depends on settings (money, xml), and what an extension or
 * a user has made, domains included: under a name that is the same on both
 * sides they may be of other types.
 */
#define COPY_BINARY_ELEMENTS                                                  \
	"'bool'::regtype, 'bytea'::regtype, '\"char\"'::regtype,"                 \
	" 'int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'oid'::regtype,"     \
	" 'numeric'::regtype, 'text'::regtype, 'varchar'::regtype,"               \
	" 'bpchar'::regtype, 'bit'::regtype, 'varbit'::regtype, 'uuid'::regtype," \
	" 'json'::regtype, 'jsonb'::regtype, 'date'::regtype, 'time'::regtype,"   \
	" 'timetz'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype,"       \
	" 'inet'::regtype, 'cidr'::regtype, 'macaddr'::regtype,"                  \
	" 'macaddr8'::regtype"

#define COPY_BINARY_TYPE                        \
	"(t.typtype = 'e'"                          \
	" OR t.oid IN (" COPY_BINARY_ELEMENTS ")"   \
	" OR (t.typreceive = 'array_recv'::regproc" \
	"  AND t.typelem IN (" COPY_BINARY_ELEMENTS ")))"

/*
 * Is there a row in this message of a COPY TO STDOUT?  A server sends each in
 * one of its own; the header stands in front of the first, and the end is like
 * a row without one.
 */
bool copy_binary_has_row(const char *message, size_t len);

#endif /* PORTAGE_COPY_BINARY_H */
