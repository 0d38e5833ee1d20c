/*
 * test_ddl_event.c
 *		Which messages are DDL, and that nothing else is believed.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/buffer.h"
#include "schema/schema.h"
#include "stream/ddl_event.h"
#include "tap.h"

static const DdlKey key = { true, "0123456789abcdef0123456789abcde" };

static const char *const good =
	"{\"xid\":\"4294967999\",\"event\":\"end\",\"tag\":\"ALTER TABLE\","
	"\"command\":\"ALTER TABLE t ADD b text DEFAULT '\xe4'\","
	"\"search_path\":\"public\",\"settings\":{\"TimeZone\":\"UTC\"},"
	"\"as\":false,\"new\":[1],"
	"\"objects\":[{\"type\":\"table\",\"schema\":\"public\","
	"\"identity\":\"public.t\",\"oid\":16400,\"table_oid\":\"16400\"},"
	"{\"type\":\"index\",\"schema\":\"public\",\"identity\":\"public.i\","
	"\"oid\":16402,\"table_oid\":16400,\"index\":{\"name\":\"i\","
	"\"unique\":true,\"primary\":false,\"plain\":true,\"columns\":[3,1]}}],"
	"\"tables\":[{\"oid\":16400,\"schema\":\"public\",\"name\":\"t\","
	"\"kind\":\"r\",\"storage\":16401,\"root\":0,\"primary_key\":[1],"
	"\"columns\":["
	"{\"num\":1,\"name\":\"a\",\"type_schema\":\"pg_catalog\","
	"\"type\":\"int4\",\"typmod\":-1,\"not_null\":true,\"generated\":\"\","
	"\"identity\":\"a\",\"type_text\":\"mood[]\",\"base\":{\"schema\":\"public\","
	"\"type\":\"_mood\",\"kind\":\"b\",\"category\":\"A\",\"typmod\":-1,"
	"\"element\":{\"schema\":\"public\",\"type\":\"mood\",\"kind\":\"e\","
	"\"category\":\"E\",\"labels\":[\"sad\",\"\xe4\"]}}},"
	"{\"num\":3,\"name\":\"b\",\"type_schema\":\"pg_catalog\","
	"\"type\":\"text\",\"typmod\":-1,\"not_null\":false,\"generated\":null,"
	"\"missing\":\"\xe4\",\"default\":\"'x'::text\"}]}]}";

/* A message whose HMAC is right. */
static Message
message_of(const char *json, Buffer *content)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	Message message = { .transactional = true };

	HMAC(EVP_sha256(), key.bytes, DDL_KEY_SIZE, (const unsigned char *) json,
		 strlen(json), mac, &len);
	buffer_reset(content);
	buffer_puts(content, "1 ");
	for (unsigned i = 0; i < len; i++)
		buffer_printf(content, "%02x", mac[i]);
	buffer_printf(content, " %s", json);
	message.prefix = slice_of(DDL_PREFIX);
	message.content.data = content->data;
	message.content.len = content->len;
	return message;
}

static void
test_genuine(void)
{
	Error err = ERROR_INIT;
	DdlKey none = { false, "" };
	DdlKey other = key;
	Buffer content;
	Message message;
	bool genuine;
	size_t len;

	buffer_init(&content);
	message = message_of(good, &content);
	ok(ddl_event_is(&message), "the prefix");
	ok(ddl_event_verify(&message, &key, 703, &genuine, &err) && genuine,
	   "genuine, the xid by its lower half");
	ok(ddl_event_verify(&message, &key, 704, &genuine, &err) && !genuine,
	   "not in another transaction");
	ok(ddl_event_verify(&message, &none, 703, &genuine, &err) && !genuine,
	   "not without a key");
	other.bytes[31] ^= 1;
	ok(ddl_event_verify(&message, &other, 703, &genuine, &err) && !genuine,
	   "not with another key");
	len = content.len;
	for (size_t i = 0; i < len; i += 7)
	{
		content.data[i] ^= 1;
		if (!ddl_event_verify(&message, &key, 703, &genuine, &err) || genuine)
			break;
		content.data[i] ^= 1;
		if (i + 7 >= len)
			ok(true, "not with any byte changed");
	}
	for (len = 0; len < content.len; len++)
	{
		message.content.len = len;
		if (!ddl_event_verify(&message, &key, 703, &genuine, &err) || genuine)
			break;
	}
	is_int((long long) len, (long long) content.len, "not cut short");
	message = message_of("[1]", &content);
	ok(!ddl_event_verify(&message, &key, 703, &genuine, &err) &&
		   err.code == P_PROTOCOL,
	   "with our HMAC and no object: damaged");
	message.transactional = false;
	ok(!ddl_event_is(&message), "a message outside of a transaction is none");
	buffer_release(&content);
}

