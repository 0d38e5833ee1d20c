# One source and two targets behind one slot: they begin together from one
# snapshot, one of them dies, hangs or begins later while the other goes on, and the
# slot waits for whoever is behind.

use strict;
use warnings;

use JSON::PP qw(decode_json);
use PortageFault;
use PortageMany;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = source_new('source');
my $eu = target_new('eu');
my $us = target_new('us');
my @tables = map { "public.$_" } qw(t u);
my $config = config_file(
	'app',
	{ main => source_url($source) },
	{ eu => target_url($eu), us => target_url($us) });
my $process;

pair_create($source, 5000);

sub run_start
{
	return portage_start('run', '--config', $config, @_);
}

sub confirmed
{
	return lsn(slot_row($source, 'portage_app')->{confirmed_flush_lsn});
}

sub both_have_it
{
	my ($what) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	wait_for_all($source, 'app', $eu, $us);
	ok($process->running, "$what: the same process goes on")
	  || diag($process->stderr);
	return several_equal($source, [ $eu, $us ], @tables);
}

# The slot follows what both have, and never passes what one of them lacks.
sub slot_follows
{
	my ($what) = @_;
	my $before = confirmed();

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	wait_for(sub { confirmed() > $before }, "the slot to follow: $what");
	# the slot first: both only go forwards
	my $now = confirmed();
	foreach my $target ($eu, $us)
	{
		my $row = progress_row($target, 'app', 'app');
		cmp_ok($now, '<=', lsn($row->{previous_anchor_lsn}),
			"$what: not beyond what a target can prove");
	}
	return;
}

# ---- two names for one database
{
	my $twins = config_file(
		'app',
		{ main => source_url($source) },
		{ eu => target_url($eu), us => target_url($eu) . '?connect_timeout=9' });
	my $result = portage_fails(1, 'check', '--config', $twins, '--json');
	my ($found) = grep { ($_->{code} // '') eq 'P0212' }
	  map { @{ $_->{result}{findings} } }
	  @{ decode_json($result->{out})->{pairs} };

	like(
		$found->{message},
		qr/\A\Q$twins\E:6:14: the targets eu and us are one database/,
		'check: two targets are one database');
	like(portage_fails(1, 'check', '--config', $twins, '--quiet')->{out},
		qr/^== main -> us\n(?:(?!== ).*\n)*  error    P0212/m,
		'also without what is well, with the names of the two sides');
	my $run = portage_start('run', '--config', $twins);
	wait_for_err($run, qr/error: .*the targets .* are one database.*\[P0212\]/);
	$run->term;
	is($run->wait_exit->{rc}, 2, 'run says so, too');
	portage_ok('drop', '--config', $twins, '--yes');
	$eu->safe_psql('app', 'DROP TABLE IF EXISTS t, u');
}

# ---- together from the beginning
$process = run_start();
wait_for_stream($eu, 'app', 'app', $process);
wait_for_stream($us, 'app', 'app', $process);
pair_write($source);
both_have_it('from the beginning');
slot_follows('both stream');
{
	my ($first, $second) = map { progress_row($_, 'app', 'app') } $eu, $us;

	is($first->{consistent_lsn}, $second->{consistent_lsn},
		'both were copied from one position');
	is($first->{origin_nonce}, $second->{origin_nonce},
		'and know the markers of one stream');
	is( $source->safe_psql('postgres',
			'SELECT count(*) FROM pg_replication_slots'),
		1, 'through one slot');
}

# ---- one target away: the other goes on, the slot does not
$us->stop('immediate');
wait_for_err($process, qr/main -> us: trying again/);
{
	my $held = confirmed();

	pair_write($source) foreach 1 .. 3;
	wait_for_applied($source, $eu);
	tables_equal($source, 'app', $eu, 'app', @tables);
	ok($process->running, 'the process goes on without it');
	# several markers more, which would have moved it
	my $markers = progress_row($eu, 'app', 'app')->{transactions};
	wait_for(
		sub { progress_row($eu, 'app', 'app')->{transactions} > $markers + 3 },
		'some markers');
	is(confirmed(), $held, 'the slot waits for it');
}
$us->start;
both_have_it('it is back');
slot_follows('after its return');

# ---- status and check of both
{
	my $result = portage_ok('status', '--config', $config, '--json');
	my $all = decode_json($result->{out});

	is($all->{format}, 1, 'status of two targets is one object');
	is_deeply(
		[ map { "$_->{source} $_->{target} $_->{exit_code}" }
			  @{ $all->{pairs} } ],
		[ 'main eu 0', 'main us 0' ],
		'that names each pair');
	is($_->{result}{phase}, 'stream', "$_->{target} streams")
	  foreach @{ $all->{pairs} };
	like(portage_ok('status', '--config', $config)->{out},
		qr/^== main -> eu\n.*^== main -> us\n/ms, 'text has headings');
	portage('check', '--config', $config, '--json');
}

# ---- the whole process killed, with the two at different positions
$us->stop('fast');
wait_for_err($process, qr/(?:main -> us: trying again.*){2}/s);
pair_write($source);
wait_for_applied($source, $eu);
$process->kill9;
$process->wait_exit;
$us->start;
$process = run_start();
both_have_it('after a kill, from the smaller anchor');
slot_follows('after a kill');

# ---- a pair alone must not have the slot moved
{
	$process->term;
	is($process->wait_exit->{rc}, 0, 'it stops when told to')
	  || diag($process->stderr);
	like($process->stderr, qr/main -> eu: stopped by signal.*everything up to/,
		'and says where each target is');
	my $result = portage_fails(2, 'run', endpoints($source, $eu));
	error_ok($result, 'P0105', qr/serves other targets/, 'one pair alone');
}

# ---- to an end that was asked for
pair_write($source);
{
	my $result =
	  portage_ok('run', '--config', $config, '--until', 'caught-up');

	several_equal($source, [ $eu, $us ], @tables);
	like($result->{err}, qr/main -> $_: done: /, "$_ is where it was to come to")
	  foreach qw(eu us);
}

# ---- a data error ends that target alone
$us->safe_psql('app', 'DELETE FROM u WHERE id = 7');
$process = run_start();
wait_for_stream($eu, 'app', 'app', $process);
pair_write($source);
wait_for_err($process, qr/error: main -> us: .*\[P0412\]/);
wait_for_applied($source, $eu);
tables_equal($source, 'app', $eu, 'app', @tables);
$process->term;
is($process->wait_exit->{rc}, 4, "the process ends with that error's code");
$us->safe_psql('app', 'INSERT INTO u SELECT 7, n FROM u LIMIT 1');
portage_ok('run', '--config', $config, '--until', 'caught-up');
several_equal($source, [ $eu, $us ], @tables);

# ---- finish, drop
portage_ok('finish', '--config', $config);
is(progress_row($_, 'app', 'app')->{phase}, 'done', $_->name . ' is finished')
  foreach $eu, $us;
portage_ok('drop', '--config', $config, '--yes');
is(slot_row($source, 'portage_app'), undef, 'the slot is gone');
is(progress_row($_, 'app', 'app'), undef, 'the state of ' . $_->name . ' is gone')
  foreach $eu, $us;

done_testing();
