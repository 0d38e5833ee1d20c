/*
 * textout.h
 *		The text form of a value: by ourselves where that is known to give the
 *		same bytes, else by the type's output function.
 */
#ifndef PORTAGE_TEXTOUT_H
#define PORTAGE_TEXTOUT_H

#include "fmgr.h"

#include "settings.h"
#include "wire.h"

/* how the text of a column is made */
typedef enum TextMethod
{
	TEXT_FUNCTION, /* by the output function */
	TEXT_VARLENA,  /* it is the value's bytes */
	TEXT_BYTEA,	   /* the same, and not text at all */
	TEXT_NAME,

	/* short ones, made by textout_short() */
	TEXT_BOOL,
	TEXT_INT2,
	TEXT_INT4,
	TEXT_INT8,
	TEXT_OID,
	TEXT_FLOAT4,
	TEXT_FLOAT8,
	TEXT_DATE,
	TEXT_TIMESTAMP,
	TEXT_TIMESTAMPTZ,
	TEXT_UUID
} TextMethod;

/* what a value is to JSON */
typedef enum JsonKind
{
	JSON_STRING,
	JSON_NUMBER,
	JSON_BOOL,
	JSON_EMBEDDED, /* is JSON itself */
	JSON_BYTEA
} JsonKind;

typedef struct ColumnText
{
	TextMethod method;
	JsonKind json;
	bool toastable; /* attlen is -1 */
	FmgrInfo output;
} ColumnText;

/* what textout_short() needs at most, a NUL included */
#define TEXTOUT_SHORT_SIZE 48

StaticAssertDecl(TEXTOUT_SHORT_SIZE <= 128,
				 "the length of a short text must fit into one byte of leb");

/* Choose the method for a type; the FmgrInfo lives in context. */
extern void textout_init(ColumnText *text, Oid type, Oid base_type,
						 int16 attlen, TextStyle style, MemoryContext context);

/* The form of a point in time in ISO style and UTC; NULL if it is outside of
 * the years 1 to 9999. */
extern char *textout_timestamptz(char *p, int64 value);

/*
 * Write the text of a value to p, TEXTOUT_SHORT_SIZE bytes, and return its end;
 * NULL if textout_slice() must be asked instead.
 */
extern char *textout_short(const ColumnText *text, Datum value, char *p);

/*
 * The text of a value; may be in the value itself or in the current memory
 * context.  The value must not be an on-disk TOAST pointer.
 */
extern WireSlice textout_slice(ColumnText *text, Datum value);

#endif /* PORTAGE_TEXTOUT_H */