static void
test_parsed(void)
{
	Error err = ERROR_INIT;
	Buffer content;
	Message message;
	DdlEvent event;
	const SchemaType *type;
	Arena arena;

	arena_init(&arena);
	buffer_init(&content);
	message = message_of(good, &content);
	ok(ddl_event_parse(&message, &arena, &event, &err), "parsed");
	is_int(event.kind, DDL_END, "its kind");
	is_str(event.command, "ALTER TABLE t ADD b text DEFAULT '\xe4'",
		   "its command, in whatever encoding");
	is_str(event.settings[0].value, "UTC", "a setting");
	is_int(event.objects[0].table_oid, 16400, "an OID as text");
	is_int(event.tables[0].storage, 16401, "storage");
	is_int(event.tables[0].columns[0].identity, 'a', "an identity");
	is_int(event.tables[0].columns[0].generated, 0, "not generated");
	is_str(event.tables[0].columns[1].missing, "\xe4", "older rows");
	is_str(event.tables[0].columns[0].missing, NULL, "which have none");
	ok(event.tables[0].columns[0].key && !event.tables[0].columns[1].key,
	   "the primary key");
	ok(event.objects[0].index == NULL, "a table is no index");
	is_str(event.objects[1].index->name, "i", "an index");
	ok(event.objects[1].index->unique && event.objects[1].index->plain &&
		   !event.objects[1].index->primary,
	   "and what it is like");
	is_int(event.objects[1].index->count, 2, "its columns");
	is_int(event.objects[1].index->nums[0], 3, "in their order");
	ok(event.tables[0].columns[1].type == NULL, "a type that is not described");
	type = event.tables[0].columns[0].type;
	is_str(type->base_name, "_mood", "one that is");
	is_int(type->category, 'A', "an array");
	is_str(type->element_name, "mood", "of an enum");
	is_int(type->label_count, 2, "with its labels");
	is_str(type->labels[1], "\xe4", "in the source's encoding");
	buffer_release(&content);
	arena_release(&arena);
}

/* Every value of the good message, replaced by something of another type. */
static void
test_wrong(void)
{
	static const char *const wrong[] = {
		"{}",
		"{\"xid\":\"1\",\"event\":\"end\"}",
		"{\"xid\":\"1\",\"event\":\"else\",\"tag\":\"X\"}",
		"{\"xid\":\"1\",\"event\":\"end\",\"tag\":7}",
		"{\"xid\":\"1\",\"event\":\"end\",\"tag\":\"X\",\"as\":1}",
		"{\"xid\":\"1\",\"event\":\"end\",\"tag\":\"X\",\"settings\":[]}",
		"{\"xid\":\"1\",\"event\":\"end\",\"tag\":\"X\",\"settings\":{\"a\":1}}",
		"{\"xid\":\"1\",\"event\":\"end\",\"tag\":\"X\",\"objects\":{}}",
		"{\"xid\":\"1\",\"event\":\"end\",\"tag\":\"X\",\"objects\":[1]}",
		"{\"xid\":\"1\",\"event\":\"end\",\"tag\":\"X\",\"tables\":[{}]}",
		"{\"xid\":\"1\",\"event\":\"end\",\"tag\":\"X\",\"tables\":[{\"oid\":1,"
		"\"schema\":\"s\",\"name\":\"n\",\"kind\":\"v\",\"columns\":[]}]}",
		"{\"xid\":\"1\",\"event\":\"end\",\"tag\":\"X\",\"tables\":[{\"oid\":1,"
		"\"schema\":\"s\",\"name\":\"n\",\"kind\":\"r\",\"columns\":[{\"num\":0"
		"}]}]}",
		"{\"xid\":\"1\",\"event\":\"end\",\"tag\":\"X\",\"tables\":[{\"oid\":1,"
		"\"schema\":\"s\",\"name\":\"n\",\"kind\":\"r\",\"columns\":[{\"num\":"
		"40000}]}]}",
		"{\"xid\":\"1\",\"event\":\"end\",\"tag\":\"X\",\"tables\":[{\"oid\":"
		"99999999999}]}",
		"{\"xid\":\"1\",\"event\":\"drop\",\"tag\":\"X\",\"dropped\":[null]}",
		"{\"xid\":\"1\",\"event\":\"rewrite\",\"tag\":\"X\"}",
		"{\"xid\":\"1\",\"event\":\"end\",\"tag\":\"\\u20ac\"}",
		"{\"xid\":\"1\",\"xid\":\"1\"}",
		"{\"xid\":",
		"nonsense",
	};
	Buffer content;
	DdlEvent event;
	Arena arena;

	arena_init(&arena);
	buffer_init(&content);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
	{
		Error err = ERROR_INIT;
		Message message = message_of(wrong[i], &content);

		ok(!ddl_event_parse(&message, &arena, &event, &err) &&
			   err.code == P_PROTOCOL,
		   "refused: %s", wrong[i]);
	}
	buffer_release(&content);
	arena_release(&arena);
}

static void
test_rewrite(void)
{
	static const struct
	{
		const char *json;
		bool is_volatile;
	} cases[] = {
		{ "{\"table_oid\":5,\"volatile\":false}", false },
		{ "{\"table_oid\":5,\"volatile\":true}", true },
		{ "{\"table_oid\":5}", true },
		{ "{\"table_oid\":5,\"volatile\":0}", true },
	};
	Error err = ERROR_INIT;
	Buffer content;
	DdlEvent event;
	Arena arena;

	arena_init(&arena);
	buffer_init(&content);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		Message message;
		const char *json = arena_printf(
			&arena, "{\"event\":\"rewrite\",\"tag\":\"X\",\"rewrite\":%s}",
			cases[i].json);

		message = message_of(json, &content);
		ok(ddl_event_parse(&message, &arena, &event, &err) &&
			   event.rewritten_oid == 5 &&
			   event.rewrite_volatile == cases[i].is_volatile,
		   "%s", cases[i].json);
	}
	buffer_release(&content);
	arena_release(&arena);
}

int
main(void)
{
	test_genuine();
	test_parsed();
	test_wrong();
	test_rewrite();
	return done_testing();
}
