# plan: what run would do, before it begins, in the middle and behind the copy;
# and that it does just that. It leaves nothing on either side.

use strict;
use warnings;

use JSON::PP ();
use PortageFault;
use PortageTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = source_new('source');
my $target = target_new('target');
my @ends = endpoints($source, $target);

$source->safe_psql('app', <<'SQL');
CREATE TABLE small (id serial PRIMARY KEY, v text UNIQUE);
CREATE TABLE large (id int PRIMARY KEY, small int REFERENCES small, v text);
CREATE INDEX large_v ON large (v);
CREATE TABLE "Odd Name" (v text);
CREATE UNLOGGED TABLE fleeting (id int);
CREATE MATERIALIZED VIEW seen AS SELECT count(*) FROM small;
CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql
	AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER act BEFORE INSERT ON small FOR EACH ROW EXECUTE FUNCTION act();
CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER mine ON ddl_command_end EXECUTE FUNCTION on_ddl();
INSERT INTO small (v) SELECT 'v' || i FROM generate_series(1, 100) i;
INSERT INTO large SELECT i, i % 100 + 1, repeat('x', 100)
	FROM generate_series(1, 20000) i;
INSERT INTO "Odd Name" VALUES ('a');
SELECT lo_create(70001);
ANALYZE;
SQL

sub plan_ok
{
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $result = portage_ok('plan', @ends, @_, '--json');
	my $json = eval { JSON::PP::decode_json($result->{out}) };

	ok($json, 'plan --json is JSON') || diag($result->{out} . $result->{err});
	return $json // {};
}

# Everything that a plan could leave behind.
sub traces
{
	return join("\n",
		$source->safe_psql('app',
			'SELECT count(*) FROM pg_replication_slots'),
		$target->safe_psql('app', <<'SQL'),
SELECT oid::regclass::text FROM pg_class WHERE oid >= 16384 ORDER BY 1
SQL
		$target->safe_psql('app',
			"SELECT nspname FROM pg_namespace WHERE oid >= 16384"));
}

sub names
{
	my ($list, $type) = @_;
	return [ sort map { $_->{name} }
		  grep { !defined $type || $_->{type} eq $type } @$list ];
}

my $before = traces();
my $plan = plan_ok('--jobs', 3);
is($plan->{format}, 1, 'format');
is($plan->{name}, 'app', 'name');
is($plan->{phase}, undef, 'phase: not begun');
is($plan->{jobs}, 3, 'jobs');
is_deeply(
	[ map { $_->{name} } @{ $plan->{tables} } ],
	[ 'large', 'small', 'Odd Name' ],
	'tables with rows, the largest first');
my $large = $plan->{tables}[0];
is_deeply(
	[ @{$large}{qw(schema rows chunk_kind chunks chunks_done)} ],
	[ 'public', 20000, 'whole', 1, 0 ],
	'rows and pieces of a table');
cmp_ok($large->{bytes}, '>', 2_000_000, 'size of a table');
cmp_ok($plan->{bytes}, '>', $large->{bytes}, 'size of all');
is_deeply([ sort @{ $large->{indexes} } ],
	[ 'large large_pkey', 'large_v' ], 'its indexes');
is_deeply(names($plan->{sequences}), ['small_id_seq'], 'sequences');
is_deeply($plan->{waits_for_stream}, [], 'nothing waits for the stream');
is_deeply(names($plan->{waits_for_finish}, 'FK CONSTRAINT'),
	['large large_small_fkey'], 'a foreign key waits for finish');
is_deeply(names($plan->{waits_for_finish}, 'TRIGGER'),
	['small act'], 'a trigger does');
is_deeply(names($plan->{waits_for_finish}, 'MATERIALIZED VIEW DATA'),
	['seen'], 'the contents of a materialized view do');
my %behind = map { $_->{object} => $_ } @{ $plan->{not_migrated} };
is_deeply(
	[ sort keys %behind ],
	[ 'event trigger mine', 'large objects', 'table public.fleeting' ],
	'what is not migrated, once each');
like($behind{'table public.fleeting'}{message}, qr/unlogged/, 'why');
like($behind{'table public.fleeting'}{remedy}, qr/SET LOGGED/, 'the remedy');
is(traces(), $before, 'nothing was made on either side');

