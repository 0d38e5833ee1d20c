/*
 * test_text_decoder.c
 *		Text of other encodings than UTF-8.
 */
#include "convert_case.h"

static const char *
decoded(const char *encoding, const char *in, size_t len)
{
	static char text[256];
	Error err = ERROR_INIT;
	Slice out = { NULL, 0 };
	Slice value = { in, len };
	TextDecoder *decoder;
	Buffer scratch;
	bool ok;

	buffer_init(&scratch);
	if (!text_decoder_open(encoding, &decoder, &err))
		return err.code == P_SERVER_SETUP ? "no decoder" : "wrong error";
	ok = text_decode(decoder, value, &scratch, &out, &err);
	snprintf(text, sizeof(text), "%.*s", (int) out.len, out.data);
	buffer_release(&scratch);
	text_decoder_close(decoder);
	return ok ? text : err.code == P_VALUE ? "invalid" : "wrong error";
}

static void
test_encodings(void)
{
	static const char *const names[] = {
		"EUC_CN",	  "EUC_JP",		"EUC_KR",	  "EUC_TW",		"KOI8R",
		"ISO_8859_5", "ISO_8859_6", "ISO_8859_7", "ISO_8859_8", "KOI8U",
		"LATIN1",	  "LATIN2",		"LATIN3",	  "LATIN4",		"LATIN5",
		"LATIN6",	  "LATIN7",		"LATIN8",	  "LATIN9",		"LATIN10",
		"WIN1250",	  "WIN1251",	"WIN1252",	  "WIN1253",	"WIN1254",
		"WIN1255",	  "WIN1256",	"WIN1257",	  "WIN1258",	"WIN866",
		"WIN874",	  "SQL_ASCII",
	};
	Error err = ERROR_INIT;
	TextDecoder *decoder;

	ok(text_decoder_open("UTF8", &decoder, &err) && decoder == NULL,
	   "UTF8 needs none");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		is_str(decoded(names[i], "ascii", 5), "ascii", names[i]);
	is_str(decoded("MULE_INTERNAL", "a", 1), "no decoder", "MULE_INTERNAL");
	is_str(decoded("EUC_JIS_2004", "a", 1), "no decoder", "EUC_JIS_2004");
	is_str(decoded("FANCY", "a", 1), "no decoder", "an unknown one");
	is_str(decoded("LATIN1", "na\xEFve", 5), "na\xC3\xAFve", "LATIN1");
	is_str(decoded("LATIN9", "5 \xA4", 3), "5 \xE2\x82\xAC", "LATIN9");
	is_str(decoded("EUC_JP", "\xC6\xFC\xCB\xDC", 4), "\xE6\x97\xA5\xE6\x9C\xAC",
		   "EUC_JP");
	is_str(decoded("EUC_JP", "x\xC6", 2), "invalid", "half a character");
	is_str(decoded("EUC_JP", "\xA1\xC1\xAD\xA1", 4), "\xEF\xBD\x9E\xE2\x91\xA0",
		   "EUC_JP as the source has it");
	is_str(decoded("WIN1258", "a\xCC", 2), "a\xCC\x80",
		   "an accent stays by itself");
	is_str(decoded("WIN1252", "a\x81", 2), "invalid", "no character");
	is_str(decoded("KOI8R", "\xED\xC9\xD2", 3), "\xD0\x9C\xD0\xB8\xD1\x80",
		   "KOI8R");
}

static void
test_validation(void)
{
	static const char *const valid[] = {
		"",
		"a\xC3\xA4",
		"\xC2\x80",
		"\xE0\xA0\x80",
		"\xED\x9F\xBF",
		"\xEE\x80\x80",
		"\xF0\x90\x80\x80",
		"\xF4\x8F\xBF\xBF",
		"a long text of ASCII, and at its end \xE2\x82\xAC",
	};
	static const char *const invalid[] = {
		"\x80",
		"\xC3",
		"\xC0\x80",
		"\xC1\xBF",
		"\xE0\x9F\xBF",
		"\xED\xA0\x80",
		"\xF0\x8F\xBF\xBF",
		"\xF4\x90\x80\x80",
		"\xF5\x80\x80\x80",
		"\xFF",
		"\xE2\x82",
		"\xE2\x28\xA1",
		"a long text of ASCII, and at its end \xE4",
	};

	for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++)
		is_str(decoded("SQL_ASCII", valid[i], strlen(valid[i])), valid[i],
			   "valid");
	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++)
		is_str(decoded("SQL_ASCII", invalid[i], strlen(invalid[i])), "invalid",
			   "invalid");
}

static const char *
by_policy(LossPolicy policy, const char *in)
{
	static char text[64];
	ColumnMap column = COLUMN_INIT;
	Error err = ERROR_INIT;
	TextDecoder *decoder;
	Converted out;
	Buffer scratch;
	Buffer buffer;

	column.policy = policy;
	if (!text_decoder_open("SQL_ASCII", &decoder, &err))
		return "no decoder";
	buffer_init(&scratch);
	buffer_init(&buffer);
	if (!convert_encoded(decoder, &column, slice_of(in), false, &buffer,
						 &scratch, &out, &err))
		snprintf(text, sizeof(text), "%.60s", err.message);
	else if (out.null)
		snprintf(text, sizeof(text), "NULL [%s]", loss_kind_name(out.loss));
	else
		snprintf(text, sizeof(text), "%.*s [%s]", (int) out.bytes.len,
				 out.bytes.data, loss_kind_name(out.loss));
	buffer_release(&scratch);
	buffer_release(&buffer);
	text_decoder_close(decoder);
	return text;
}

int
main(void)
{
	test_encodings();
	test_validation();
	is_str(by_policy(LOSS_WARN, "a\xFF\xFE"
								"b\xE2\x82\xAC"),
		   "a?"
		   "?b\xE2\x82\xAC [encoding]",
		   "a question mark for each byte");
	is_str(by_policy(LOSS_NULL, "a\xFF"), "NULL [encoding]", "NULL");
	has(by_policy(LOSS_ERROR, "a\xFF"), "column c: encoding: \"a\\xff\" is not",
		"an error that names the column");
	is_str(by_policy(LOSS_ERROR, "a\xC3\xA4"), "a\xC3\xA4 [none]",
		   "valid is not lost");
	return done_testing();
}
