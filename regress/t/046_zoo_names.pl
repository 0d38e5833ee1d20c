# Names that need quotes, that look like something else, that are as long as
# names can be; tables as wide as tables can be, and of no column at all. And
# the choice of tables by --tables, where a pattern names a partitioned table
# or one of its leaves.

use strict;
use warnings;
use utf8;

use PortageTest;
use Test::More;

my $source = source_new('source', databases => [ 'app', 'choice' ], fsync => 0);
my $target = target_new('target', databases => [ 'app', 'choice' ], fsync => 0);
# Whatever has two blocks is copied in pieces: by its key, or by blocks.
my @run = ('run', endpoints($source, $target), '--until', 'caught-up', '--split-over', '8kB');

# psql reads and writes bytes.
sub query
{
	my ($node, $sql) = @_;
	utf8::encode($sql);
	my $answer = $node->safe_psql('app', "SET standard_conforming_strings = on;\n$sql");
	utf8::decode($answer);
	return $answer;
}

sub name
{
	my ($name) = @_;
	$name =~ s/"/""/g;
	return qq{"$name"};
}

# Each name is a table's, a column's, a key's, an index's, a type's and, for
# some, a schema's.
my @names = (
	'plain', 'UPPER', 'upper', 'Upper', 'select', 'table', 'user', 'null', 'default', 'public', 'pg_class', 'new', 'old',
	'excluded', 'oid', 'value', 'row', '1', '0x1', ' ', '  ', ' a ', '.', 'a.b', '"', '""', '"a"."b"', '\'', '\'\'', '\\', '\\"', '\\\'',
	'$1', '$$', '$a$', '%', '%s%n%d', '%I.%L', ':a', '?', '*', 'a*', ',', 'a,b', ';', '; DROP TABLE plain; --', '--', '/*', '*/', '(', ')', '{}', '=',
	'E\'\\n\'', 'U&"\\0041"', "a\nb", "\n", "\n-- Name: x; Type: TABLE; Schema: public", "a\tb", "\r\n", "\x01\x7f", 'é', "e\x{301}", 'İıſß', '漢字',
	"\x{1F600}", "\x{200b}", "\x{a0}", "\x{feff}a", "\x{202e}abc", 'n' x 63, 'N' x 63, 'é' x 31 . 'x', '漢' x 21, "\x{1F600}" x 15 . 'abc', '"' x 63, '\\' x 63, '.' x 63,
	' ' x 63);
my @schemas = ('S', '.', '"', '\\', "line\nbreak", '%s', 'portage2', 'Portage', 'é' x 31 . 'x', 's' x 63, '漢' x 21, ' ', 'user', '*', "a,b;c'");

