# Rows that the copy puts aside: because an expression fails, a reference lacks what is
# required, or the target refuses them; also when it is killed and begun again. The
# stream knows them; they are tried again and dropped like its own.

use strict;
use warnings;

use JSON::PP qw(decode_json);
use PortageFault;
use PortageMany;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = source_new('source');
my $target = target_new('target');

$source->safe_psql('app', <<'SQL');
CREATE SCHEMA copy;
CREATE TABLE copy.c (id int PRIMARY KEY, grp int, doc text, pad text);
CREATE TABLE copy.p (id int, part text, doc text, PRIMARY KEY (part, id)) PARTITION BY LIST (part);
CREATE TABLE copy.p_x PARTITION OF copy.p FOR VALUES IN ('x');
CREATE TABLE copy.p_y (doc text, id int NOT NULL, part text NOT NULL);
ALTER TABLE copy.p ATTACH PARTITION copy.p_y FOR VALUES IN ('y');
CREATE TABLE copy.q (id int, part text, v text, PRIMARY KEY (part, id)) PARTITION BY LIST (part);
CREATE TABLE copy.q_x PARTITION OF copy.q FOR VALUES IN ('x');
CREATE TABLE copy.q_y PARTITION OF copy.q FOR VALUES IN ('y');
CREATE TABLE copy.every (id int PRIMARY KEY, doc text);
CREATE TABLE copy.nokey (v int, doc text);
CREATE TABLE copy.names (grp int PRIMARY KEY, doc text);
CREATE TABLE copy.cities (id int PRIMARY KEY, zip text);
CREATE TABLE copy.fits (id int PRIMARY KEY, v text);
CREATE TABLE copy.u (id int PRIMARY KEY, v text, b bytea);
INSERT INTO copy.c SELECT i, i % 4, CASE WHEN i % 10 = 0 THEN '{no json' ELSE '{"kind": "k"}' END, repeat('x', 200)
	FROM generate_series(1, 3000) i;
INSERT INTO copy.p SELECT i, (ARRAY['x', 'y'])[i % 2 + 1], CASE WHEN i % 5 = 0 THEN '{' ELSE '{"kind": "p"}' END
	FROM generate_series(1, 20) i;
INSERT INTO copy.q SELECT i, (ARRAY['x', 'y'])[i % 2 + 1], 'v' FROM generate_series(1, 4) i;
INSERT INTO copy.every SELECT i, '{' || repeat('no json', 40) FROM generate_series(1, 12000) i;
INSERT INTO copy.nokey VALUES (1, '{'), (1, '{'), (2, '{"kind": 1}');
INSERT INTO copy.names VALUES (1, '{"kind": "one"}'), (2, '{');
INSERT INTO copy.fits SELECT i, CASE WHEN i % 7 = 0 THEN 'seven' ELSE i::text END FROM generate_series(1, 700) i;
INSERT INTO copy.u SELECT i, CASE WHEN i % 20 = 0 THEN 'bad' ELSE repeat('u', 90) END, '\x00ff'
	FROM generate_series(1, 2000) i;
CREATE TABLE copy.child (id int PRIMARY KEY, u int REFERENCES copy.u);
INSERT INTO copy.child VALUES (1, 20), (2, 21);
INSERT INTO copy.cities VALUES (1, '10115'), (2, '99999');
SQL
my $zip = PostgreSQL::Test::Utils::tempdir() . '/zip.csv';
append_to_file($zip, "zip,city\n10115,Berlin\n");

sub copy_config
{
	my ($name, @lines) = @_;
	return (
		'--config' => config_file(
			$name,
			{ shop => source_url($source) },
			{ store => target_url($target) },
			'on_error: quarantine',
			'references:',
			qq{  zip: { file: "$zip", key: [zip], required: true }},
			@lines));
}

sub rule
{
	my ($name, $more) = @_;
	return qq[  - { name: $name, table: copy.$name, ]
	  . qq[columns: { kind: "json_extract(doc, '\$.kind')" }$more }];
}

my $some = '[insert, update, delete]';
my @copied = copy_config(
	'copied', 'until: caught-up', 'split_over: 64kB', 'jobs: 2', 'rules:',
	rule('c', ''), rule('p', ", operations: $some"),
	rule('every', ''), rule('nokey', ''),
	rule('names', ', into: copy.c, match: [grp], omit: [doc], operations: [update]'),
	'  - { name: q, table: copy.q }',
	'  - { name: u, table: copy.u }',
	'  - { name: child, table: copy.child }',
	'  - { name: fits, table: copy.fits, columns: { n: { expr: v, type: integer } } }',
	'  - name: cities',
	'    table: copy.cities',
	'    columns: { city: (SELECT city FROM zip WHERE zip.zip = cities.zip) }');

sub aside
{
	my ($rule) = @_;
	return sort { $a->{key}{id} <=> $b->{key}{id} }
	  @{ decode_json(portage_ok('quarantine', 'list', @copied, '--json', '--rule', $rule)->{out})->{rows} };
}

