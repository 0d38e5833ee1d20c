# One source, a PostgreSQL and a MySQL or MariaDB target, with an option that only
# one of them has a use for; the MySQL server dies and comes back.

use strict;
use warnings;

use PortageFault;
use PortageMany;
use PortageMysql;
use PortageMysqlContents;
use PortageTest;
use Test::More;

my $source = source_new('source');
my $pg = target_new('pg');
my $my = mysql_new('my');
my @tables = map { "public.$_" } qw(t u);
my $config = config_file(
	'app',
	{ main => source_url($source) },
	{ pg => target_url($pg), my => $my->url('app') },
	'on_loss: error');

pair_create($source, 3000);

sub both_equal
{
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	tables_equal($source, 'app', $pg, 'app', @tables);
	return contents_equal($source, 'app', $my, 'app', tables => \@tables);
}

portage_ok('run', '--config', $config, '--until', 'caught-up');
both_equal();
is( $my->value('app', 'SELECT origin_nonce FROM portage_progress'),
	progress_row($pg, 'app', 'app')->{origin_nonce},
	'both know the markers of the one stream');

my $process = portage_start('run', '--config', $config);
wait_for_err($process, qr/main -> my: streaming from/);
wait_for_err($process, qr/main -> pg: streaming from/);
pair_write($source);
wait_for_applied($source, $pg);
my $held = slot_row($source, 'portage_app')->{confirmed_flush_lsn};
$my->kill9;
pair_write($source);
wait_for_err($process, qr/main -> my: trying again/);
wait_for_applied($source, $pg);
tables_equal($source, 'app', $pg, 'app', @tables);
ok($process->running, 'the other one goes on') || diag($process->stderr);
$my->start;
wait_for_err($process, qr/(?:main -> my: streaming from.*){2}/s);
pair_write($source);
wait_for(
	sub {
		lsn(slot_row($source, 'portage_app')->{confirmed_flush_lsn}) > lsn($held);
	},
	'the slot to move when both have it');
$process->term;
is($process->wait_exit->{rc}, 0, 'it stops') || diag($process->stderr);
portage_ok('run', '--config', $config, '--until', 'caught-up');
both_equal();

done_testing();
