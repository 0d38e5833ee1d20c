# DDL in the stream of databases whose encodings differ: the text of commands,
# names, defaults and what older rows have in a new column arrive as the same
# characters, with the extension's event triggers and without.

use strict;
use warnings;

use PortageFault;
use PortageTest;
use Test::More;

my $source = source_new('source', databases => [], fsync => 0);
my $target = target_new('target', databases => [], fsync => 0);

# This file is UTF-8, the servers convert it.
$ENV{PGCLIENTENCODING} = 'UTF8';

foreach my $case ([ 'latin1', 'LATIN1', 'UTF8', 1 ], [ 'bare', 'LATIN1', 'UTF8', 0 ], [ 'back', 'UTF8', 'LATIN1', 1 ])
{
	my ($database, $from, $to, $announced) = @$case;
	my $locale = q{TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'};
	my @run = ('run', endpoints($source, $target, $database), '--name', $database, '--until', 'caught-up');
	my $sql = sub { $source->safe_psql($database, @_) };

	$source->safe_psql('postgres', "CREATE DATABASE $database ENCODING '$from' $locale");
	$sql->('CREATE EXTENSION pg_portage') if $announced;
	source_grant($source, $database);
	$target->safe_psql('postgres', "CREATE DATABASE $database ENCODING '$to' $locale OWNER " . TARGET_ROLE);
	$sql->(<<'SQL');
CREATE TABLE größen (schlüssel int PRIMARY KEY, wört text); INSERT INTO größen VALUES (1, 'süß'), (2, 'groß');
CREATE TYPE öde AS ENUM ('trüb'); CREATE TABLE "Mäntel" (nr int PRIMARY KEY, größe int CONSTRAINT fürs REFERENCES größen);
INSERT INTO "Mäntel" VALUES (1, 1), (2, 2);
SQL
	portage_ok(@run);
	is( $source->safe_psql($database, 'SHOW server_encoding') . ' ' . $target->safe_psql($database, 'SHOW server_encoding'),
		"$from $to", "$database: the encodings differ");
	is( $source->safe_psql($database, q{SELECT octet_length(wört) FROM größen WHERE schlüssel = 1}),
		$from eq 'UTF8' ? 5 : 3, 'and so do the bytes');

	$sql->(<<'SQL');
ALTER TABLE größen ADD "Straße" text DEFAULT 'ä' NOT NULL; ALTER TABLE größen RENAME wört TO worte; INSERT INTO größen VALUES (3, 'Öl');
UPDATE größen SET "Straße" = 'Gässchen' WHERE schlüssel = 2; ALTER TABLE "Mäntel" RENAME TO "Röcke"; INSERT INTO "Röcke" VALUES (3, 3);
CREATE TABLE "Übersicht" ("Ä" int PRIMARY KEY, "ß" text DEFAULT 'fällt weg'); INSERT INTO "Übersicht" VALUES (1), (2);
SQL
	if ($announced)
	{
		$sql->(<<'SQL');
ALTER TYPE öde ADD VALUE 'schön'; ALTER TYPE öde RENAME VALUE 'trüb' TO 'gräulich'; ALTER TABLE größen ADD ö öde DEFAULT 'gräulich'; UPDATE größen SET ö = 'schön' WHERE schlüssel = 1;
CREATE VIEW ansïcht AS SELECT schlüssel, 'é' || worte AS é FROM größen WHERE worte <> 'ÿ'; CREATE INDEX übers ON größen (worte) WHERE worte <> 'ñ';
ALTER TABLE größen ADD CONSTRAINT prüfung CHECK (worte <> 'ö'); CREATE FUNCTION grüß() RETURNS text LANGUAGE sql AS 'SELECT ''Grüß Gott''::text';
CREATE SCHEMA "Bücher"; SET search_path = "Bücher", public; CREATE TABLE "Bänd" (i int PRIMARY KEY, t text DEFAULT public.grüß()); INSERT INTO "Bänd" VALUES (1), (2); RESET search_path;
DO $$BEGIN ALTER TABLE größen ADD "geändert" text DEFAULT 'mit ä'; END$$; ALTER TYPE öde RENAME TO "schöne"; INSERT INTO größen VALUES (4, 'vier');
ALTER TABLE "Röcke" RENAME CONSTRAINT fürs TO "für Röcke"; CREATE SEQUENCE zähler; DROP VIEW ansïcht; ALTER TABLE größen ADD wann text DEFAULT 'gegen ' || now()::text || ' üblich';
SQL
	}
	portage_ok(@run);
	tables_equal($source, $database, $target, $database, 'größen', '"Röcke"', '"Übersicht"', $announced ? '"Bücher"."Bänd"' : ());
	is($target->safe_psql($database, q{SELECT "Straße" FROM größen WHERE schlüssel = 1}), 'ä', 'what an older row has');

	# a stop names what the command was, and by hand it goes on
	$sql->(q{ALTER TABLE größen ADD zufällig float DEFAULT random(); UPDATE größen SET zufällig = 1; ALTER TABLE größen ALTER zufällig DROP DEFAULT});
	my $stopped = portage_fails(4, @run);
	error_ok($stopped, 'P0425', $announced ? qr/values that cannot be computed again/ : qr/column "zuf.+llig" is new/, 'a stop');
	like($stopped->{err}, $announced ? qr/ALTER TABLE gr.+en ADD zuf.+llig float/ : qr/table public\.gr.+en, known as/, 'with what it was');
	my ($lsn) = $stopped->{err} =~ /--ddl-done (\S+),/;
	sql_as_target($target, $database, 'ALTER TABLE größen ADD zufällig float DEFAULT 0');
	portage_ok(@run, '--ddl-done', $lsn // '0/1');
	sql_as_target($target, $database, 'ALTER TABLE größen ALTER zufällig DROP DEFAULT') unless $announced;
	portage_ok('finish', endpoints($source, $target, $database), '--name', $database);
	tables_equal($source, $database, $target, $database, 'größen', '"Röcke"');
	schemas_equal($source, $database, $target, $database) if $announced;
}

done_testing();
