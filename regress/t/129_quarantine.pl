# Rows that rules put aside: because an expression fails, or because the target
# refuses them; what becomes of later versions of them; listed, tried again and
# dropped, with and without a stream.

use strict;
use warnings;

use JSON::PP qw(decode_json);
use PortageFault;
use PortageMany;
use PortageRules;
use PortageTest;
use Test::More;

my $source = source_new('source');
my $target = target_new('target');
my @config = ('--config' => config_file(
		'app',
		{ shop => source_url($source) },
		{ store => target_url($target) },
		'rules:',
		'  - table: public.t',
		'    on_error: quarantine',
		'  - name: docs',
		'    table: public.d',
		'    columns:',
		q{      kind: "json_extract(doc, '$.kind')"},
		'    on_error: quarantine',
		'  - name: kept',
		'    table: public.o',
		'    operations: [insert, update]',
		'    columns:',
		q{      kind: "json_extract(doc, '$.kind')"},
		'    on_error: quarantine'));
my ($process, $result);

$source->safe_psql('app', <<'SQL');
CREATE TABLE t (id int PRIMARY KEY, v text);
CREATE TABLE d (id int PRIMARY KEY, doc text);
CREATE TABLE o (id int PRIMARY KEY, doc text);
INSERT INTO t VALUES (100, 'copied');
INSERT INTO d VALUES (100, '{"kind": "copied"}');
SQL

sub write_source
{
	my ($sql) = @_;
	$source->safe_psql('app', $sql);
	return;
}

sub applied
{
	return wait_for_applied($source, $target, 'app', 'app');
}

sub quarantined
{
	my @options = @_;
	return decode_json(
		portage_ok('quarantine', 'list', @config, '--json', @options)->{out})
	  ->{rows};
}

sub keys_of
{
	return join(' ', sort { $a <=> $b } map { $_->{key}{id} } @{ quarantined(@_) });
}

sub rows
{
	my ($table, $columns) = @_;
	my $sql = "SELECT string_agg(($columns)::text, ' ' ORDER BY id) FROM $table";
	return $target->safe_psql('app', $sql);
}

sub start
{
	$process = portage_start('run', @config);
	wait_for_stream($target, 'app', 'app', $process);
	return;
}

sub stop
{
	$process->term;
	return $process->wait_exit;
}

# ---- the target refuses a row
start();
$target->safe_psql('app',
	q{ALTER TABLE t ADD CONSTRAINT nothing_bad CHECK (v NOT LIKE 'bad%')});
write_source(
	q{INSERT INTO t SELECT i, CASE WHEN i IN (2, 4) THEN 'bad' ELSE 'good' END
	  FROM generate_series(1, 5) AS i});
applied();
is(rows('t', 'id'), '1 3 5 100', 'the others of its transaction are there');
is(keys_of(), '2 4', 'those that it refuses are in quarantine');
my $row = quarantined()->[0];
is($row->{rule}, 'rule 1', 'with their rule');
is("$row->{schema}.$row->{table}", 'public.t', 'their table');
is($row->{operation}, 'INSERT', 'what they were');
is_deeply($row->{row}, { id => '2', v => 'bad' }, 'the whole row');
like($row->{error}, qr/nothing_bad/, "and the target's words");
my $status = decode_json(portage_ok('status', @config, '--json')->{out});
is($status->{quarantined}, 2, 'status counts them');
like(portage_ok('status', @config)->{out},
	qr/^quarantine: 2 rows are put aside/m, 'also as text');
is((grep { $_->{table} eq 't' } @{ $status->{ledger} })[0]{quarantined},
	2, 'and so does the ledger');

# ---- later versions
write_source(q{UPDATE t SET v = 'mended' WHERE id = 2});
write_source(q{DELETE FROM t WHERE id = 4});
applied();
is(keys_of(), '', 'a later version that goes well lets it out');
is(rows('t', q{id || '=' || v}), '1=good 2=mended 3=good 5=good 100=copied',
	'and is what the target has');

