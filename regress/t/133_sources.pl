# Two sources into one target, each with tables of its own: two slots, two streams,
# two progress rows in one process; one source away does not stop the other. And a
# migration that follows another one.

use strict;
use warnings;

use JSON::PP qw(decode_json);
use PortageFault;
use PortageMany;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $east = source_new('east', databases => [ 'app', 'other' ]);
my $west = source_new('west');
my $target = target_new('target');
my $config = config_file(
	'app',
	{ east => source_url($east), west => source_url($west) },
	{ all => target_url($target) });
my $process;

foreach ([ $east, 'e' ], [ $west, 'w' ])
{
	my ($node, $letter) = @$_;
	$node->safe_psql('app', <<"SQL");
CREATE SCHEMA $letter;
CREATE TABLE $letter.t (id serial PRIMARY KEY, v text);
INSERT INTO $letter.t (v) SELECT 'v' || i FROM generate_series(1, 2000) i;
SQL
	source_grant($node, 'app', $letter);
}

sub write_to
{
	my ($node, $letter) = @_;
	$node->safe_psql('app', <<"SQL");
INSERT INTO $letter.t (v) SELECT 'more' || i FROM generate_series(1, 50) i;
UPDATE $letter.t SET v = v || '.' WHERE id % 7 = 0;
DELETE FROM $letter.t WHERE id = (SELECT min(id) FROM $letter.t);
SQL
	return;
}

sub all_there
{
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	wait_for_applied($east, $target, 'app', 'app_east');
	wait_for_applied($west, $target, 'app', 'app_west');
	tables_equal($east, 'app', $target, 'app', 'e.t');
	return tables_equal($west, 'app', $target, 'app', 'w.t');
}

$process = portage_start('run', '--config', $config);
wait_for_stream($target, 'app', 'app_east', $process);
wait_for_stream($target, 'app', 'app_west', $process);
write_to($east, 'e');
write_to($west, 'w');
all_there();
ok(slot_row($east, 'portage_app_east'), 'a slot on one source');
ok(slot_row($west, 'portage_app_west'), 'and on the other');

# ---- one source away
$west->stop('fast');
wait_for_err($process, qr/west: trying again/);
write_to($east, 'e');
wait_for_applied($east, $target, 'app', 'app_east');
tables_equal($east, 'app', $target, 'app', 'e.t');
ok($process->running, 'the other one goes on');
$west->start;
write_to($west, 'w');
all_there();

# ---- the target both go to
$target->restart;
write_to($east, 'e');
write_to($west, 'w');
all_there();
{
	my $all =
	  decode_json(portage_ok('status', '--config', $config, '--json')->{out});

	is_deeply(
		[ map { "$_->{source} $_->{target} $_->{result}{name}" }
			  @{ $all->{pairs} } ],
		[ 'east all app_east', 'west all app_west' ],
		'status names each pair');
}
$process->term;
is($process->wait_exit->{rc}, 0, 'it stops') || diag($process->stderr);

# ---- one that follows: it waits while the first one lacks something
write_to($east, 'e');
{
	my $late = config_file(
		'late',
		{ east => source_url($east, 'other') },
		{ all => target_url($target) },
		'after: app_east');

	$east->safe_psql('other', 'CREATE TABLE public.other (id int PRIMARY KEY)');
	my $follower = portage_start('run', '--config', $late);
	wait_for_err($follower, qr/waits until the migration "app_east" has caught/);
	is(progress_row($target, 'app', 'late'), undef, 'it has not begun');
	$process = portage_start('run', '--config', $config);
	wait_for_err($follower, qr/the migration "app_east" has caught up/);
	wait_for_stream($target, 'app', 'late', $follower);
	ok($process->running && $follower->running, 'then both go on')
	  || diag($process->stderr . $follower->stderr);
	$follower->term;
	is($follower->wait_exit->{rc}, 0, 'the follower stops');
	$process->term;
	is($process->wait_exit->{rc}, 0, 'and the first one');
}

# ---- the end
portage_ok('run', '--config', $config, '--until', 'caught-up');
tables_equal($east, 'app', $target, 'app', 'e.t');
tables_equal($west, 'app', $target, 'app', 'w.t');
portage_ok('drop', '--config', $config, '--yes');
is(slot_row($east, 'portage_app_east'), undef, 'the slots are gone');
is(slot_row($west, 'portage_app_west'), undef, 'both of them');

done_testing();