my $ddl = '';
my $fill = '';
my @tables;
foreach my $number (0 .. $#names)
{
	my $schema = name($schemas[ $number % @schemas ]);
	my $name = name($names[$number]);
	my $next = name($names[ ($number + 1) % @names ] eq $names[$number] ? 'x' : $names[ ($number + 1) % @names ]);
	my $kind = $number % 3;

	$ddl .= "CREATE SCHEMA $schema;\n" if $number < @schemas;
	# The type's name must not be the table's, which has one of that name.
	my $type = $schema . '.' . name('t' . substr($names[$number], 0, 31) . '"' . $number);
	$ddl .= "CREATE TYPE $type AS ENUM ('x', 'y'); CREATE TABLE $schema.$name ($next $type, $name int NOT NULL, other text);\n";
	$ddl .= "ALTER TABLE $schema.$name ADD PRIMARY KEY ($name);\n" if $kind == 0;
	my $index = name('i' . substr($names[$number], 0, 20) . '\'"\\');
	$ddl .= "CREATE UNIQUE INDEX $index ON $schema.$name ($name, $next); ALTER TABLE $schema.$name ALTER $next SET NOT NULL,"
	  . " REPLICA IDENTITY USING INDEX $index;\n"
	  if $kind == 1;
	$ddl .= "ALTER TABLE $schema.$name REPLICA IDENTITY FULL;\n" if $kind == 2;
	$fill .= "INSERT INTO $schema.$name SELECT 'x', g, 'o' FROM generate_series(:first, :last) AS g;\n";
	push @tables, { table => "$schema.$name", key => $name, type => $next };
}

# As wide as can be: 1600 columns, of which each is changed.
my @wide = map { "c$_" } 1 .. 1599;
$ddl .= 'CREATE TABLE wide (id int PRIMARY KEY, ' . join(', ', map { "$_ bool" } @wide) . ');';
$ddl .= 'CREATE TABLE wide_full (id int, ' . join(', ', map { "$_ \"char\"" } @wide) . '); ALTER TABLE wide_full REPLICA IDENTITY FULL;';
$ddl .= 'CREATE TABLE wide_key (' . join(', ', map { "k$_ int" } 1 .. 32) . ', v text, PRIMARY KEY (' . join(', ', map { "k$_" } reverse 1 .. 32) . '));';
$fill .= 'INSERT INTO wide SELECT g, ' . join(', ', map { $_ % 7 ? $_ % 2 ? 'true' : 'false' : 'NULL' } 1 .. 1599)
  . " FROM generate_series(:first, :last) AS g;\n";
$fill .= 'INSERT INTO wide_full SELECT g, ' . join(', ', map { "'" . chr(97 + $_ % 26) . "'" } 1 .. 1599)
  . " FROM generate_series(:first, :last) AS g;\n";
$fill .= 'INSERT INTO wide_key SELECT ' . join(', ', map { "g + $_" } 1 .. 32) . ", 'v' FROM generate_series(:first, :last) AS g;\n";
# Of nothing.
$ddl .= 'CREATE TABLE nothing (); ALTER TABLE nothing REPLICA IDENTITY FULL; CREATE TABLE was (a int, b int); INSERT INTO was VALUES (1, 2);'
  . 'ALTER TABLE was DROP a, DROP b, REPLICA IDENTITY FULL;';
$fill .= 'INSERT INTO nothing DEFAULT VALUES; INSERT INTO was DEFAULT VALUES;';

sub fill_rows
{
	my ($first, $last) = @_;
	return $fill =~ s/:first/$first/gr =~ s/:last/$last/gr;
}

# Count and digest of every table, each by one server.
sub images
{
	my ($node) = @_;
	my @parts = map { "SELECT count(*), md5(string_agg(r::text, '|' ORDER BY r::text COLLATE \"C\")) FROM $_ AS r" }
	  (map { $_->{table} } @tables), qw(wide wide_full wide_key nothing was);
	return query($node, join(";\n", @parts));
}

sub same
{
	my ($stage, $sql) = @_;
	query($source, $sql);
	my $result = portage(@run);
	is($result->{rc}, 0, $stage) || die($result->{err});
	my $expected = images($source);
	unlike($expected, qr/^0\|/m, "$stage: no table is empty");
	is(images($target), $expected, "$stage: every table is the same");
	return;
}

sub each_table
{
	my ($make) = @_;
	return join('', map { $make->(@$_{qw(table key type)}) . ";\n" } @tables);
}

same('copy', "BEGIN;\n$ddl" . fill_rows(1, 5) . fill_rows(1001, 1250) . 'COMMIT; ANALYZE');
cmp_ok(query($target, q{SELECT count(*) FROM portage.chunk WHERE number > 1}), '>', 50, 'in pieces');
same('insert', 'BEGIN;' . fill_rows(6, 9) . 'COMMIT');
same('update', each_table(sub { "UPDATE $_[0] SET other = 'u' WHERE $_[1] % 2 = 0 AND $_[1] < 1100" })
	  . 'UPDATE wide SET c1599 = NOT c1599, c1 = NULL WHERE id % 2 = 0; UPDATE wide_full SET c1599 = NULL WHERE id % 2 = 0;'
	  . "UPDATE wide_key SET v = 'u' WHERE k1 % 2 = 0;");
same('update of keys', each_table(sub { "UPDATE $_[0] SET $_[1] = -$_[1], $_[2] = 'y' WHERE $_[1] % 3 = 0 AND $_[1] < 1100" })
	  . 'UPDATE wide SET id = -id, ' . join(', ', map { "$_ = NOT $_" } @wide) . ' WHERE id % 3 = 0;'
	  . 'UPDATE wide_full SET id = -id, ' . join(', ', map { "$_ = '\"'" } @wide) . ' WHERE id % 3 = 0;'
	  . 'UPDATE wide_key SET k32 = 0 WHERE k1 % 3 = 0;');
same('delete', each_table(sub { "DELETE FROM $_[0] WHERE $_[1] % 2 = 0 AND $_[1] < 1100" })
	  . 'DELETE FROM wide WHERE id % 2 = 0; DELETE FROM wide_full WHERE id % 2 = 0; DELETE FROM wide_key WHERE k1 % 2 = 0;'
	  . 'DELETE FROM nothing WHERE ctid = (SELECT min(ctid) FROM nothing); DELETE FROM was WHERE ctid = (SELECT min(ctid) FROM was);');
same('truncate', join('', map { "TRUNCATE $_->{table};" } @tables) . 'TRUNCATE wide, wide_full, wide_key, nothing, was;' . fill_rows(1, 2));

# Names of columns, indexes and types are as they were, too.
my $catalog = <<'SQL';
SELECT md5(string_agg(x, '|' ORDER BY x COLLATE "C")), count(*) FROM (
	SELECT format('%I.%I.%I %s', n.nspname, c.relname, a.attname, c.relkind) FROM pg_attribute a
	JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE c.oid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped AND n.nspname NOT IN ('pg_toast', 'portage')
	UNION ALL SELECT format('%I.%I', n.nspname, t.typname) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
	WHERE t.typtype = 'e') AS r(x)
SQL
is(query($target, $catalog), query($source, $catalog), 'columns, indexes and types have their names');

# --tables. What is not chosen is not there; a leaf is chosen by its own name
# or by its root's, wherever its rows come from.
$source->safe_psql('choice', <<'SQL');
CREATE TABLE root (id int, part text, v int, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
CREATE TABLE leaf_a PARTITION OF root FOR VALUES IN ('a');
CREATE TABLE mid PARTITION OF root FOR VALUES IN ('b', 'c') PARTITION BY LIST (part);
CREATE TABLE leaf_b PARTITION OF mid FOR VALUES IN ('b');
CREATE TABLE leaf_c PARTITION OF mid FOR VALUES IN ('c');
CREATE TABLE other (id int PRIMARY KEY);
CREATE TABLE "Odd,*" (id int PRIMARY KEY);
CREATE VIEW seen AS SELECT 1 AS a, 'x'::text AS b;
CREATE TABLE pointing (id int PRIMARY KEY, o other, s seen);
CREATE TABLE heir (v int, PRIMARY KEY (id)) INHERITS (other);
CREATE TABLE "Odd,x" (id int PRIMARY KEY);
INSERT INTO root SELECT i, chr(97 + i % 3), i FROM generate_series(1, 30) i;
INSERT INTO pointing VALUES (1, ROW(7), ROW(1, '"')); INSERT INTO heir VALUES (2, 3);
INSERT INTO other VALUES (1); INSERT INTO "Odd,*" VALUES (1); INSERT INTO "Odd,x" VALUES (1);
SQL
foreach my $choice (
	[ 'the root', [ '--tables', 'root' ], [qw(leaf_a leaf_b leaf_c root)] ],
	[ 'one leaf', [ '--tables', 'leaf_a' ], ['leaf_a'] ],
	[ 'all but a leaf', [ '--tables', 'public.root', '--exclude-tables', 'leaf_b' ], [qw(leaf_a leaf_c)] ],
	[ 'rows of a type', [ '--tables', 'pointing' ], ['pointing'] ],
	[ 'an heir', [ '--tables', 'heir' ], ['heir'] ],
	[ 'quoted names', [ '--tables', 'public."Odd,*",other' ], [ '"Odd,*"', 'other' ] ])
{
	my ($what, $options, $wanted) = @$choice;
	(my $database = $what) =~ s/ /_/g;
	my @ends = ('--source', source_url($source, 'choice'), '--target', target_url($target, $database));
	my @own = ('run', @ends, '--until', 'caught-up', '--name', $database, @$options);

	$target->safe_psql('postgres', "CREATE DATABASE $database OWNER " . TARGET_ROLE);
	portage_ok(@own);
	tables_equal($source, 'choice', $target, $database, map { $_ eq 'root' ? $_ : "ONLY $_" } @$wanted);
	$source->safe_psql('choice', <<'SQL');
UPDATE root SET part = chr(97 + (ascii(part) - 96) % 3), v = v + 1; INSERT INTO root SELECT max(id) + 1, 'b', 0 FROM root;
DELETE FROM root WHERE id = (SELECT max(id) FROM root WHERE part = 'a'); INSERT INTO root SELECT max(id) + 1, 'c', 0 FROM root;
UPDATE "Odd,*" SET id = id + 1; UPDATE "Odd,x" SET id = id + 1; UPDATE other SET id = id + 1;
UPDATE pointing SET o = ROW(id), id = id + 1; UPDATE heir SET id = id + 1; TRUNCATE leaf_a; INSERT INTO root SELECT max(id) + 1, 'a', 0 FROM root;
SQL
	portage_ok(@own);
	tables_equal($source, 'choice', $target, $database, map { $_ eq 'root' ? $_ : "ONLY $_" } @$wanted);
	# What a chosen table is made of is there, without rows.
	my $chosen = join(', ', map { "'$_'" } @$wanted);
	is($target->safe_psql($database, <<"SQL"), 0, "$what: no other table has rows");
SELECT coalesce(sum((xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM ONLY %s', oid::regclass),
	false, true, '')))[1]::text::int), 0) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND oid::regclass::text NOT IN ($chosen)
SQL
	portage_ok('drop', @ends, '--name', $database, '--yes');
}

done_testing();
