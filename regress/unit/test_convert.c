/*
 * test_convert.c
 *		Values of plain types on their way to MySQL: what is kept, what is lost,
 *		and what the policies make of it.
 */
#include "convert_case.h"

static void
kept(const ColumnMap *column, const char *in)
{
	is_str(converted(column, in), in, in);
}

static void
refused(ColumnMap column, const char *in)
{
	static const LossPolicy policies[] = { LOSS_ERROR, LOSS_WARN, LOSS_CLAMP,
										   LOSS_NULL, LOSS_TEXT };
	int errors = 0;

	for (int i = 0; i < 5; i++)
	{
		column.policy = policies[i];
		errors += strcmp(converted(&column, in), "ERROR") == 0;
	}
	is_int(errors, 5, in);
}

static void
test_text(void)
{
	ColumnMap column = COLUMN_INIT;

	kept(&column, "");
	kept(&column, "a\tb\\N\n'\"");
	column.max_chars = 3;
	kept(&column, "abc");
	kept(&column, "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
	policies_case(column, "abcd", "abc [length]", "abc [length]",
				  "NULL [length]");
	policies_case(column, "abc ", "abc [length]", "abc [length]",
				  "NULL [length]");
	policies_case(column, "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80x",
				  "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80 [length]",
				  "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80 [length]",
				  "NULL [length]");
	column.max_chars = -1;
	column.max_bytes = 4;
	kept(&column, "abcd");
	policies_case(column, "ab\xE2\x82\xAC", "ab [length]", "ab [length]",
				  "NULL [length]");
	column.max_bytes = -1;
	column.type = "char(5)";
	policies_case(column, "a ", "a [padding]", "a [padding]", "NULL [padding]");
	policies_case(column, "\xFF", "? [encoding]", "? [encoding]",
				  "NULL [encoding]");
	column.convert = CONVERT_TRIMMED;
	column.max_chars = 2;
	is_str(converted(&column, "a    "), "a", "padding means nothing");
	is_str(converted(&column, "   "), "", "spaces only");
	policies_case(column, "abc  ", "ab [length]", "ab [length]",
				  "NULL [length]");
}

/* Against counting byte by byte. */
static void
test_characters(void)
{
	static const char *const samples[] = { "x", "\xC3\xA4", "\xE2\x82\xAC",
										   "\xF0\x9F\x98\x80" };
	ColumnMap column = COLUMN_INIT;
	char text[256];
	int wrong = 0;

	column.policy = LOSS_CLAMP;
	srand(1);
	for (int run = 0; run < 2000; run++)
	{
		size_t ends[65] = { 0 };
		char want[300];
		int chars = rand() % 64;
		int max = rand() % 64;

		for (int i = 0; i < chars; i++)
		{
			const char *sample = samples[rand() % 4];

			memcpy(text + ends[i], sample, strlen(sample));
			ends[i + 1] = ends[i] + strlen(sample);
		}
		column.max_chars = max;
		snprintf(want, sizeof(want), "%.*s%s",
				 (int) ends[chars < max ? chars : max], text,
				 chars > max ? " [length]" : "");
		wrong += strcmp(convert_case(&column, text, ends[chars], false),
						want) != 0;
	}
	is_int(wrong, 0, "characters are counted as one by one");
}

static void
test_plain(void)
{
	ColumnMap column = COLUMN_INIT;
	static const char *labels[] = { "sad", "it's", "odd " };

	column.convert = CONVERT_BOOLEAN;
	is_str(converted(&column, "t"), "1", "true");
	is_str(converted(&column, "f"), "0", "false");
	refused(column, "true");
	refused(column, "");
	column.convert = CONVERT_INTEGER;
	kept(&column, "0");
	kept(&column, "-9223372036854775808");
	kept(&column, "18446744073709551615");
	refused(column, "");
	refused(column, "-");
	refused(column, "1.0");
	refused(column, "1 OR 1=1");
	column.convert = CONVERT_BITS;
	column.max_chars = 4;
	kept(&column, "0000");
	kept(&column, "101");
	policies_case(column, "10101", "1010 [length]", "1010 [length]",
				  "NULL [length]");
	refused(column, "012");
	refused(column, "");
	column.convert = CONVERT_ENUM;
	column.labels = labels;
	column.label_count = 3;
	kept(&column, "sad");
	kept(&column, "it's");
	policies_case(column, "odd ", "odd [padding]", "odd [padding]",
				  "NULL [padding]");
	policies_case(column, "SAD", "NULL [label]", "NULL [label]",
				  "NULL [label]");
	column.not_null = true;
	policies_case(column, "", "sad [label]", "sad [label]", "ERROR");
}

static void
test_bytes(void)
{
	ColumnMap column = COLUMN_INIT;

	column.convert = CONVERT_BYTES;
	is_str(converted(&column, "\\x"), "", "no bytes");
	is_str(converted(&column, "\\x616Bff"), "ak\xFF", "hex");
	is_str(convert_case(&column, "\\x61", 4, true), "\\x61", "raw");
	refused(column, "abc");
	refused(column, "\\x6");
	refused(column, "\\x6g");
	refused(column, "\\X61");
	refused(column, "");
	column.max_bytes = 2;
	is_str(converted(&column, "\\x6162"), "ab", "as many as there may be");
	policies_case(column, "\\x616263", "ab [length]", "ab [length]",
				  "NULL [length]");
}

static void
test_decimal(void)
{
	ColumnMap column = COLUMN_INIT;

	column.convert = CONVERT_DECIMAL;
	column.precision = 5;
	column.scale = 2;
	kept(&column, "0");
	kept(&column, "-999.99");
	kept(&column, "0.01");
	kept(&column, "1.50");
	is_str(converted(&column, "1.500000"), "1.50", "zeros are no digits");
	is_str(converted(&column, "-0.000"), "-0.00", "zeros only");
	policies_case(column, "1.005", "1.01 [precision]", "1.01 [precision]",
				  "NULL [precision]");
	policies_case(column, "-1.0049", "-1.00 [precision]", "-1.00 [precision]",
				  "NULL [precision]");
	policies_case(column, "9.995", "10.00 [precision]", "10.00 [precision]",
				  "NULL [precision]");
	policies_case(column, "0.995", "1.00 [precision]", "1.00 [precision]",
				  "NULL [precision]");
	policies_case(column, "-0.001", "0.00 [precision]", "0.00 [precision]",
				  "NULL [precision]");
	policies_case(column, "999.995", "999.99 [range]", "999.99 [range]",
				  "NULL [range]");
	policies_case(column, "-1000", "-999.99 [range]", "-999.99 [range]",
				  "NULL [range]");
	policies_case(column, "NaN", "NULL [NaN]", "NULL [NaN]", "NULL [NaN]");
	policies_case(column, "Infinity", "NULL [infinity]", "999.99 [infinity]",
				  "NULL [infinity]");
	policies_case(column, "-Infinity", "NULL [infinity]", "-999.99 [infinity]",
				  "NULL [infinity]");
	column.not_null = true;
	policies_case(column, "NaN", "0 [NaN]", "0 [NaN]", "ERROR");
	policies_case(column, "Infinity", "999.99 [infinity]", "999.99 [infinity]",
				  "ERROR");
	refused(column, "");
	refused(column, "-");
	refused(column, "1.");
	refused(column, ".5");
	refused(column, "1e5");
	refused(column, "1.2.3");
	refused(column, "007");
	refused(column, "nan");
	column.not_null = false;
	column.precision = 2;
	kept(&column, "0.12");
	policies_case(column, "1", "0.99 [range]", "0.99 [range]", "NULL [range]");
	column.scale = 0;
	is_str(converted(&column, "12.000"), "12", "without a point");
	policies_case(column, "12.5", "13 [precision]", "13 [precision]",
				  "NULL [precision]");
	policies_case(column, "99.5", "99 [range]", "99 [range]", "NULL [range]");
}

/*
 * Against long arithmetic of a sort: units of the last digit as an integer of
 * 128 bits, rounded by division.
 */
static void
test_rounding(void)
{
	ColumnMap column = COLUMN_INIT;
	int wrong = 0;

	column.convert = CONVERT_DECIMAL;
	column.policy = LOSS_CLAMP;
	srand(2);
	for (int run = 0; run < 20000; run++)
	{
		int in_scale = rand() % 9;
		long units = (long) rand() % 1000000000 /
					 (rand() % 3 == 0 ? 100000 : 1);
		long one = 1, step = 1, most = 1;
		__int128 rounded;
		char in[64];

		column.precision = 1 + rand() % 10;
		column.scale = rand() % (column.precision + 1);
		for (int i = 0; i < in_scale; i++)
			one *= 10;
		for (int i = column.scale; i < in_scale; i++)
			step *= 10;
		for (int i = 0; i < column.precision; i++)
			most *= 10;
		snprintf(in, sizeof(in), in_scale > 0 ? "-%ld.%0*ld" : "-%ld",
				 units / one, in_scale, units % one);
		rounded = (units + step / 2) / step;
		for (int i = in_scale; i < column.scale; i++)
			rounded *= 10;
		if (rounded >= most)
			rounded = most - 1;
		for (int i = column.scale; i > 0; i--)
			rounded *= 10;
		/* the result as units of 10^-scale, scaled by 10^scale once more */
		{
			const char *got = converted(&column, in);
			__int128 value = 0;
			int behind = -1;

			for (const char *p = got; *p != '\0' && *p != ' '; p++)
			{
				if (*p == '.')
					behind = 0;
				else if (*p != '-')
				{
					value = value * 10 + (*p - '0');
					behind += behind >= 0;
				}
			}
			for (int i = behind < 0 ? 0 : behind; i < 2 * column.scale; i++)
				value *= 10;
			if (value != rounded)
			{
				wrong++;
				printf("# %s in decimal(%d,%d): %s\n", in, column.precision,
					   column.scale, got);
			}
		}
	}
	is_int(wrong, 0, "decimals are rounded as integers are");
}

static void
test_money(void)
{
	ColumnMap column = COLUMN_INIT;

	column.convert = CONVERT_MONEY;
	column.precision = 19;
	column.scale = 2;
	is_str(converted(&column, "$1,234.56"), "1234.56", "grouped");
	is_str(converted(&column, "-$92,233,720,368,547,758.08"),
		   "-92233720368547758.08", "the least");
	is_str(converted(&column, "$0.01"), "0.01", "a cent");
	is_str(converted(&column, "($1.00)"), "-1.00", "in parentheses");
	is_str(converted(&column, "1234.56"), "1234.56", "plain");
	refused(column, "1.234,56");
	refused(column, "$1,234");
	refused(column, "$1,23.45");
	refused(column, "$1234,567.00");
	refused(column, "$,234.56");
	refused(column, "$12.345");
	refused(column, ".00");
	refused(column, "\xE2\x82\xAC"
					"1.00");
	refused(column, "1.00 $");
	refused(column, "");
	column.precision = 4;
	column.scale = 1;
	policies_case(column, "$1,234.56", "999.9 [range]", "999.9 [range]",
				  "NULL [range]");
	policies_case(column, "$123.45", "123.5 [precision]", "123.5 [precision]",
				  "NULL [precision]");
}

static void
test_double(void)
{
	ColumnMap column = COLUMN_INIT;

	column.convert = CONVERT_DOUBLE;
	kept(&column, "0");
	kept(&column, "0.1");
	kept(&column, "-1.5e-10");
	kept(&column, "1.7976931348623157e+308");
	kept(&column, "5e-324");
	kept(&column, "3.4028235e+38");
	is_str(converted(&column, "-0"), "-0e0", "no integer");
	policies_case(column, "NaN", "NULL [NaN]", "NULL [NaN]", "NULL [NaN]");
	policies_case(column, "-Infinity", "NULL [infinity]",
				  "-1.7976931348623157e308 [infinity]", "NULL [infinity]");
	policies_case(column, "1e400", "1.7976931348623157e308 [range]",
				  "1.7976931348623157e308 [range]", "NULL [range]");
	policies_case(column, "1e-400", "0 [precision]", "0 [precision]",
				  "NULL [precision]");
	column.keep_sign = false;
	policies_case(column, "-0", "0 [sign of zero]", "0 [sign of zero]",
				  "NULL [sign of zero]");
	refused(column, "");
	refused(column, "-");
	refused(column, "1e");
	refused(column, "1e+");
	refused(column, "1.");
	refused(column, ".1");
	refused(column, "1.2.3");
	refused(column, "0x10");
	refused(column, "inf");
}

static void
test_date(void)
{
	ColumnMap column = COLUMN_INIT;

	column.convert = CONVERT_DATE;
	kept(&column, "0001-01-01");
	kept(&column, "9999-12-31");
	kept(&column, "2024-02-29");
	policies_case(column, "0044-03-15 BC", "NULL [year]", "0001-01-01 [year]",
				  "NULL [year]");
	policies_case(column, "10000-01-01", "NULL [year]", "9999-12-31 [year]",
				  "NULL [year]");
	policies_case(column, "infinity", "NULL [infinity]",
				  "9999-12-31 [infinity]", "NULL [infinity]");
	policies_case(column, "-infinity", "NULL [infinity]",
				  "0001-01-01 [infinity]", "NULL [infinity]");
	refused(column, "2023-02-29");
	refused(column, "02023-02-28");
	refused(column, "2023-13-01");
	refused(column, "2023-00-01");
	refused(column, "2023-01-00");
	refused(column, "2023-1-1");
	refused(column, "01/02/2023");
	refused(column, "2023-01-01 AD");
	refused(column, "2023-01-01x");
	refused(column, "");
	column.not_null = true;
	policies_case(column, "0044-03-15 BC", "0001-01-01 [year]",
				  "0001-01-01 [year]", "ERROR");
}

static void
test_datetime(void)
{
	ColumnMap column = COLUMN_INIT;

	column.convert = CONVERT_DATETIME;
	column.precision = 6;
	kept(&column, "2024-02-29 23:59:59.999999");
	kept(&column, "0001-01-01 00:00:00");
	kept(&column, "2024-01-01 00:00:00.5");
	policies_case(column, "infinity", "NULL [infinity]",
				  "9999-12-31 23:59:59.999999 [infinity]", "NULL [infinity]");
	policies_case(column, "0044-03-15 00:00:00 BC", "NULL [year]",
				  "0001-01-01 00:00:00 [year]", "NULL [year]");
	policies_case(column, "294276-12-31 23:59:59.999999", "NULL [year]",
				  "9999-12-31 23:59:59.999999 [year]", "NULL [year]");
	policies_case(column, "99999999999999999999-12-31 23:59:59", "NULL [year]",
				  "9999-12-31 23:59:59.999999 [year]", "NULL [year]");
	refused(column, "2024-01-01");
	refused(column, "2024-01-01 00:00");
	refused(column, "2024-01-01 24:00:00");
	refused(column, "2024-01-01 00:00:60");
	refused(column, "2024-01-01 00:00:00+00");
	refused(column, "2024-01-01 00:00:00.");
	refused(column, "2024-01-01T00:00:00");
	column.precision = 3;
	is_str(converted(&column, "2024-01-01 00:00:00.500000"),
		   "2024-01-01 00:00:00.500", "zeros are no digits");
	policies_case(column, "2023-12-31 23:59:59.9995",
				  "2024-01-01 00:00:00.000 [precision]",
				  "2024-01-01 00:00:00.000 [precision]", "NULL [precision]");
	policies_case(column, "2024-02-28 23:59:59.9996",
				  "2024-02-29 00:00:00.000 [precision]",
				  "2024-02-29 00:00:00.000 [precision]", "NULL [precision]");
	policies_case(column, "2024-01-01 01:02:03.1234",
				  "2024-01-01 01:02:03.123 [precision]",
				  "2024-01-01 01:02:03.123 [precision]", "NULL [precision]");
	policies_case(column, "9999-12-31 23:59:59.999999",
				  "9999-12-31 23:59:59.999 [precision]",
				  "9999-12-31 23:59:59.999 [precision]", "NULL [precision]");
	column.precision = 0;
	is_str(converted(&column, "2024-01-01 00:00:00.0"), "2024-01-01 00:00:00",
		   "without a point");
	policies_case(column, "2023-12-31 23:59:59.5",
				  "2024-01-01 00:00:00 [precision]",
				  "2024-01-01 00:00:00 [precision]", "NULL [precision]");
	column.convert = CONVERT_UTC;
	column.precision = 6;
	is_str(converted(&column, "2024-01-01 00:00:00.25+00"),
		   "2024-01-01 00:00:00.25", "without its offset");
	policies_case(column, "0044-03-15 00:00:00+00 BC", "NULL [year]",
				  "0001-01-01 00:00:00 [year]", "NULL [year]");
	policies_case(column, "-infinity", "NULL [infinity]",
				  "0001-01-01 00:00:00 [infinity]", "NULL [infinity]");
	refused(column, "2024-01-01 00:00:00");
	refused(column, "2024-01-01 00:00:00+01");
	refused(column, "2024-01-01 00:00:00-00");
	refused(column, "2024-01-01 00:00:00+00:00");
	refused(column, "2024-01-01 00:00:00 UTC");
}

static void
test_time(void)
{
	ColumnMap column = COLUMN_INIT;

	column.convert = CONVERT_TIME;
	column.precision = 6;
	kept(&column, "00:00:00");
	kept(&column, "24:00:00");
	kept(&column, "23:59:59.999999");
	policies_case(column, "12:34:56.7-03:30", "12:34:56.7 [time zone]",
				  "12:34:56.7 [time zone]", "NULL [time zone]");
	policies_case(column, "24:00:00+15:59:59", "24:00:00 [time zone]",
				  "24:00:00 [time zone]", "NULL [time zone]");
	column.precision = 0;
	policies_case(column, "23:59:59.5", "24:00:00 [precision]",
				  "24:00:00 [precision]", "NULL [precision]");
	refused(column, "12:34");
	refused(column, "25:00:00");
	refused(column, "24:00:01");
	refused(column, "24:00:00.5");
	refused(column, "12:34:56 PM");
	refused(column, "12:34:56+");
	refused(column, "12:34:56+1");
	refused(column, "");
}

static void
test_errors(void)
{
	ColumnMap column = COLUMN_INIT;
	Error err = ERROR_INIT;
	Converted out;
	Buffer scratch;

	buffer_init(&scratch);
	column.name = "total";
	column.type = "varchar(3)";
	column.max_chars = 3;
	ok(!convert_value(&column, slice_of("a\nbcd"), false, &scratch, &out, &err),
	   "too long");
	is_str(err.message,
		   "column total: length: \"a\\x0abcd\" is too long for varchar(3)",
		   "the message names column, kind, value and type");
	has(err.hint, "--on-loss 'TABLE.total=clamp'", "the hint says what to do");
	column.not_null = true;
	column.policy = LOSS_NULL;
	ok(!convert_value(&column, slice_of("abcd"), false, &scratch, &out, &err),
	   "NOT NULL");
	has(err.hint, "NOT NULL", "the hint says why");
	buffer_release(&scratch);
}

int
main(void)
{
	test_text();
	test_characters();
	test_plain();
	test_bytes();
	test_decimal();
	test_rounding();
	test_money();
	test_double();
	test_date();
	test_datetime();
	test_time();
	test_errors();
	return done_testing();
}