# ---- an UPDATE of the key, and one that stays bad
write_source(q{UPDATE t SET id = 6, v = 'bad' WHERE id = 3});
write_source(q{UPDATE t SET v = 'bad too' WHERE id = 5});
write_source(q{UPDATE t SET v = 'bad again' WHERE id = 5});
applied();
is(keys_of(), '3 5 6', 'the old key and the new one');
is(rows('t', 'id'), '1 2 3 5 100', 'the older versions are still there');

# ---- an expression fails
write_source(
	q[INSERT INTO d VALUES (1, '{"kind": "a"}'), (2, '{no json'), (3, '{no json')]);
applied();
is(rows('d', q{id || '=' || kind}), '1=a 100=copied', 'the rest is there');
is(keys_of('--rule', 'docs'), '2 3', 'list by rule');
is($target->safe_psql('app',
		q{SELECT seen, applied, quarantined FROM portage.ledger WHERE rule = 'docs'}),
	'4|2|2', 'what is put aside is not counted as applied');
is(keys_of('--table', 'public.d'), '2 3', 'list by table');
is(keys_of(), '2 3 3 5 6', 'list of all');
like(
	portage_ok('quarantine', 'list', @config)->{out},
	qr/^public\.d: INSERT, by docs, committed at .*\n    key: +\{"id":"2"\}\n/m,
	'list as text');

$result = portage_fails(2, 'quarantine', 'list', @config, '--rule', 'dosc');
like($result->{err}, qr/\.yaml: there is no rule "dosc" \[P0107\]/, 'a rule that is not there');
like($result->{err}, qr/hint: did you mean docs\?/, 'is most likely misspelt');

# ---- while it streams
foreach my $action (qw(retry drop))
{
	my $result = portage_fails(3, 'quarantine', $action, @config, '--yes');
	like($result->{err}, qr/\[P0306\]/, "$action: the stream has an owner");
	like($result->{err}, qr/hint: stop pg_portage run/, "$action: what to do");
}
is(stop()->{rc}, 0, 'stopped');

# ---- tried again
$result = portage_fails(1, 'quarantine', 'retry', @config, '--table', 't');
like($result->{err}, qr/stays in quarantine: .*nothing_bad/,
	'what the target still refuses stays');
is(keys_of('--table', 't'), '5 6', 'and what goes well does not');
is(rows('t', 'id'), '1 2 5 100', 'a row that was to go has gone');
$target->safe_psql('app', 'ALTER TABLE t DROP CONSTRAINT nothing_bad');
portage_ok('quarantine', 'retry', @config, '--rule', 'rule 1');
is(keys_of(), '2 3', 'the rows of this rule have left');
is(rows('t', q{id || '=' || v}),
	'1=good 2=mended 5=bad again 6=bad 100=copied',
	'in their newest version');

# ---- dropped, and a row that comes again by itself
$result = portage_fails(2, 'quarantine', 'drop', @config, '--rule', 'docs');
like($result->{err}, qr/asks on the terminal/, 'drop asks');
is(keys_of(), '2 3', 'and nothing is dropped');
start();
write_source(q{UPDATE d SET doc = '{"kind": "c"}' WHERE id = 3});
applied();
is(rows('d', q{id || '=' || kind}), '1=a 3=c 100=copied', 'it has come');
is(stop()->{rc}, 0, 'stopped again');
like(portage_ok('quarantine', 'drop', @config, '--yes')->{err},
	qr/dropped 1 rows from quarantine; they come when they change/, 'drop says what follows');
is(keys_of(), '', 'dropped');

# ---- it goes on as if nothing had been
start();
write_source(q{UPDATE d SET doc = '{"kind": "dropped"}' WHERE id = 2});
applied();
is(rows('d', q{id || '=' || kind}), '1=a 2=dropped 3=c 100=copied',
	'a row that was dropped comes when it changes');
write_source(q{INSERT INTO t VALUES (7, 'last'); DELETE FROM t WHERE id = 1});
applied();
tables_equal($source, 'app', $target, 'app', 'public.t');

