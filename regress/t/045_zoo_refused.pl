# What no text can carry, or only to a target that has what it names: a value
# of that kind stops the copy, and the stream before its transaction, with a
# code and the name of the table. Nothing is changed or left out in silence, and
# check names the column, if its type tells.

use strict;
use warnings;

use PortageTest;
use Test::More;

my $roles = 'CREATE ROLE only_here';
my @cases = (
	[ 'name_of_an_index', 'P0416', 'regclass', q{'public.t_pkey'} ],
	[ 'name_of_two_functions', 'P0420', 'regproc', '2108::oid' ],
	[ 'name_of_two_operators', 'P0420', 'regoper', '551::oid' ],
	[ 'role_that_is_not_there', 'P0417', 'regrole', q{'only_here'} ],
	[ 'role_in_a_list', 'P0417', 'aclitem[]', q{'{only_here=r/only_here}'} ],
	[ 'type_without_input', 'P0420', 'pg_node_tree', q{(SELECT conbin FROM pg_constraint WHERE contype = 'c' LIMIT 1)} ],
	[ 'interval_without_input', 'P0415', 'interval', q{'-2562047788:00:54.775807'::interval - '1 microsecond'::interval} ]);

# What check says of a column, if it is not a warning.
my %foreseen = ('pg_node_tree' => 'error');

my @databases = map { $_->[0] } @cases;
my $source = source_new('source', databases => [ @databases, 'old_rows_of_a_domain' ], fsync => 0);
my $target = target_new('target', databases => [ @databases, 'old_rows_of_a_domain' ], fsync => 0);
$source->safe_psql('postgres', $roles);

sub run_arguments
{
	my ($database, @more) = @_;
	return ('run', endpoints($source, $target, $database), '--until', 'caught-up', @more);
}

foreach my $case (@cases)
{
	my ($database, $code, $type, $value) = @$case;
	# what has no code of its own has one for the copy and one for the stream
	my $in_stream = $code eq 'P0420' ? 'P0419' : $code;

	$source->safe_psql($database, <<"SQL");
CREATE TABLE t (id int PRIMARY KEY, v $type);
CREATE TABLE other (id int PRIMARY KEY);
INSERT INTO t VALUES (1, $value); INSERT INTO other VALUES (1);
SQL
	my $check = portage('check', endpoints($source, $target, $database))->{out};
	my ($severity) = $check =~ /^source: column public\.t\.v\n  (\w+) +$code /m;
	is($severity, $foreseen{$type} // 'warning', "$database: check names column and code") unless $type eq 'interval';
	unlike($check, qr/column public\.t\.v/, "$database: no type tells") if $type eq 'interval';
	my $result = portage_fails(4, run_arguments($database));
	if (($severity // '') eq 'error')
	{
		like($result->{err}, qr/error: column public\.t\.v: .*\[$code\]/, "$database: it does not begin");
		is($target->safe_psql($database, q{SELECT to_regclass('t')}), '', "$database: nothing is there");
	}
	else
	{
		like($result->{err}, qr/error: table public\.t: .*\[$code\]/, "$database: the copy names table and code");
		is(table_digest($target, $database, 'public.t', allow_empty => 1) =~ s/ .*//r, 0, "$database: nothing is copied");
		is($target->safe_psql($database, q{SELECT state FROM portage.chunk WHERE table_name = 't'}), 'todo', "$database: nor said to be");
	}

	# Without the value it goes on, until the stream brings one.
	$source->safe_psql($database, 'UPDATE t SET v = NULL');
	portage_ok(run_arguments($database));
	tables_equal($source, $database, $target, $database, 'public.t', 'public.other');
	# The target has the index by now.
	next if $database eq 'name_of_an_index';
	my @before = map { table_digest($target, $database, $_) } qw(public.t public.other);
	$source->safe_psql($database, "BEGIN; INSERT INTO other VALUES (2); INSERT INTO t VALUES (2, $value); COMMIT; INSERT INTO other VALUES (3)");
	foreach my $attempt (1, 2)
	{
		$result = portage_fails(4, run_arguments($database));
		like($result->{err}, qr/error: .*table public\.t: INSERT.*\[$in_stream\]/, "$database: the stream names table and code");
		is_deeply([ map { table_digest($target, $database, $_) } qw(public.t public.other) ], \@before,
			"$database: nothing of the transaction is applied, nor behind it");
	}
}

# A constraint that old rows need not keep is created after the copy. An UPDATE
# of such a row sets all of its columns on the target, where that is refused.
my $database = 'old_rows_of_a_domain';
$source->safe_psql($database, <<'SQL');
CREATE DOMAIN even AS int;
CREATE TABLE t (id int PRIMARY KEY, v even, n int);
INSERT INTO t VALUES (1, 1, 0), (2, 2, 0);
ALTER DOMAIN even ADD CONSTRAINT even CHECK (VALUE % 2 = 0) NOT VALID;
SQL
portage_ok(run_arguments($database));
tables_equal($source, $database, $target, $database, 'public.t');
$source->safe_psql($database, 'UPDATE t SET n = 1 WHERE id = 2');
portage_ok(run_arguments($database));
$source->safe_psql($database, 'UPDATE t SET n = 1 WHERE id = 1');
like(portage_fails(4, run_arguments($database))->{err}, qr/error: .*table public\.t: UPDATE.*\[P0413\]/,
	"$database: the stream names table and code");
is($target->safe_psql($database, 'SELECT id, v, n FROM t ORDER BY id'), "1|1|0\n2|2|1", "$database: the row is as it was");

done_testing();
