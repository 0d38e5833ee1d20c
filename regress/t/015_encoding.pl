# Databases of different encodings: text and names arrive as the same
# characters, and what the target's encoding does not have stops the migration.

use strict;
use warnings;

use PortageTest;
use Test::More;

my $source = source_new('source', databases => []);
my $target = target_new('target', databases => []);

sub databases
{
	my ($name, $from, $to) = @_;
	my $locale = q{TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'};
	$source->safe_psql('postgres', "CREATE DATABASE $name ENCODING '$from' $locale");
	source_grant($source, $name);
	$target->safe_psql('postgres',
		"CREATE DATABASE $name ENCODING '$to' $locale OWNER " . TARGET_ROLE);
	return;
}

# What is written in this file is UTF-8, the servers convert it.
sub utf8
{
	my ($node, $database, $sql) = @_;
	local $ENV{PGCLIENTENCODING} = 'UTF8';
	return $node->safe_psql($database, $sql);
}

sub same
{
	my ($database, @tables) = @_;
	local $ENV{PGCLIENTENCODING} = 'UTF8';
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return tables_equal($source, $database, $target, $database, @tables);
}

sub until_caught_up
{
	my ($database) = @_;
	return ('run', endpoints($source, $target, $database), '--until', 'caught-up');
}

# Characters of each source's encoding that the target's has as well.
my @cases = (
	[ 'latin1_utf8', 'LATIN1', 'UTF8', 'é Größe ÿ ¡', 'Ünïçø' ],
	[ 'utf8_latin1', 'UTF8', 'LATIN1', 'é Größe ÿ ¡', 'Ünïçø' ],
	[ 'latin1_latin1', 'LATIN1', 'LATIN1', 'é Größe ÿ ¡', 'Ünïçø' ],
	[ 'latin9_utf8', 'LATIN9', 'UTF8', '100 € Œuvre', 'Œuvre' ],
	[ 'win1252_utf8', 'WIN1252', 'UTF8', '100 € Œuvre', 'Œuvre' ],
	[ 'euc_jp_utf8', 'EUC_JP', 'UTF8', '漢字 ひらがな 表', '表' ],
	[ 'koi8r_utf8', 'KOI8R', 'UTF8', 'Привет, мир', 'Привет' ]);
foreach my $case (@cases)
{
	my ($database, $from, $to, $text, $name) = @$case;
	databases($database, $from, $to);
	utf8($source, $database, <<"SQL");
CREATE TYPE "T$name" AS ENUM ('$text', '$name');
CREATE TABLE "$name" ("id$name" int PRIMARY KEY, "$name" text, e "T$name", a text[],
	j jsonb, c char(20) DEFAULT '$name', b bytea);
CREATE TABLE k ("k$name" text PRIMARY KEY, v text);
CREATE TABLE f (v text, w varchar(20));
ALTER TABLE f REPLICA IDENTITY FULL;
COMMENT ON TABLE "$name" IS 'about $text';
INSERT INTO "$name" VALUES (1, '$text', '$text', ARRAY['$text', NULL], '{"$name": "$text"}', '$text', '\\x00e9ff');
INSERT INTO k VALUES ('$text', '$text'), ('a', NULL); INSERT INTO f VALUES ('$text', '$name'), ('$text', '$name');
SQL
	portage_ok(until_caught_up($database));
	same($database, qq{public."$name"}, 'public.k', 'public.f');
	utf8($source, $database, <<"SQL");
INSERT INTO "$name" ("id$name", "$name", e, a) VALUES (2, '$text$text', '$name', ARRAY['$name']);
UPDATE "$name" SET "$name" = "$name" || '$text', j = '{"$name": null}' WHERE "id$name" = 1;
INSERT INTO k VALUES ('$name', '$text'); UPDATE k SET v = '$name' WHERE "k$name" = '$text';
UPDATE k SET "k$name" = '$name$name' WHERE "k$name" = 'a'; UPDATE f SET w = 'x' WHERE ctid = '(0,1)';
SQL
	portage_ok(until_caught_up($database));
	same($database, qq{public."$name"}, 'public.k', 'public.f');
	utf8($source, $database, qq{DELETE FROM k WHERE "k$name" = '$name'; DELETE FROM f WHERE v = '$text' AND w = '$name'});
	portage_ok(until_caught_up($database));
	same($database, 'public.k', 'public.f');
	is( utf8($target, $database, qq{SELECT "$name" FROM "$name" WHERE "id$name" = 2}),
		$text x 2,
		"$database: the same characters");
	is( utf8($target, $database, qq{SELECT obj_description('"$name"'::regclass)}),
		"about $text",
		"$database: in a comment");
}

# A character that the target does not have: the copy, or the stream, stops.
databases('copied', 'UTF8', 'LATIN1');
utf8($source, 'copied', q{CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'é'), (2, '€')});
my $result = portage_fails(4, until_caught_up('copied'));
like($result->{err}, qr/LATIN1.*\[P04\d\d\]/s, 'the copy names the encoding');

utf8($source, 'utf8_latin1', q{INSERT INTO f VALUES ('€', 'x')});
my $before = table_digest($target, 'utf8_latin1', 'public.f');
$result = portage_fails(4, until_caught_up('utf8_latin1'));
like($result->{err}, qr/public\.f.*LATIN1.*\[P0415\]/s,
	'the stream names table and encoding');
is(table_digest($target, 'utf8_latin1', 'public.f'), $before, 'and writes nothing');

# SQL_ASCII is no encoding: the bytes arrive where they are accepted.
databases('ascii_ascii', 'SQL_ASCII', 'SQL_ASCII');
databases('ascii_utf8', 'SQL_ASCII', 'UTF8');
my $bytes = q{E'\xff\xe9' || 'é'};
$source->safe_psql('ascii_ascii', "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, $bytes)");
portage_ok(until_caught_up('ascii_ascii'));
$source->safe_psql('ascii_ascii', "INSERT INTO t VALUES (2, $bytes); UPDATE t SET v = v || $bytes WHERE id = 1");
portage_ok(until_caught_up('ascii_ascii'));
my $hex = q{SELECT id, encode(textsend(v), 'hex') FROM t ORDER BY id};
is($target->safe_psql('ascii_ascii', $hex), "1|ffe9c3a9ffe9c3a9\n2|ffe9c3a9", 'bytes arrive as they are');

$source->safe_psql('ascii_utf8', q{CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'é')});
portage_ok(until_caught_up('ascii_utf8'));
$source->safe_psql('ascii_utf8', q{INSERT INTO t VALUES (2, '€')});
portage_ok(until_caught_up('ascii_utf8'));
is($target->safe_psql('ascii_utf8', $hex), "1|c3a9\n2|e282ac", 'bytes that are valid in UTF8 arrive');
$source->safe_psql('ascii_utf8', "INSERT INTO t VALUES (3, $bytes)");
$result = portage_fails(4, until_caught_up('ascii_utf8'));
like($result->{err}, qr/public\.t.*\[P0415\]/s, 'others stop the stream');
is($target->safe_psql('ascii_utf8', $hex), "1|c3a9\n2|e282ac", 'and nothing is written');

done_testing();
