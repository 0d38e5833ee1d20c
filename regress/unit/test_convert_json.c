/*
 * test_convert_json.c
 *		JSON, arrays and hstore on their way into JSON of MySQL and MariaDB.
 */
#include <jansson.h>
#include <math.h>

#include "convert_case.h"

static ColumnMap
json_column(bool strict)
{
	ColumnMap column = COLUMN_INIT;

	column.convert = CONVERT_JSON;
	column.strict_json = strict;
	column.max_depth = strict ? 100 : 31;
	return column;
}

/* As it is, with a loss of this kind behind it, or "". */
static void
same(const ColumnMap *column, const char *in, const char *loss)
{
	char want[600];

	snprintf(want, sizeof(want), "%s%s", in, loss);
	is_str(converted(column, in), want, in);
}

static void
test_text(void)
{
	ColumnMap column = json_column(false);
	static const char *const kept[] = {
		"null",
		"true",
		"false",
		"\"\"",
		"\"\\u0000 \\\" \\\\ \\/ \\b\\f\\n\\r\\t\"",
		"\"\\ud83d\\ude00 \xF0\x9F\x98\x80\"",
		"[]",
		"{}",
		"[[], {}, [1, 2], {\"a\": [null]}]",
		" [ 1 , 2 ] ",
		"{\"a\": 1, \"a\": 2}",
		"123456789012345678901234567890.123",
		"1e400",
		"2.50",
		"-0",
	};
	static const char *const wrong[] = {
		"",		 "nul",	   "[1",	  "[1,]",	   "{\"a\"}", "{\"a\":}",
		"{a:1}", "01",	   "1.",	  ".5",		   "1e",	  "-",
		"[1 2]", "\"\n\"", "\"\\x\"", "\"\\u12\"", "1 2",	  "{\"a\":1,}",
		"]",	 "[}",	   "\"a",	  "\"\\\"",
	};

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		same(&column, kept[i], "");
	column.policy = LOSS_CLAMP;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		is_str(converted(&column, wrong[i]), "ERROR", wrong[i]);
	policies_case(column, "[\"\\ud800\", \"x\\udc00\\udc00\"]",
				  "[\"\\ufffd\", \"x\\ufffd\\ufffd\"] [encoding]",
				  "[\"\\ufffd\", \"x\\ufffd\\ufffd\"] [encoding]",
				  "NULL [encoding]");
}

static void
test_depth(void)
{
	ColumnMap column = json_column(false);
	char text[300] = "";

	for (int i = 0; i < 31; i++)
		strcat(text, "[");
	for (int i = 0; i < 31; i++)
		strcat(text, "]");
	same(&column, text, "");
	column.max_depth = 30;
	policies_case(column, text, "NULL [JSON depth]", "NULL [JSON depth]",
				  "NULL [JSON depth]");
	column.not_null = true;
	policies_case(column, text, "null [JSON depth]", "null [JSON depth]",
				  "ERROR");
}

static void
test_keys(void)
{
	ColumnMap column = json_column(true);

	column.policy = LOSS_WARN;
	same(&column, "{\"a\": 1, \"b\": 2, \"aa\": 3}", "");
	same(&column, "{\"b\": 1, \"a\": {\"b\": 2}, \"c\": [{\"b\": 1}, \"b\"]}",
		 "");
	same(&column, "{\"b\": \"a\", \"a\": \"b\"}", "");
	same(&column, "{\"a\": 1, \"a\": 2}", " [JSON keys]");
	same(&column, "{\"b\": 1, \"a\": 1, \"b\": 2}", " [JSON keys]");
	same(&column, "{\"b\": 1, \"a\": {\"x\": 0, \"\\u0078\": 1}}",
		 " [JSON keys]");
	same(&column, "{\"\\n\": 1, \"\\u000a\": 1}", " [JSON keys]");
	same(&column, "{\"\\ud83d\\ude00\": 1, \"\xF0\x9F\x98\x80\": 1}",
		 " [JSON keys]");
	same(&column, "{\"\xE2\x82\xAC\": 1, \"\\u20ac\": 1}", " [JSON keys]");
	same(&column, "{\"\\u00e4\": 1, \"a\\\"\": 1, \"\\/\": 0}", "");
	same(&column, "{\"c\": \"}{,\\\"\", \"b\": [\",\", {\"c\": 1}], \"c\": 1}",
		 " [JSON keys]");
	column.strict_json = false;
	same(&column, "{\"a\": 1, \"a\": 2}", "");
	column.strict_json = true;
	column.policy = LOSS_ERROR;
	is_str(converted(&column, "{\"a\": 1, \"a\": 2}"), "ERROR", "by error");
}