sub ids { return join(' ', map { $_->{key}{id} } aside(@_)) }

sub counts
{
	my ($rule) = @_;
	return $target->safe_psql('app',
		"SELECT seen, applied, quarantined FROM portage.ledger WHERE stream = 'copied' AND rule = '$rule'");
}

sub copied_rows
{
	my ($table, $columns) = @_;
	return $target->safe_psql('app',
		"SELECT string_agg(($columns)::text, ' ' ORDER BY id) FROM copy.$table");
}

foreach my $point (qw(copy-loaded copy-before-commit copy-committed:2 copy-committed:4))
{
	my $killed = portage('run', @copied,
		env => { PG_PORTAGE_FAILPOINT => $point =~ s/\A([^:]+)/$1:kill/r });
	is($killed->{signal}, 9, "killed at $point") || diag($killed->{err});
	# no row is there yet
	$target->safe_psql('app', q{ALTER TABLE copy.u ADD CONSTRAINT nothing_bad CHECK (v <> 'bad')})
	  if $point eq 'copy-loaded';
}
portage_ok('run', @copied);
is(ids('c'), join(' ', map { 10 * $_ } 1 .. 300), 'rows of the copy whose expression fails');
is(counts('c'), '3000|2700|300', 'each is counted once');
is($target->safe_psql('app', 'SELECT count(*), count(*) FILTER (WHERE id % 10 = 0) FROM copy.c'),
	'2700|0', 'and the others are there');
my ($first) = aside('c');
is_deeply($first->{row}, { id => '10', grp => '2', doc => '{no json', pad => 'x' x 200 }, 'the whole row');
is("$first->{operation} $first->{xid}", 'INSERT 0', 'it was copied');
like($first->{error}, qr/row \(id=10\) of the copy: column "kind": .*JSON/, 'and why it could not be');
like(portage_ok('quarantine', 'list', @copied, '--rule', 'c')->{out},
	qr/^copy\.c: INSERT, by c, copied at [0-9A-F]+\/[0-9A-F]+\n/m, 'list as text');
is(ids('p'), '5 10 15 20', 'of partitions, too');
is(counts('p'), '20|16|4', 'and are counted');
is(scalar(my @every = aside('every')), 12000, 'a table of which every row is put aside');
is(counts('every'), '12000|0|12000', 'all of them are counted');
is(counts('nokey'), '3|1|2', 'rows without a key');
is(ids('cities'), '2', 'a reference that lacks what is required');
my ($name) = aside('names');
is("$name->{operation} $name->{key}{grp}", 'UPDATE 2', 'of a rule with match');
is($target->safe_psql('app', 'SELECT DISTINCT grp, kind FROM copy.c WHERE grp < 3 ORDER BY 1'),
	"0|k\n1|one\n2|k", 'whose other rows have changed what they match');

# ---- rows that the target refuses
is(ids('fits'), join(' ', map { 7 * $_ } 1 .. 100), 'values that do not fit');
is(counts('fits'), '700|600|100', 'are counted once');
is($target->safe_psql('app', 'SELECT count(*), sum(n) FROM copy.fits'),
	'600|' . (700 * 701 / 2 - 7 * 100 * 101 / 2), 'the others are there');
like((aside('fits'))[0]->{error}, qr/row \(id=7\) of the copy: target: .*integer.*seven/, "with the target's words");
is(ids('u'), join(' ', map { 20 * $_ } 1 .. 100), 'rows of a table that no rule changes');
is_deeply((aside('u'))[0]->{row}, { id => '20', v => 'bad', b => '\\x00ff' }, 'each as a whole');
is(counts('u'), '0|0|100', 'are counted');
is($target->safe_psql('app', 'SELECT count(*) FROM copy.u'), 1900, 'the others are there, too');
is($target->safe_psql('app', q{SELECT state FROM portage.ddl WHERE stream = 'copied' AND type = 'FK CONSTRAINT'}),
	'deferred', 'a foreign key to them waits for finish');