# ---- what becomes of a row without a word about what it holds
write_source(q[INSERT INTO o VALUES (1, '{no json'), (2, '{"kind": "a"}')]);
write_source(q{DELETE FROM o WHERE id = 1});
applied();
is(keys_of(), '1', 'an operation that does not come leaves it in quarantine');
write_source(q[INSERT INTO d VALUES (5, '{no json'), (6, '{"kind": "b"}')]);
write_source(q[BEGIN; INSERT INTO d VALUES (7, '{no json'); TRUNCATE d, o;
	INSERT INTO d VALUES (6, '{no json'), (8, '{"kind": "d"}'); COMMIT]);
applied();
is(keys_of('--rule', 'docs'), '6', 'TRUNCATE takes all that were before it');
is(rows('d', q{id || '=' || kind}), '8=d', 'and what follows is there');
is(keys_of('--rule', 'kept'), '1', 'one that does not come takes nothing');
is(stop()->{rc}, 0, 'stopped');
write_source(q[UPDATE d SET doc = '{"kind": "c"}' WHERE id = 6; TRUNCATE d]);
start();
applied();
is(keys_of('--rule', 'docs'), '', 'nor does one of another process');
is(stop()->{rc}, 0, 'the end');

# ---- several targets: each has what goes wrong for itself
$target->safe_psql('postgres', 'CREATE DATABASE two OWNER ' . TARGET_ROLE);
$source->safe_psql('app', <<'SQL');
CREATE TABLE r (id int PRIMARY KEY, place text, n text);
ALTER TABLE r REPLICA IDENTITY FULL;
INSERT INTO r VALUES (100, '"one"', '1'), (101, '"two"', '2');
SQL
my $many = rules_file(<<"YAML");
name: many
source: "@{[ source_url($source) ]}"
targets: { app: { url: "@{[ target_url($target) ]}" }, two: { url: "@{[ target_url($target, 'two') ]}" } }
rules:
  - name: routed
    table: public.r
    route: "CASE json_extract(place, '\$') WHEN 'one' THEN 'app' WHEN 'two' THEN 'two' END"
    columns: { n: { expr: "n", type: int } }
    on_error: quarantine
YAML

sub on_each
{
	my ($what, %want) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	foreach my $database (qw(app two))
	{
		wait_for_applied($source, $target, $database, 'many');
		is( $target->safe_psql($database,
				q{SELECT coalesce(string_agg(id || '=' || n, ' ' ORDER BY id), '') || ' / '
				  || (SELECT coalesce(string_agg(body::json #>> '{key,id}', ' '
					ORDER BY body::json #>> '{key,id}'), '')
				FROM portage.kept WHERE stream = 'many' AND area LIKE 'quarantine:%' AND body <> '') FROM r}),
			$want{$database}, "$database: $what");
	}
	return;
}

sub start_many
{
	$process = portage_start('run', '--config', $many);
	wait_for_stream($target, $_, 'many', $process) foreach qw(app two);
	return;
}

start_many();
write_source(q[INSERT INTO r VALUES (1, '"two"', '1'), (2, '"one"', 'x'), (3, '"two"', 'y'),
	(4, '"one"', '4'), (5, '{no', '5'), (6, 'null', 'z')]);
on_each('rows that do not fit', app => '4=4 100=1 / 2 5', two => '1=1 101=2 / 3 5');
is($process->kill9->{signal}, 9, 'killed');
write_source(q[UPDATE r SET place = '"two"' WHERE id = 2]);
write_source(q[UPDATE r SET place = '"one"' WHERE id = 4 OR id = 5]);
start_many();
on_each('the row has gone elsewhere, and fits there no more than here',
	app => '4=4 5=5 100=1 / ', two => '1=1 101=2 / 2 3');
$target->safe_psql('app', 'ALTER TABLE r ADD CONSTRAINT small CHECK (n < 50)');
write_source(q[UPDATE r SET n = '55' WHERE id = 1 OR id = 4]);
on_each('one target refuses a row', app => '4=4 5=5 100=1 / 4', two => '1=55 101=2 / 2 3');
write_source(q[UPDATE r SET n = '7', place = CASE id WHEN 2 THEN '"one"' ELSE '"two"' END
	WHERE id IN (2, 3, 4)]);
on_each('they fit again, wherever they go now',
	app => '2=7 5=5 100=1 / ', two => '1=55 3=7 4=7 101=2 / ');
is(stop()->{rc}, 0, 'the end of both');

done_testing();