static void
test_numbers(void)
{
	ColumnMap column = json_column(true);
	static const char *const kept[] = {
		"0",
		"-1",
		"9223372036854775807",
		"-9223372036854775808",
		"18446744073709551615",
		"0.1",
		"0.0",
		"-0.0",
		"100.0",
		"123456789.123456",
		"1.5e10",
		"1E-5",
		"0.30000000000000004",
	};
	static const char *const scale[] = {
		"2.50",
		"1.00",
		"0.00",
		"-0",
		"100000000000000000000",
		"1844674407370955000000",
	};
	static const char *const other[] = {
		"18446744073709551617",
		"-9223372036854775809",
		"123456789012345678901234567890.123",
		"0.10000000000000001",
		"0.1234567890123456789",
		"12345678901234567890123",
		"1e-400",
		"0.30000000000000005",
	};

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		same(&column, kept[i], "");
	for (size_t i = 0; i < sizeof(scale) / sizeof(scale[0]); i++)
		same(&column, scale[i], " [JSON scale]");
	column.policy = LOSS_WARN;
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		same(&column, other[i], " [JSON number]");
	column.policy = LOSS_NULL;
	same(&column, "[2.50]", " [JSON scale]");
	policies_case(column, "[1, -1e400, 2.50]",
				  "[1, -1.797693134862315e308, 2.50] [JSON number]",
				  "[1, -1.797693134862315e308, 2.50] [JSON number]",
				  "NULL [JSON number]");
	is_str(converted(&column, "{\"a\": 2.50, \"b\": 12345678901234567890123}"),
		   "NULL [JSON number]", "the worse loss counts");
	column.strict_json = false;
	same(&column, "12345678901234567890123", "");
}

static double
random_double(void)
{
	uint64_t bits = 0;
	double value;

	do
	{
		for (int i = 0; i < 5; i++)
			bits = bits << 15 ^ (uint64_t) rand();
		memcpy(&value, &bits, sizeof(value));
	} while (!isfinite(value));
	return value;
}

/*
 * Whatever a double is written as: it is kept, and what is sent in its place is
 * read as the same double by a right reading.  (An older server's is tested with
 * such a server.)
 */
static void
test_doubles(void)
{
	static const double scales[] = { 1e-5, 1, 1e9 };
	ColumnMap column = json_column(true);
	int lost = 0;
	int wrong = 0;
	int runs = 20000;

	srand(3);
	for (int run = 0; run < runs; run++)
	{
		double value = run % 2 == 0 ? random_double()
									: rand() / 1048576.0 * scales[rand() % 3];
		char text[64];
		const char *got;
		int digits = 15;

		do
			snprintf(text, sizeof(text), "%.*g", digits, value);
		while (strtod(text, NULL) != value && ++digits <= 17);
		got = converted(&column, text);
		if (strcmp(got, "ERROR") == 0)
		{
			lost++;
			continue;
		}
		if (strtod(got, NULL) != value)
		{
			wrong++;
			printf("# %s became %s\n", text, got);
		}
	}
	is_int(wrong, 0, "no double becomes another one");
	ok(lost < runs / 100, "%d of %d doubles are refused", lost, runs);
}

static void
test_arrays(void)
{
	ColumnMap column = COLUMN_INIT;

	column.convert = CONVERT_ARRAY;
	column.strict_json = true;
	is_str(converted(&column, "{}"), "[]", "empty");
	is_str(converted(&column, "{a,NULL,\"NULL\",null,\"\"}"),
		   "[\"a\",null,\"NULL\",\"null\",\"\"]", "null and words");
	is_str(converted(&column, "{\"a \\\"b\\\" \\\\c\",\"{},\",\"\n\x01\"}"),
		   "[\"a \\\"b\\\" \\\\c\",\"{},\",\"\\n\\u0001\"]", "quoted");
	is_str(converted(&column, "{{a,b},{NULL,d}}"),
		   "[[\"a\",\"b\"],[null,\"d\"]]", "two dimensions");
	is_str(converted(&column, "{{{{{{x}}}}}}"), "[[[[[[\"x\"]]]]]]", "six");
	policies_case(column, "[2:3]={a,b}", "[\"a\",\"b\"] [array bounds]",
				  "[\"a\",\"b\"] [array bounds]", "NULL [array bounds]");
	policies_case(column, "[-1:0][5:5]={{a},{b}}",
				  "[[\"a\"],[\"b\"]] [array bounds]",
				  "[[\"a\"],[\"b\"]] [array bounds]", "NULL [array bounds]");
	column.element = CONVERT_INTEGER;
	is_str(converted(&column, "{1,-2,NULL,9223372036854775807}"),
		   "[1,-2,null,9223372036854775807]", "integers");
	is_str(converted(&column, "{1.5}"), "ERROR", "no integer");
	column.element = CONVERT_DOUBLE;
	is_str(converted(&column, "{0.1,-0,1e+20,NaN,-Infinity,Infinity,5e-324}"),
		   "[0.1,-0.0,1e+20,\"NaN\",\"-Infinity\",\"Infinity\",5e-324]",
		   "doubles");
	is_str(converted(&column, "{nan}"), "ERROR", "no double");
	column.element = CONVERT_BOOLEAN;
	is_str(converted(&column, "{t,f,NULL}"), "[true,false,null]", "booleans");
	column.element = CONVERT_DECIMAL;
	is_str(converted(&column, "{1.50,NaN,99999999999999999999}"),
		   "[\"1.50\",\"NaN\",\"99999999999999999999\"]", "decimals");
	column.element = CONVERT_MONEY;
	is_str(converted(&column, "{\"$1,234.50\",-$0.01}"),
		   "[\"1234.50\",\"-0.01\"]", "money");
	column.element = CONVERT_BYTES;
	is_str(converted(&column, "{\"\\\\x\",\"\\\\x66\",\"\\\\x666f\","
							  "\"\\\\x666f6f\",\"\\\\xfffefdfc\",NULL}"),
		   "[\"\",\"Zg==\",\"Zm8=\",\"Zm9v\",\"//79/A==\",null]", "bytes");
	is_str(converted(&column, "{\"\\\\x6\"}"), "ERROR", "half a byte");
	column.element = CONVERT_JSON_TEXT;
	is_str(converted(&column, "{\"{\\\"a\\\": 2.50}\",\"null\",NULL}"),
		   "[\"{\\\"a\\\": 2.50}\",\"null\",null]", "JSON as text");
}

