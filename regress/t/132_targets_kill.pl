# kill -9 at random moments with two targets, one of which often has just been
# killed as well, while the source is written to. ROUNDS is how many kills there are
# (12), PORTAGE_SEED repeats a choice of moments.

use strict;
use warnings;

use PortageFault;
use PortageMany;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes ();

my $rounds = $ENV{ROUNDS} // 12;
my $seed = $ENV{PORTAGE_SEED} // int(rand(1_000_000));
srand($seed);
diag("PORTAGE_SEED=$seed ROUNDS=$rounds");

my $source = source_new('source');
my $eu = target_new('eu');
my $us = target_new('us');
my $config = config_file(
	'app',
	{ main => source_url($source) },
	{ eu => target_url($eu), us => target_url($us) });
my ($copying, $apart, $restarts) = (0, 0, 0);

shop_create($source, 'app');
my $load = shop_load($source, 'app', rate => 60);

sub phases
{
	return map { my $row = progress_row($_, 'app', 'app'); $row ? $row : {} }
	  $eu, $us;
}

foreach my $round (1 .. $rounds)
{
	my $process = portage_start('run', '--config', $config);

	# from before anything is there to well into the stream
	Time::HiRes::sleep(0.2 + rand($round < $rounds / 2 ? 4 : 8));
	if (rand() < 0.4)
	{
		my $target = rand() < 0.5 ? $eu : $us;
		$target->stop('immediate');
		Time::HiRes::sleep(rand(1.5));
		$target->start;
		$restarts++;
	}
	last unless ok($process->running, "round $round: it runs until it is killed")
	  || diag($process->stderr);
	$process->kill9;
	$process->wait_exit;
	my ($first, $second) = phases();
	$copying += grep { ($_->{phase} // '') =~ /slot|schema|copy/ } $first,
	  $second;
	$apart += ($first->{resume_lsn} // '') ne ($second->{resume_lsn} // '');
}
pgbench_stop($source, $load);
portage_ok('run', '--config', $config, '--until', 'caught-up');
# on a slow machine all that came before may have come by the copy
$source->safe_psql('app', q{UPDATE pgbench_accounts SET filler = 'x' WHERE aid <= 5});
portage_ok('run', '--config', $config, '--until', 'caught-up');
foreach my $target ($eu, $us)
{
	tables_equal($source, 'app', $target, 'app', shop_tables());
	balances_ok($target, 'app', $target->name);
	progress_ok($source, $target, 'app', 'app');
}
is($source->safe_psql('postgres', 'SELECT count(*) FROM pg_replication_slots'),
	1, 'one slot, whatever was killed');
diag("in the copy $copying times, at different positions $apart times, "
	  . "with a target that had restarted $restarts times");

done_testing();
