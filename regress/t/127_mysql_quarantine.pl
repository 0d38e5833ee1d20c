# Rows that a MySQL or MariaDB target refuses, or cannot hold, go into quarantine
# and come out of it, as with a PostgreSQL target (129_quarantine.pl).

use strict;
use warnings;

use JSON::PP qw(decode_json);
use PortageFault;
use PortageMany;
use PortageMysql;
use PortageTest;
use Test::More;

my $source = source_new('source');
my $mysql = mysql_new('mysql', databases => ['app']);
my @config = ('--config' => config_file(
		'app',
		{ shop => source_url($source) },
		{ store => $mysql->url('app') },
		'rules:',
		'  - table: public.t',
		'    on_error: quarantine'));
my $process;

$source->safe_psql('app', <<'SQL');
CREATE TABLE t (id int PRIMARY KEY, day date, v text);
INSERT INTO t VALUES (100, '2020-01-01', 'copied');
SQL

sub write_source
{
	my ($sql) = @_;
	$source->safe_psql('app', $sql);
	my $end = current_lsn($source);
	return wait_for(
		sub {
			my $lsn = $mysql->value('app',
				"SELECT resume_lsn FROM portage_progress WHERE phase = 'stream'");
			defined($lsn) && lsn($lsn) >= lsn($end);
		},
		'the target to have it');
}

sub keys_of
{
	my $out = portage_ok('quarantine', 'list', @config, '--json')->{out};
	return join(' ', map { $_->{key}{id} } @{ decode_json($out)->{rows} });
}

sub rows
{
	return $mysql->value('app',
		q{SELECT GROUP_CONCAT(CONCAT(id, '=', v) ORDER BY id SEPARATOR ' ') FROM t});
}

sub start
{
	$process = portage_start('run', @config);
	wait_for_err($process, qr/streaming from/);
	return;
}

start();
$mysql->query('app',
	q{ALTER TABLE t ADD CONSTRAINT nothing_bad CHECK (v NOT LIKE 'bad%')});

# a date that it cannot hold, and a row that a constraint refuses
write_source(
	q{INSERT INTO t VALUES (1, '2020-01-01', 'good'), (2, 'infinity', 'late'),
	  (3, '2020-01-01', 'bad'), (4, '2020-01-01', 'good')});
is(rows(), '1=good 4=good 100=copied', 'the others are there');
is(keys_of(), '2 3', 'what it cannot hold and what it refuses: in quarantine');
write_source(q{UPDATE t SET day = '2021-01-01' WHERE id = 2});
is(rows(), '1=good 2=late 4=good 100=copied', 'a later version has come');
is(keys_of(), '3', 'and is not in quarantine any more');
write_source(q{UPDATE t SET v = 'bad too' WHERE id = 4});
is(keys_of(), '3 4', 'one that was good before');
is(rows(), '1=good 2=late 4=good 100=copied', 'is there as it was');
$process->term;
is($process->wait_exit->{rc}, 0, 'stopped');

portage_fails(1, 'quarantine', 'retry', @config);
is(keys_of(), '3 4', 'what it still refuses stays');
$mysql->query('app', 'ALTER TABLE t DROP CONSTRAINT nothing_bad');
portage_ok('quarantine', 'retry', @config);
is(keys_of(), '', 'and comes when it does not any more');
is(rows(), '1=good 2=late 3=bad 4=bad too 100=copied', 'in its newest version');

start();
write_source(q{DELETE FROM t WHERE id = 4; UPDATE t SET v = 'end' WHERE id = 3});
is(rows(), '1=good 2=late 3=end 100=copied', 'it goes on strictly');
$process->term;
is($process->wait_exit->{rc}, 0, 'the end');

done_testing();