# a table above --split-over is copied in pieces
$plan = plan_ok('--split-over', '512kB');
is_deeply(
	[ map { $_->{chunk_kind} } @{ $plan->{tables} } ],
	[ 'keys', 'whole', 'whole' ],
	'--split-over: one table is split by its key');
cmp_ok($plan->{tables}[0]{chunks}, '>', 3, 'in some pieces');
like(portage_ok('plan', @ends, '--split-over', '512kB')->{out},
	qr/ \d+ by keys +2  public\.large$/m, 'text: pieces');

# with a role that can switch triggers off, with patterns, without a stream
$target->safe_psql('postgres',
	'GRANT SET ON PARAMETER session_replication_role TO ' . TARGET_ROLE);
is_deeply(names(plan_ok()->{waits_for_finish}),
	['seen'], 'foreign keys and triggers do not wait where they can be off');
$target->safe_psql('postgres',
	'REVOKE SET ON PARAMETER session_replication_role FROM ' . TARGET_ROLE);
$plan = plan_ok('--tables', 'large');
is_deeply(names($plan->{tables}), ['large'], '--tables');
ok( (grep { $_->{object} eq 'TABLE public.small' } @{ $plan->{not_migrated} }),
	'a table that is not selected is not migrated');
$source->safe_psql('postgres', 'ALTER ROLE ' . SOURCE_ROLE . ' NOREPLICATION');
$plan = plan_ok('--copy-only');
ok($plan->{copy_only}, '--copy-only');
is_deeply($plan->{waits_for_finish}, [], 'then nothing waits');
$source->safe_psql('postgres', 'ALTER ROLE ' . SOURCE_ROLE . ' REPLICATION');
is(traces(), $before, 'nor was anything made by these');

# ---- the text
my $text = portage_ok('plan', @ends)->{out};
unlike($text, qr/.{81}/, 'text: 80 columns');
like($text, qr/^migration "app": not begun$/m, 'text: where it stands');
like($text, qr/^ +[\d.]+ MB +20000  whole +2  public\.large$/m,
	'text: a table with size, rows, pieces and indexes');
like($text, qr/^To copy: \S+ \S+; 3 tables, 4 indexes, 1 sequences$/m,
	'text: the totals');
like(
	$text,
	qr/^Waits for pg_portage finish:\n(?:  .*\n)*  FK CONSTRAINT +public\.large large_small_fkey$/m,
	'text: what waits');
like($text, qr/^Not migrated:\n(?:  .*\n)*  table public\.fleeting\n      it is/m,
	'text: what is not migrated');

# ---- in the middle of the copy: what is left of it
my $killed = portage(
	'run', @ends,
	'--jobs' => 1,
	env => { PG_PORTAGE_FAILPOINT => 'copy-committed:kill' });
isnt($killed->{rc}, 0, 'a copy is killed behind its first table');
$plan = plan_ok();
is($plan->{phase}, 'copy', 'phase copy');
my %done = map { $_->{name} => $_->{chunks_done} } @{ $plan->{tables} };
is_deeply(\%done, { large => 1, small => 0, 'Odd Name' => 0 },
	'one table is done');
cmp_ok($plan->{bytes}, '<', $large->{bytes}, 'which need not be copied');
cmp_ok($plan->{schema}{done}, '>', 0, 'objects are created');
like(portage_ok('plan', @ends)->{out}, qr/ done +2  public\.large$/m,
	'text: a table that is done');
portage_fails(2, 'plan', @ends, '--tables', 'large');

# ---- behind the copy: what waited is what the plan said
portage_ok('run', @ends, '--until', 'caught-up');
$plan = plan_ok();
is($plan->{phase}, 'stream', 'phase stream');
is($plan->{bytes}, 0, 'nothing is left to copy');
is($plan->{schema}{todo}, 0, 'nor to create');
is_deeply(
	[ grep { !/^(?:large large_small_fkey|small act|seen)$/ }
		  @{ names($plan->{waits_for_finish}) } ],
	[], 'what waits is what was foretold');
is(scalar(@{ $plan->{waits_for_finish} }), 3, 'all of it');
portage_ok('finish', @ends);
error_ok(portage_fails(4, 'plan', @ends),
	'P0426', qr/is finished/, 'plan, when there is nothing more to do');

# ---- refusals
$target->stop;
my $result = portage_fails(3, 'plan', @ends);
error_ok($result, 'P0301', qr/cannot connect to the target/, 'plan');
is($result->{out}, '', 'an error, and no plan');

done_testing();
