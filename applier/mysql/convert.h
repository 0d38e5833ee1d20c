/*
 * convert.h
 *		One value: from the source's text to what the target holds.
 *
 * Pure; no connection.  Everything that a MySQL or MariaDB server would round,
 * cut, clamp or reinterpret in silence is found here, and the column's policy
 * says what becomes of it.
 */
#ifndef PORTAGE_CONVERT_H
#define PORTAGE_CONVERT_H

#include "base/buffer.h"
#include "base/slice.h"
#include "mysql/table_map.h"

typedef struct Converted
{
	Slice bytes; /* points into the input or into the scratch buffer */
	bool null;
	LossKind loss; /* what was lost, to be counted; LOSS_NONE */
} Converted;

/*
 * in: what the type's output function said, in UTF-8, not escaped, and not in
 * scratch.  raw: bytea comes as its bytes (the stream), not as \x... (COPY).
 * What changes is appended to scratch, which may move: a result is used, or
 * copied, before the next conversion.
 *
 * A loss is answered by the column's policy.  P_VALUE, with kind of loss, the
 * column and the value (cut), if it is to stop; the caller adds table and key.
 *
 *		warn	what servers make of it, computed here, so that what is sent is
 *				valid under strict mode: rounded half up, cut, without offset or
 *				sign.  Where they would make something up (0 of infinity), NULL;
 *				in a column that is NOT NULL as clamp
 *		clamp	the nearest value: rounded, cut, the end of the type's range
 *				(9999-12-31 23:59:59.999999, 0001-01-01 00:00:00).  Where there is
 *				none, NULL; in a column that is NOT NULL 0 for NaN, the first
 *				label for what is no label, and null for JSON
 *		null	NULL; P_VALUE in a column that is NOT NULL
 *		text	as error: a column that has become text has nothing to lose
 *
 * LOSS_JSON_SCALE is counted under every policy and changes nothing.  A value
 * that is none of its type stops under every policy.
 */
bool convert_value(const ColumnMap *column, Slice in, bool raw, Buffer *scratch,
				   Converted *out, Error *err) MUST_CHECK;

/* A default that the catalog shows as an expression: see translate_expr.h */

/* Append the literal of a converted value; NULL for null. */
void
convert_literal(Buffer *sql, const ColumnMap *column, const Converted *value);

/* The same for a statement that is kept as text: bytes are in hexadecimal. */
void convert_literal_text(Buffer *sql, const ColumnMap *column,
						  const Converted *value);

/* Append it as a field of LOAD DATA: escaped; \N for null. */
void convert_field(Buffer *out, const Converted *value);

/*
 * Text of another server encoding than UTF8 to UTF-8: for names and the like.
 * NULL for UTF8 itself; P_SERVER_SETUP for one that cannot be converted.
 * SQL_ASCII is only validated.  P_VALUE for bytes that are no text.
 */
typedef struct TextDecoder TextDecoder;
bool text_decoder_open(const char *pg_encoding, TextDecoder **decoder,
					   Error *err) MUST_CHECK;
bool text_decode(TextDecoder *decoder, Slice in, Buffer *scratch, Slice *out,
				 Error *err) MUST_CHECK;
void text_decoder_close(TextDecoder *decoder); /* NULL is fine */

/*
 * convert_value() of a value that is still in the source's encoding.  Bytes that
 * are no text are LOSS_ENCODING: question marks if the policy lets them pass.
 * decoder: NULL is fine.  decoded is used as scratch is, and is another buffer.
 */
bool convert_encoded(TextDecoder *decoder, const ColumnMap *column, Slice in,
					 bool raw, Buffer *decoded, Buffer *scratch, Converted *out,
					 Error *err) MUST_CHECK;

/* Losses that were allowed, counted by table, column and kind. */
typedef struct LossTally LossTally;
LossTally *loss_tally_new(void);
void loss_tally_free(LossTally *tally); /* NULL is fine */
void loss_tally_add(LossTally *tally, const TableMap *map,
					const ColumnMap *column, LossKind kind, uint64_t count);
void loss_tally_merge(LossTally *tally, const LossTally *from);
bool loss_tally_empty(const LossTally *tally);
void loss_tally_reset(LossTally *tally);

/*
 * Append one statement that adds all of it to portage_loss (stream, table_schema,
 * table_name, column_name, kind, count).
 */
void loss_tally_sql(const LossTally *tally, const char *stream, Buffer *sql);

#endif /* PORTAGE_CONVERT_H */
