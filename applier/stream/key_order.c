/*
 * key_order.c
 *		See key_order.h.
 */
#include "stream/key_order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* pg_type.dat; these never change */
#define INT8OID 20
#define INT2OID 21
#define INT4OID 23
#define TEXTOID 25
#define OIDOID 26
#define VARCHAROID 1043
#define DATEOID 1082
#define TIMESTAMPOID 1114
#define TIMESTAMPTZOID 1184
#define UUIDOID 2950

#define USEC_PER_SECOND INT64_C(1000000)

/* A date, or a time of one; its order is that of its members. */
typedef struct Moment
{
	int infinity; /* -1, 0, 1 */
	int64_t year; /* 0 is 1 BC */
	int64_t month;
	int64_t day;
	int64_t usec; /* of the day */
} Moment;

static int
sign_of(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

static bool
parse_integer(const char *text, size_t len, int64_t *out)
{
	char *end;

	if (len == 0)
		return false;
	errno = 0;
	*out = strtoll(text, &end, 10);
	return errno == 0 && end == text + len;
}

static bool
compare_integers(const char *a, size_t a_len, const char *b, size_t b_len,
				 int *order)
{
	int64_t x;
	int64_t y;

	if (!parse_integer(a, a_len, &x) || !parse_integer(b, b_len, &y))
		return false;
	*order = sign_of(x, y);
	return true;
}

static int
compare_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order != 0 ? order : sign_of((int64_t) a_len, (int64_t) b_len);
}

/* Between min and max digits, then the separator unless that is NUL. */
static bool
take_number(const char **p, int min, int max, char separator, int64_t *out)
{
	int digits = 0;

	*out = 0;
	for (; **p >= '0' && **p <= '9' && digits < max; (*p)++, digits++)
		*out = *out * 10 + (**p - '0');
	if (digits < min)
		return false;
	if (separator == '\0')
		return true;
	return *(*p)++ == separator;
}

/* "HH:MM:SS" with up to six digits behind a point */
static bool
take_time(const char **p, int64_t *usec)
{
	int64_t hours;
	int64_t minutes;
	int64_t seconds;

	if (!take_number(p, 2, 2, ':', &hours) ||
		!take_number(p, 2, 2, ':', &minutes) ||
		!take_number(p, 2, 2, '\0', &seconds))
		return false;
	*usec = ((hours * 60 + minutes) * 60 + seconds) * USEC_PER_SECOND;
	if (**p != '.')
		return true;
	(*p)++;
	for (int64_t unit = USEC_PER_SECOND / 10;
		 unit > 0 && **p >= '0' && **p <= '9'; unit /= 10)
		*usec += (*(*p)++ - '0') * unit;
	return true;
}

static bool
take_word(const char **p, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*p, word, len) != 0)
		return false;
	*p += len;
	return true;
}

/* "2024-02-29 12:00:00.5+00 BC", as much of it as the type has */
static bool
parse_moment(uint32_t type_oid, const char *text, size_t len, Moment *out)
{
	const char *p = text;

	memset(out, 0, sizeof(*out));
	if (take_word(&p, "infinity"))
		out->infinity = 1;
	else if (take_word(&p, "-infinity"))
		out->infinity = -1;
	else if (!take_number(&p, 4, 9, '-', &out->year) ||
			 !take_number(&p, 2, 2, '-', &out->month) ||
			 !take_number(&p, 2, 2, '\0', &out->day))
		return false;
	else
	{
		if (type_oid != DATEOID &&
			(!take_word(&p, " ") || !take_time(&p, &out->usec)))
			return false;
		if (type_oid == TIMESTAMPTZOID && !take_word(&p, "+00"))
			return false;
		if (take_word(&p, " BC"))
			out->year = 1 - out->year;
	}
	return p == text + len;
}

static bool
compare_moments(uint32_t type_oid, const char *a, size_t a_len, const char *b,
				size_t b_len, int *order)
{
	Moment x;
	Moment y;

	if (!parse_moment(type_oid, a, a_len, &x) ||
		!parse_moment(type_oid, b, b_len, &y))
		return false;
	*order = sign_of(x.infinity, y.infinity);
	if (*order == 0)
		*order = sign_of(x.year, y.year);
	if (*order == 0)
		*order = sign_of(x.month, y.month);
	if (*order == 0)
		*order = sign_of(x.day, y.day);
	if (*order == 0)
		*order = sign_of(x.usec, y.usec);
	return true;
}

bool
key_compare(uint32_t type_oid, const char *a, size_t a_len, const char *b,
			size_t b_len, int *order)
{
	switch (type_oid)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case OIDOID:
			return compare_integers(a, a_len, b, b_len, order);
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return compare_moments(type_oid, a, a_len, b, b_len, order);
		case UUIDOID:
			/* lower-case digits and hyphens at the same places: bytes do */
			*order = compare_bytes(a, a_len, b, b_len);
			return a_len == 36 && b_len == 36;
		case TEXTOID:
		case VARCHAROID:
			*order = compare_bytes(a, a_len, b, b_len);
			return true;
		default:
			return false;
	}
}
