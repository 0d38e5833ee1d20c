# Two appliers of one migration with several targets: they do not share it out. One
# waits as a whole, takes over as a whole, and who was taken over ends.

use strict;
use warnings;

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

pair_create($source);

sub run_start
{
	return portage_start('run', '--config', $config, @_);
}

sub epochs
{
	return join(' ', map { progress_row($_, 'app', 'app')->{epoch} } $eu, $us);
}

sub both_have_it
{
	my ($process, $what) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	pair_write($source);
	wait_for_all($source, 'app', $eu, $us);
	ok($process->running, $what) || diag($process->stderr);
	return several_equal($source, [ $eu, $us ], @tables);
}

my $first = run_start();
wait_for_stream($eu, 'app', 'app', $first);
wait_for_stream($us, 'app', 'app', $first);

# ---- a second one waits, also when a target is free for a moment
my $second = run_start();
wait_for_err($second, qr/standby: the stream app is owned by process/);
is(portage('run', '--config', $config, '--no-wait')->{rc},
	3, 'one that does not wait ends');
$us->restart;
both_have_it($first, 'a target has restarted, and the first one goes on');
ok($second->running, 'the second one waits');
unlike($second->stderr, qr/streaming from/, 'and has touched nothing');

# ---- it takes over what the first one leaves
$first->kill9;
$first->wait_exit;
wait_for_err($second, qr/main -> eu: streaming from/);
wait_for_err($second, qr/main -> us: streaming from/);
both_have_it($second, 'the second one goes on with both');

# ---- and is taken over itself
my $epochs = epochs();
my $third = run_start('--takeover');
wait_for_err($third, qr/main -> eu: streaming from/);
wait_for_err($third, qr/main -> us: streaming from/);
is($second->wait_exit->{rc}, 3, 'who was taken over ends')
  || diag($second->stderr);
like($second->stderr, qr/error: .*\[P0307\]/, 'and says so');
isnt(epochs(), $epochs, 'the rows carry new epochs');
both_have_it($third, 'the third one goes on with both');
$third->term;
is($third->wait_exit->{rc}, 0, 'it stops');

done_testing();
