# The slot is created while transactions run and others are rolled back: the
# server then exports a snapshot whose xmin lies behind its xmax, as 1175:1172:,
# which its own type pg_snapshot does not read.

use strict;
use warnings;

use PortageTest;
use Test::More;

my $source = source_new('source');
my $target = target_new('target');

$source->safe_psql('app', <<'SQL');
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t SELECT g, 'v' || g FROM generate_series(1, 100) AS g;
SQL

# The preflight makes a slot of its own, a temporary one: stop behind it.
my $resume = "$ENV{PORTAGE_TMP}/resume-021";
my $run = portage_start('run', endpoints($source, $target),
	'--until', 'caught-up',
	env => {
		PG_PORTAGE_FAILPOINT => 'slot-intended:pause',
		PG_PORTAGE_FAILPOINT_RESUME => $resume
	});
wait_for(
	sub {
		my $progress = progress_row($target, 'app', 'app');
		defined $progress && $progress->{phase} eq 'slot';
	},
	'the slot is about to be made');
my $first = open_transaction();
open(my $file, '>', $resume) or die "cannot write $resume: $!";
close($file) or die $!;
waits_for($first);
my $second = open_transaction();
use_up_xids();
end_transaction($first);
waits_for($second);
use_up_xids();
my $third = open_transaction();
use_up_xids();
end_transaction($second);
wait_for(
	sub {
		$source->safe_psql('app', 'SELECT count(*) FROM pg_replication_slots'
			  . ' WHERE confirmed_flush_lsn IS NOT NULL') eq '1'
		  || waiting($third);
	},
	'the slot is made, or waits for the third transaction');
end_transaction($third);

my $result = $run->wait_exit;
is($result->{rc}, 0, 'the copy ends') || diag($result->{err});
tables_equal($source, 'app', $target, 'app', 'public.t');

done_testing();

# A transaction that has an xid and stays open.
sub open_transaction
{
	my $session = $source->background_psql('app');
	my $xid = $session->query_safe('BEGIN; INSERT INTO t VALUES (-'
		  . int(1 + rand(1e9)) . q{, 'open'); SELECT txid_current() % 4294967296});
	$xid =~ s/\D//g;
	return { session => $session, xid => $xid };
}

sub end_transaction
{
	my ($transaction) = @_;
	$transaction->{session}->query_safe('ROLLBACK');
	$transaction->{session}->quit;
	return;
}

# Numbers of transactions that were nothing in the end.
sub use_up_xids
{
	$source->safe_psql('app',
		'BEGIN; SELECT txid_current(); ROLLBACK;' x 5);
	return;
}

sub waiting
{
	my ($transaction) = @_;
	return $source->safe_psql('app', 'SELECT count(*) FROM pg_locks'
		  . " WHERE locktype = 'transactionid' AND NOT granted"
		  . " AND transactionid = '$transaction->{xid}'") ne '0';
}

sub waits_for
{
	my ($transaction) = @_;
	wait_for(sub { waiting($transaction) },
		"the slot's creation waits for $transaction->{xid}");
	return;
}
