# Rows that come, go, move and change under rules, over several rounds, on tables
# whose WAL has whole old rows and on tables whose WAL has keys only. After each
# round every target holds what statements written by hand make of the source.
#
# ROUNDS is how many rounds there are (4); PORTAGE_SEED repeats the changes.

use strict;
use warnings;

use PortageMysql;
use PortageRules;
use PortageTest;
use Test::More;
use Time::HiRes qw(time);

my $rounds = $ENV{ROUNDS} // 4;
my $seed = $ENV{PORTAGE_SEED} // int(time() * 1000) % 1_000_000;
srand($seed);
diag("PORTAGE_SEED=$seed ROUNDS=$rounds");

my $source = source_new('source');
my $a = target_new('a');
my $b = target_new('b');
my $m = mysql_new('m');

# Of each table two, which differ in their identity: f has whole old rows. Of the
# others values may be so long only that they are always in the WAL.
my %identity = (
	f => { TEXT => 'text', PHOTO => 'bytea', RAW => q{decode(md5(%s), 'hex')} },
	d => { TEXT => 'varchar(60)', PHOTO => 'uuid', RAW => 'md5(%s)::uuid' });

# SQL for the tables of one identity.
sub of_identity
{
	my ($with, $sql) = @_;
	my %words = %{ $identity{$with} };

	$sql =~ s/_X\b/_$with/g;
	$sql =~ s/\bRAW\(([^)]*)\)/sprintf($words{RAW}, $1)/ge;
	$sql =~ s/\b(TEXT|PHOTO)\b/$words{$1}/g;
	return $sql;
}

sub create_tables
{
	my ($with) = @_;

	$source->safe_psql('app', of_identity($with, <<'SQL'));
CREATE TABLE moved_X (id int PRIMARY KEY, region TEXT, amount numeric(12,2),
	note TEXT, hidden bool NOT NULL DEFAULT false, at timestamptz(3));
CREATE TABLE coded_X (id int PRIMARY KEY, code int NOT NULL UNIQUE, home int,
	word TEXT);
CREATE TABLE split_X (id int PRIMARY KEY, name TEXT, street TEXT, city TEXT,
	born date, photo PHOTO);
CREATE TABLE even_X (id int, part int, v TEXT, n bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (part, id));
CREATE TABLE joined_X (id int PRIMARY KEY, v varchar(60), w float8);
SQL
	return if $with eq 'd';
	$source->safe_psql('app', join(';',
			map { "ALTER TABLE ${_}_$with REPLICA IDENTITY FULL" }
			  qw(moved coded split even joined)));
	return;
}

# One text for both identities.
sub rules_of
{
	my ($with) = @_;
	my $rules = <<'YAML';
  # to where the row itself says, if anywhere
  - table: public.moved_X
    where: "NOT hidden"
    route: "CASE region WHEN 'eu' THEN 'a' WHEN 'us' THEN 'b' WHEN 'as' THEN 'm' END"
    columns:
      gross: { expr: "dec_mul(amount, '1.19')", type: "numeric(16,4)" }
      label: { expr: "coalesce(upper(note), '?') || '#' || id", type: "varchar(60)" }
      region: "lower(region) || '-' || length(region)"
      seen: at
    omit: [at]
  # a second unique key: who takes it may come before who gives it away
  - table: public.coded_X
    target: [a, m]
    where: "home % 3 <> 0"
  # one table becomes two
  - table: public.split_X
    name: person_X
    target: [a, b]
    into: public.person_X
    only: [id, name, born]
    columns:
      full_name: name
      year: { expr: "CAST(substr(born, 1, 4) AS INTEGER)", type: int }
  - table: public.split_X
    name: address_X
    target: [b, m]
    into: public.address_X
    omit: [name, born]
    where: "city IS NOT NULL"
  # what decides is in the key
  - table: public.even_X
    route: "CASE part % 4 WHEN 0 THEN 'a' WHEN 1 THEN 'b' WHEN 2 THEN 'm' END"
    where: "id % 5 <> 0"
    into: "{schema}.only_{table}"
  # both come together, told apart by a constant
  - table: public.joined_X
    target: [b, m]
    into: public.everything
    key: [origin, id]
    operations: [insert, update, delete]
    columns:
      origin: { expr: "'from X'", type: "varchar(10)" }
      twice: { expr: "w * 2", type: float8 }
YAML
	return of_identity($with, $rules) =~ s/from X/from $with/gr;
}

my $config = rules_file(<<"YAML" . rules_of('d') . rules_of('f'));
name: app
sources:
  main: { url: "@{[ source_url($source) ]}" }
targets:
  a: { url: "@{[ target_url($a) ]}" }
  b: { url: "@{[ target_url($b) ]}" }
  m: { url: "@{[ $m->url ]}" }