# ---- later versions of what the copy has put aside
$target->safe_psql('app', q{ALTER TABLE copy.q ADD CONSTRAINT nothing_bad CHECK (v <> 'bad')});
$source->safe_psql('app', <<'SQL');
UPDATE copy.c SET doc = '{"kind": "new"}' WHERE id = 10;
DELETE FROM copy.c WHERE id = 20;
UPDATE copy.c SET doc = '{worse' WHERE id = 30;
UPDATE copy.c SET id = 4000, doc = '{"kind": "moved"}' WHERE id = 40;
DELETE FROM copy.c WHERE id BETWEEN 60 AND 2999;
UPDATE copy.p SET doc = '{"kind": "new"}' WHERE id = 5;
UPDATE copy.p SET part = 'x', doc = '{"kind": "x"}' WHERE id = 15;
TRUNCATE copy.every;
INSERT INTO copy.every VALUES (1, '{"kind": "again"}'), (2, '{');
UPDATE copy.q SET v = 'bad' WHERE id IN (1, 2);
UPDATE copy.fits SET v = '7' WHERE id = 7;
DELETE FROM copy.fits WHERE id > 14;
UPDATE copy.u SET v = 'good' WHERE id = 20;
UPDATE copy.u SET id = 3000, v = 'good' WHERE id = 1980;
UPDATE copy.u SET id = 40 + 4000 WHERE id = 40;
DELETE FROM copy.u WHERE id BETWEEN 60 AND 1960;
SQL
portage_ok('run', @copied);
is(ids('c'), '30 50 3000', 'those that have come or gone are out');
is(copied_rows('c', q{CASE WHEN id % 10 = 0 THEN id || '=' || kind END}), '10=new 4000=moved',
	'and on the target');
is((aside('c'))[0]->{operation}, 'UPDATE', 'one that is bad again is there as it is now');
is(ids('p'), '10 20', 'of partitions');
is(copied_rows('p', q{CASE WHEN id % 5 = 0 THEN id || '=' || kind END}), '5=new 15=x', 'which are there');
is(ids('every'), '2', 'what TRUNCATE has removed is not to be tried again');
is(copied_rows('every', 'kind'), 'again', 'and what came behind it is there');
is(ids('fits'), '14', 'of those that the target has refused');
is(copied_rows('fits', q{CASE WHEN id % 7 = 0 THEN id || '=' || n END}), '7=7', 'one has come');
is(ids('u'), '40 2000 4040', 'of a table that no rule changes');
is(ids('q'), '1 2', 'rows of partitions that the target refuses');

# ---- tried again, dropped
$target->safe_psql('app', "ALTER TABLE copy.$_ DROP CONSTRAINT nothing_bad") foreach qw(q u);
portage_ok('quarantine', 'retry', @copied, '--rule', $_) foreach qw(q u);
is(ids('q') . ids('u'), '', 'they have left');
tables_equal($source, 'app', $target, 'app', 'copy.q_x', 'copy.q_y', 'copy.u');
append_to_file($zip, "99999,Nowhere\n");
portage_ok('quarantine', 'retry', @copied, '--rule', 'cities');
is(copied_rows('cities', q{id || '=' || city}), '1=Berlin 2=Nowhere', 'a reference that has got it');
like(portage_fails(1, 'quarantine', 'retry', @copied, '--rule', 'p')->{err},
	qr/stays in quarantine: .*copy\.p.*column "kind"/, 'those whose expression still fails stay');
like(portage_fails(2, 'finish', @copied)->{err}, qr/\d+ rows are in quarantine, and cannot be tried again/,
	'finish does not leave them behind');
portage_ok('quarantine', 'drop', @copied, '--yes');
is(ids('c') . ids('p'), '', 'dropped');
$source->safe_psql('app', <<'SQL');
UPDATE copy.c SET doc = '{"kind": "late"}' WHERE id = 30;
DELETE FROM copy.c WHERE id = 50;
UPDATE copy.p SET doc = '{"kind": "late"}' WHERE id IN (10, 20);
SQL
portage_ok('run', @copied);
is(copied_rows('c', q{CASE WHEN id % 10 = 0 THEN id || '=' || kind END}),
	'10=new 30=late 4000=moved', 'dropped rows come when they change');
is($target->safe_psql('app', 'SELECT count(*) FROM copy.p'), 20, 'also those of partitions');

portage_ok('finish', @copied);
is($target->safe_psql('app', q{SELECT convalidated FROM pg_constraint WHERE conname = 'child_u_fkey'}),
	't', 'the foreign key is there at the end');

# ---- a copy alone
my @alone = copy_config('alone', 'rules:',
	q[  - { name: c, table: copy.p, into: alone.p, ]
	  . q[columns: { kind: "json_extract(doc, '$.kind')" }, operations: [insert, update, delete] }]);
$source->safe_psql('app', q[UPDATE copy.p SET doc = '{' WHERE id IN (4, 7)]);
foreach my $point (qw(copy-committed copy-before-commit))
{
	is(portage('run', @alone, '--copy-only',
			env => { PG_PORTAGE_FAILPOINT => "$point:kill" })->{signal}, 9, "killed at $point");
}
portage_ok('run', @alone, '--copy-only');
is(join(' ', sort map { $_->{key}{id} }
	@{ decode_json(portage_ok('quarantine', 'list', @alone, '--json')->{out})->{rows} }),
	'4 7', 'put aside by a copy alone');
is($target->safe_psql('app', "SELECT seen, applied, quarantined FROM portage.ledger WHERE stream = 'alone'"),
	'20|18|2', 'and counted once, though it was begun again');
like(portage_fails(2, 'quarantine', 'retry', @alone)->{err}, qr/rows are tried again while it streams/,
	'without a stream they are only listed');

done_testing();
