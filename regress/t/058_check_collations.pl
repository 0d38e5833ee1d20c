# check: collations whose recorded version is not the one of the library that the
# server has now, of single columns and of the database, and what was stored in
# the old order.

use strict;
use warnings;

use JSON::PP ();
use PortageCheck;
use PortageTest;
use Test::More;

my $source = source_new('source', databases => [qw(app plain)]);
my $target = target_new('target', databases => [qw(app plain)]);
my $has_database_versions =
  $source->safe_psql('plain',
	q{SELECT count(*) FROM pg_attribute WHERE attrelid = 'pg_database'::regclass
	AND attname = 'datcollversion'});
my @app = endpoints($source, $target);
my %stays = (left_behind => JSON::PP::false);
my $reason = qr/what was stored in the old order may not be found, or twice, and keys may sort otherwise: /;

# ---- collations of columns
$source->safe_psql('app', <<'SQL');
CREATE COLLATION "My Order" (provider = icu, locale = 'de-u-co-phonebk');
CREATE COLLATION unused (provider = icu, locale = 'fr');
CREATE DOMAIN word AS text COLLATE "My Order";
CREATE TABLE words (id int PRIMARY KEY, word word UNIQUE, other text COLLATE "My Order", plain text COLLATE "C");
CREATE INDEX on_expression ON words (lower(other));
CREATE INDEX beside ON words (plain);
CREATE INDEX twice ON words (other, word);
CREATE TABLE parts (id int, key text COLLATE "My Order") PARTITION BY RANGE (key);
CREATE TABLE part PARTITION OF parts FOR VALUES FROM ('a') TO ('m');
CREATE TABLE names (id int PRIMARY KEY, v text COLLATE "de-x-icu" UNIQUE);
SQL
look(0, @app);
is_deeply([ grep { $_->{message} =~ /is recorded/ } findings() ], [],
	'nothing has changed');
not_found('collations');
my $actual = $source->safe_psql('app',
	q{SELECT collversion FROM pg_collation WHERE collname = 'My Order'});
$source->safe_psql('app', q{UPDATE pg_collation SET collversion = '1.2.3'
	WHERE collname IN ('My Order', 'unused', 'de-x-icu', 'fr-x-icu')});
look(0, @app);
my @of = qw(on_expression twice words_word_key);
my $names = join(', ', map { "index public.$_" } @of);
found('warning', 'P0421', 'collation public.My Order',
	qr/\Aversion 1\.2\.3 is recorded, its library has \Q$actual\E: $reason$names, partition key of table public\.parts\z/,
	qr/\AREINDEX what is named, .* then ALTER COLLATION public\."My Order" REFRESH VERSION\z/,
	side => 'source', %stays);
found('warning', 'P0421', 'collation pg_catalog.de-x-icu',
	qr/$reason\Qindex public.names_v_key\E\z/, qr/ALTER COLLATION pg_catalog\."de-x-icu"/);
not_found("collation $_") foreach 'public.unused', 'pg_catalog.fr-x-icu';

# what nothing selected depends on is not named, nor an index of a table left out
look(0, @app, '--exclude-tables', 'names,parts');
found('warning', 'P0421', 'collation public.My Order', qr/$reason$names\z/, qr/./);
not_found('collation pg_catalog.de-x-icu');
look(0, @app, '--tables', 'names');
not_found('collation public.My Order');
found('warning', 'P0421', 'collation pg_catalog.de-x-icu', qr/names_v_key/, qr/./);

# many are not all named
$source->safe_psql('app', join(';', map { "CREATE INDEX many_$_ ON words (other)" } 1 .. 4));
look(0, @app);
found('warning', 'P0421', 'collation public.My Order',
	qr/${reason}index public\.many_1, .*, index public\.on_expression and 3 more\z/, qr/./);

# the remedy is one; a version that was recorded and is not told is not the same
$source->safe_psql('app', 'ALTER COLLATION "My Order" REFRESH VERSION');
look(0, @app);
not_found('collation public.My Order');
found('warning', 'P0421', 'collation pg_catalog.de-x-icu', $reason, qr/./);
$source->safe_psql('app', q{UPDATE pg_collation SET collversion = NULL
	WHERE collname = 'de-x-icu'; UPDATE pg_collation SET collversion = '7'
	WHERE collname = 'C';});
look(0, @app);
not_found('collation pg_catalog.de-x-icu');
found('warning', 'P0421', 'collation pg_catalog.C',
	qr/version 7 is recorded, its library tells none: ${reason}index public\.beside\z/, qr/./);

# ---- the database's own
if ($has_database_versions)
{
	my $with = q{TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en'};
	$source->safe_psql('postgres', "CREATE DATABASE icu $with");
	$target->safe_psql('postgres', 'CREATE DATABASE icu OWNER ' . TARGET_ROLE . " $with");
	$source->safe_psql('icu', <<'SQL');
CREATE TABLE t (id int PRIMARY KEY, v text UNIQUE, c text COLLATE "C" UNIQUE);
INSERT INTO t SELECT i, 'v' || i, 'c' || i FROM generate_series(1, 100) i;
CREATE MATERIALIZED VIEW seen AS SELECT v FROM t;
CREATE INDEX of_view ON seen (v);
SQL
	source_grant($source, 'icu');
	my @icu = endpoints($source, $target, 'icu');
	look(0, @icu);
	not_found('database icu');
	$source->safe_psql('postgres',
		q{UPDATE pg_database SET datcollversion = '1.0' WHERE datname = 'icu'});
	look(0, @icu);
	found('warning', 'P0421', 'database icu',
		qr/\Aversion 1\.0 is recorded, its library has \d[\d.]*: ${reason}index public\.of_view, index public\.t_v_key\z/,
		qr/then ALTER DATABASE icu REFRESH COLLATION VERSION\z/, side => 'source', %stays);
	look(0, @icu, '--exclude-tables', 't,seen');
	not_found('database icu');
	look(1, @icu, '--strict');

	# it is a warning: the migration goes on
	portage_ok('run', @icu, '--until', 'caught-up');
	tables_equal($source, 'icu', $target, 'icu', 'public.t');
	portage_ok('drop', @icu, '--yes');
	$source->safe_psql('icu', 'ALTER DATABASE icu REFRESH COLLATION VERSION');
	look(1, @icu);    # its tables are there
	not_found('database icu');
}

# a locale that has no version is none that has changed
$source->safe_psql('plain', 'CREATE TABLE t (id int PRIMARY KEY, v text UNIQUE)');
look(0, endpoints($source, $target, 'plain'));
not_found('database plain', qr/is recorded/);

done_testing();