rules:
YAML

# ---- what there has to be, by SQL alone

sub compare_moved
{
	my ($with) = @_;
	my %of = (eu => $a, us => $b, as => $m);

	foreach my $region (sort keys %of)
	{
		derived_equal($of{$region}, "public.moved_$with",
			'id int4, region text, amount numeric, note text, hidden bool,'
			  . ' gross numeric, label varchar, seen timestamptz',
			[
				$source, qq{SELECT id, '$region-2', amount, note, hidden,
					(amount * 1.19)::numeric(16,4),
					coalesce(upper(note), '?') || '#' || id, at
					FROM moved_$with WHERE region = '$region' AND NOT hidden}
			]);
	}
	return;
}

sub compare_others
{
	my ($with) = @_;
	my %parts = (0 => $a, 1 => $b, 2 => $m);

	derived_equal($_, "public.coded_$with",
		'id int4, code int4, home int4, word text',
		[ $source, "SELECT * FROM coded_$with WHERE home % 3 <> 0" ])
	  foreach $a, $m;
	derived_equal($_, "public.person_$with",
		'id int4, name text, born date, full_name text, year int4',
		[
			$source, "SELECT id, name, born, name,"
			  . " extract(year FROM born)::int FROM split_$with"
		]) foreach $a, $b;
	derived_equal($_, "public.address_$with",
		of_identity($with, 'id int4, street text, city text, photo PHOTO'),
		[
			$source, "SELECT id, street, city, photo FROM split_$with"
			  . ' WHERE city IS NOT NULL'
		]) foreach $b, $m;
	derived_equal($parts{$_}, "public.only_even_$with",
		'id int4, part int4, v text, n int8',
		[
			$source, "SELECT id, part, v, n FROM even_$with"
			  . " WHERE part % 4 = $_ AND id % 5 <> 0"
		]) foreach sort keys %parts;
	return;
}

sub compare
{
	my ($what) = @_;

	note("---- $what");
	foreach my $with (qw(d f))
	{
		compare_moved($with);
		compare_others($with);
	}
	derived_equal($_, 'public.everything',
		'origin varchar, id int4, v text, w float8, twice float8',
		map {
			[ $source, "SELECT 'from $_', id, v, w, w * 2 FROM joined_$_" ]
		} qw(d f)) foreach $b, $m;
	return;
}

# ---- what happens on the source

sub one_of { return $_[ int(rand(@_)) ]; }

sub id { return 1 + int(rand(150)); }

sub word { return one_of('NULL', q{''}, map { "'w$_ x'" } 1 .. 9); }

sub region { return one_of(qw('eu' 'us' 'as' 'eu' 'us' 'xx' NULL)); }