static void
test_not_arrays(void)
{
	static const char *const wrong[] = {
		"",			  "{",		  "}",		 "{a",		  "{a,",
		"{,a}",		  "{a,}",	  "{{}}",	 "{a}b",	  "{a}}",
		"[1:2]",	  "[1:2]=",	  "[1]={a}", "[a:b]={c}", "{\"a}",
		"{a{b}}",	  "{\"a\"b}", "{a\\b}",	 "1 2",		  "{{{{{{{x}}}}}}}",
		"{a b\"c\"}",
	};
	ColumnMap column = COLUMN_INIT;

	column.convert = CONVERT_ARRAY;
	column.policy = LOSS_CLAMP;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		is_str(converted(&column, wrong[i]), "ERROR", wrong[i]);
}

/* Every byte, long texts: against jansson. */
static void
test_strings(void)
{
	ColumnMap column = COLUMN_INIT;
	int wrong = 0;

	column.convert = CONVERT_ARRAY;
	srand(4);
	for (int run = 0; run < 3000; run++)
	{
		char text[80];
		char array[200] = "{\"";
		size_t len = (size_t) rand() % 70;
		size_t at = 2;
		json_t *back;

		for (size_t i = 0; i < len; i++)
		{
			text[i] = (char) (rand() % 3 == 0 ? 1 + rand() % 127
											  : 'a' + rand() % 26);
			if (text[i] == '"' || text[i] == '\\')
				array[at++] = '\\';
			array[at++] = text[i];
		}
		text[len] = '\0';
		memcpy(array + at, "\"}", 3);
		back = json_loads(converted(&column, array), 0, NULL);
		if (back == NULL || json_array_size(back) != 1 ||
			strcmp(json_string_value(json_array_get(back, 0)), text) != 0)
			wrong++;
		json_decref(back);
	}
	is_int(wrong, 0, "jansson reads the texts that went in");
}

static void
test_hstore(void)
{
	static const char *const wrong[] = {
		"a",
		"\"a\"",
		"\"a\"=>",
		"\"a\"=>b",
		"\"a\"=>\"b",
		"\"a\"=>\"b\", ",
		"\"a\"=>\"b\",\"c\"=>NULL",
		"\"a\"=>null",
	};
	ColumnMap column = COLUMN_INIT;

	column.convert = CONVERT_HSTORE;
	is_str(converted(&column, ""), "{}", "empty");
	is_str(converted(&column, "\"k\"=>\"v\", \"n\"=>NULL, \"\"=>\"\""),
		   "{\"k\":\"v\",\"n\":null,\"\":\"\"}", "pairs");
	is_str(converted(&column, "\"a\\\"b\"=>\"c\\\\d, \", \"=>\"=>\"NULL\""),
		   "{\"a\\\"b\":\"c\\\\d, \",\"=>\":\"NULL\"}", "escaped");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		is_str(converted(&column, wrong[i]), "ERROR", wrong[i]);
}

int
main(void)
{
	test_text();
	test_depth();
	test_keys();
	test_numbers();
	test_doubles();
	test_arrays();
	test_not_arrays();
	test_strings();
	test_hstore();
	return done_testing();
}
