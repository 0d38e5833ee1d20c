/*
 * test_lsn.c
 *		LSNs as text, and back.
 */
#include "base/lsn.h"
#include "tap.h"

static void
test_print(void)
{
	char out[LSN_STRING_SIZE];

	is_str(lsn_to_string(LSN_NONE, out), "0/0", "none");
	is_str(lsn_to_string(UINT64_C(0x16B3748), out), "0/16B3748", "small");
	is_str(lsn_to_string(UINT64_C(0x1A0000000F), out), "1A/F",
		   "the halves are not padded");
	is_str(lsn_to_string(UINT64_MAX, out), "FFFFFFFF/FFFFFFFF", "the largest");
}

static void
test_parse(void)
{
	static const char *const bad[] = { "",	   "0",			  "/",
									   "0/",   "/0",		  "0/0 ",
									   " 0/0", "0/0/0",		  "g/0",
									   "0/-1", "0x1/0",		  "+1/0",
									   "1 /0", "100000000/0", "0/100000000" };
	Lsn lsn = 5;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!lsn_parse(bad[i], &lsn) && lsn == 5, "\"%s\" is refused", bad[i]);
	ok(lsn_parse("0/16B3748", &lsn) && lsn == UINT64_C(0x16B3748), "upper");
	ok(lsn_parse("1a/fF", &lsn) && lsn == UINT64_C(0x1A000000FF), "lower");
	ok(lsn_parse("00000001/00000002", &lsn) && lsn == UINT64_C(0x100000002),
	   "zeroes before");
	ok(lsn_parse("FFFFFFFF/FFFFFFFF", &lsn) && lsn == UINT64_MAX, "largest");
}

static void
test_round_trip(void)
{
	char out[LSN_STRING_SIZE];
	uint64_t seed = 1;
	bool same = true;
	Lsn back;

	for (int i = 0; i < 10000; i++)
	{
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
		same = same && lsn_parse(lsn_to_string(seed >> (i % 64), out), &back) &&
			   back == seed >> (i % 64);
	}
	ok(same, "what is printed is read as the same");
}

int
main(void)
{
	test_print();
	test_parse();
	test_round_trip();
	return done_testing();
}