# Each gives one statement for the tables of either identity.
my @statements = (
	# rows that come
	sub {
		sprintf('INSERT INTO moved_X VALUES (%d, %s, %.2f, %s, %s,'
			  . " '2024-02-29 12:00:00.125Z'::timestamptz + %d * interval '1 h')"
			  . ' ON CONFLICT DO NOTHING', id(), region(), rand(1e6) - 5e5, word(),
			one_of('true', 'false', 'false'), rand(1e5));
	},
	sub {
		sprintf('INSERT INTO coded_X VALUES (%d, %d, %d, %s) ON CONFLICT DO NOTHING',
			id(), id(), rand(9), word());
	},
	sub {
		sprintf(q{INSERT INTO split_X VALUES (%d, %s, %s, %s, '1970-01-01'::date + %d,
			RAW('%d')) ON CONFLICT DO NOTHING},
			id(), word(), word(), word(), rand(20000), rand(100));
	},
	sub {
		sprintf('INSERT INTO even_X VALUES (%d, %d, %s) ON CONFLICT DO NOTHING',
			rand(40), rand(8), word());
	},
	sub {
		sprintf('INSERT INTO joined_X VALUES (%d, %s, %s) ON CONFLICT DO NOTHING',
			id(), word(), rand(10));
	},
	# that move
	sub { sprintf('UPDATE moved_X SET region = %s WHERE id = %d', region(), id()) },
	sub { sprintf('UPDATE moved_X SET hidden = NOT hidden WHERE id = %d', id()) },
	sub {
		sprintf('UPDATE moved_X SET region = %s, hidden = NOT hidden WHERE id %% 13 = %d',
			region(), rand(13));
	},
	sub { sprintf('UPDATE coded_X SET home = home + 1 WHERE id = %d', id()) },
	sub {
		sprintf('UPDATE split_X SET city = CASE WHEN city IS NULL THEN %s END'
			  . ' WHERE id = %d', word(), id());
	},
	# that stay, and change
	sub {
		sprintf('UPDATE moved_X SET amount = -amount, note = %s WHERE id = %d',
			word(), id());
	},
	sub {
		my $code = id();
		sprintf('UPDATE coded_X SET code = %d, word = %s WHERE id = %d'
			  . ' AND NOT EXISTS (SELECT FROM coded_X WHERE code = %d)',
			$code, word(), id(), $code);
	},
	sub { sprintf('UPDATE split_X SET name = %s WHERE id = %d', word(), id()) },
	sub {
		sprintf('UPDATE even_X SET n = n + 1, v = %s WHERE id = %d', word(), rand(40));
	},
	sub { sprintf('UPDATE joined_X SET w = w + 0.5 WHERE id %% 11 = %d', rand(11)) },
	# under another key
	(
		map {
			my $table = $_;
			sub {
				my $to = id();
				sprintf("UPDATE ${table}_X SET id = %d WHERE id = %d"
					  . " AND NOT EXISTS (SELECT FROM ${table}_X WHERE id = %d)",
					$to, id(), $to);
			}
		} qw(moved coded split joined)),
	sub {
		my ($to, $part) = (int(rand(40)), int(rand(8)));
		sprintf('UPDATE even_X SET part = %d, id = %d WHERE id = %d AND part = %d'
			  . ' AND NOT EXISTS (SELECT FROM even_X WHERE part = %d AND id = %d)',
			$part, $to, rand(40), rand(8), $part, $to);
	},
	sub {
		sprintf('UPDATE moved_X SET id = %d, region = %s WHERE id = %d'
			  . ' AND NOT EXISTS (SELECT FROM moved_X WHERE id = %1$d)',
			id(), region(), id());
	},
	# that go
	(
		map {
			my $table = $_;
			sub { sprintf("DELETE FROM ${table}_X WHERE id = %d", id()) }
		} qw(moved coded split joined)),
	sub { sprintf('DELETE FROM even_X WHERE id = %d AND part < 4', rand(40)) },
	# and come back at once
	sub {
		my $id = id();
		sprintf('WITH gone AS (DELETE FROM moved_X WHERE id = %d RETURNING *)'
			  . ' INSERT INTO moved_X SELECT id + 1000, %s, amount, note, hidden, at'
			  . ' FROM gone ON CONFLICT DO NOTHING', $id, region());
	},
	sub { 'UPDATE moved_X SET id = id - 1000 WHERE id > 1000 AND NOT EXISTS'
			. ' (SELECT FROM moved_X o WHERE o.id = moved_X.id - 1000)' });

sub transaction
{
	my @changes = map { one_of(@statements)->() } 1 .. one_of(1, 1, 2, 3, 8);

	return join('', "BEGIN;\n",
		(map { of_identity('d', $_) . ";\n" . of_identity('f', $_) . ";\n" } @changes),
		one_of('ROLLBACK', ('COMMIT') x 9) . ";\n");
}

# Behind them one new row for each region: none is left without rows by chance.
sub change
{
	my ($transactions, $id) = @_;
	my $rows = 'INSERT INTO moved_X (id, region) VALUES '
	  . join(', ', map { '(' . $id++ . ", '$_')" } qw(eu us as)) . ";\n";

	$source->safe_psql('app', join('', (map { transaction() } 1 .. $transactions),
			of_identity('d', $rows), of_identity('f', $rows)));
	return;
}

sub fill
{
	my ($with) = @_;

	$source->safe_psql('app', of_identity($with, <<'SQL'));
INSERT INTO moved_X SELECT i, (ARRAY['eu', 'us', 'as', 'xx', NULL])[i % 5 + 1],
	i * 1.25, 'n' || i, i % 4 = 0, '2024-01-01Z'::timestamptz + i * interval '7 ms'
	FROM generate_series(1, 80) i;
INSERT INTO coded_X SELECT i, i, i, 'c' || i FROM generate_series(1, 80) i;
INSERT INTO split_X SELECT i, 'n' || i, 's' || i,
	CASE WHEN i % 3 > 0 THEN 'c' || i END, '1970-01-01'::date + i * 100,
	RAW(i::text) FROM generate_series(1, 80) i;
INSERT INTO even_X SELECT i, p, 'v' || i
	FROM generate_series(0, 39) i, generate_series(0, 7) p;
INSERT INTO joined_X SELECT i, 'j' || i, i / 8.0 FROM generate_series(1, 80) i;
SQL
	return;
}

foreach my $with (qw(d f))
{
	create_tables($with);
	fill($with);
}
portage_ok('run', '--config', $config, '--until', 'caught-up');
compare('copied');
foreach my $round (1 .. $rounds)
{
	change(120, 500 + 3 * $round);
	portage_ok('run', '--config', $config, '--until', 'caught-up',
		$round % 2 ? () : ('--writers', 2));
	compare("round $round");
}

done_testing();
