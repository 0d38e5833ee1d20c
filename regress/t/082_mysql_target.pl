# The MySQL or MariaDB target itself: connecting and what is said when that
# fails, preflight, tables that are there already, who owns a stream, what is
# left of it.

use strict;
use warnings;

use PortageCheck;
use PortageFault;
use PortageMysql;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = source_new('source');
my $target = mysql_new('target');
my @ends = mysql_endpoints($source, $target);
my $role = MYSQL_ROLE;

$source->safe_psql('app', <<'SQL');
CREATE TABLE t (id int PRIMARY KEY, v varchar(20), n numeric(8,2) NOT NULL);
CREATE UNIQUE INDEX t_v ON t (v);
CREATE TABLE u (a int, b int, PRIMARY KEY (a, b));
INSERT INTO t SELECT i, 'v' || i, i FROM generate_series(1, 10) i;
INSERT INTO u SELECT i, i FROM generate_series(1, 10) i;
SQL

sub check_url
{
	my ($rc, $url, %environment) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return portage_fails($rc, 'check', @ends[ 0, 1 ], '--target', $url,
		env => \%environment);
}

sub refused
{
	my ($rc, $url, $code, $words, $what, %environment) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $result = portage_fails($rc, 'status', '--name', 'app', '--target', $url,
		env => \%environment);
	error_ok($result, $code, $words, $what);
	unlike($result->{err}, qr/sesame/, "$what: no password in it");
	return $result;
}

# ---- connecting
refused(3, $target->url('app', password => 'sesame'), 'P0302',
	qr/cannot connect to the target 127\.0\.0\.1:\d+\/app: .*Access denied/,
	'a wrong password');
refused(3, $target->url('app', user => 'nobody'), 'P0302', qr/nobody/,
	'a user that there is not');
refused(3, $target->url('nowhere'), 'P0302', qr/nowhere/,
	'a database that there is not');
refused(2, $target->url('') , 'P0102', qr/names no database/, 'no database');
refused(3, 'mysql://u:sesame@127.0.0.1:1/app', 'P0301',
	qr/cannot connect to the target 127\.0\.0\.1:1\/app/, 'a closed port');
refused(3, 'mysql://u:sesame@no.such.host.invalid/app', 'P0301',
	qr/no\.such\.host\.invalid/, 'a host that there is not');
my $result = refused(2, 'mysql://u:sesame@h/app?sslmode=REQUIRED', 'P0102',
	qr/the target URL cannot be read: there is no option "sslmode"/,
	'an unknown option');
like($result->{err}, qr/did you mean ssl-mode\?/, 'with what was meant');
$result = portage_fails(2, 'check', '--source', $target->url('app'),
	'--target', $target->url('app'));
error_ok($result, 'P0102', qr/no driver for a source URL of mysql:/,
	'MySQL as a source');
check_url(0, $target->url('app', socket => 1));
check_url(0, $target->url('app', compress => 1));

# What never answers is given up in the time that the URL allows.
kill('STOP', $target->pid);
my $begun = time();
refused(3, $target->url('app', 'connect-timeout' => 2), 'P0301',
	# ours, or the library's own words for the same time
	qr/no answer within 2 s|initial communication packet/, 'a server that hangs');
cmp_ok(time() - $begun, '<', 12, 'not for long');
kill('CONT', $target->pid);

# ---- my.cnf
my $home = PostgreSQL::Test::Utils::tempdir();
my $password = MYSQL_PASSWORD =~ s/\\/\\\\/gr;
append_to_file("$home/.my.cnf", "[client]\nuser = $role\npassword = \"$password\"\n"
	  . "port = 1\nssl-mode = REQUIRED\n[pg_portage]\ndatabase = app\n");
chmod(0600, "$home/.my.cnf");
check_url(0, 'mysql://127.0.0.1:' . $target->port . '/?ssl-mode=DISABLED', HOME => $home);
refused(3, 'mysql://127.0.0.1:' . $target->port, 'P0301', qr/TLS/,
	'what the file asks for counts', HOME => $home)
  if $target->is_mariadb;
refused(2, 'mysql:///app?defaults-file=/nowhere.cnf', 'P0102',
	qr/nowhere\.cnf: No such file/, 'a file that is not there');

# ---- TLS
my $tls = mysql_new('tls', tls => 1);
check_url(0, $tls->url('app', 'ssl-mode' => $_, 'get-server-public-key' => 1))
  foreach qw(DISABLED PREFERRED REQUIRED);
check_url(0, $tls->url('app', 'ssl-mode' => $_, 'ssl-ca' => $tls->ca_file))
  foreach qw(VERIFY_CA VERIFY_IDENTITY);
refused(3, $tls->url('app', 'ssl-mode' => $_, 'ssl-ca' => $tls->bad_ca_file),
	'P0301', qr/certificate|SSL/i, "$_ with another authority")
  foreach qw(VERIFY_CA VERIFY_IDENTITY);
refused(3, $tls->url('app', 'ssl-ca' => $tls->bad_ca_file), 'P0301',
	qr/certificate|SSL/i, 'an authority and no mode');
$tls->query(undef, "ALTER USER '$role'\@'%' REQUIRE SSL");
refused(3, $tls->url('app', 'ssl-mode' => 'DISABLED'), 'P0302',
	qr/Access denied|secure transport/, 'without TLS where it is required');
if ($target->is_mariadb)
{
	refused(3, $target->url('app', 'ssl-mode' => 'REQUIRED'), 'P0301',
		qr/TLS|SSL/, 'TLS of a server that has none');
}
$tls->stop;

# ---- preflight
look(0, @ends);
found('ok', '', 'target', qr/it is (?:MariaDB|MySQL) /, undef);
$target->query(undef, "REVOKE ALL PRIVILEGES, GRANT OPTION FROM '$role'\@'%'");
$target->grant('SELECT, INSERT, UPDATE, TRIGGER', 'app');
look(1, @ends);
found('error', 'P0210', 'target',
	qr/lacks DELETE, CREATE, ALTER, INDEX, DROP, REFERENCES, CREATE TEMPORARY TABLES in the database app/,
	qr/GRANT DELETE, .* ON `app`\.\* TO '$role'\@'%'/);
$result = portage_fails(2, 'run', @ends, '--until', 'caught-up');
error_ok($result, 'P0210', qr/lacks DELETE/, 'run without privileges');
$target->grant('ALL PRIVILEGES', 'app');
look(0, @ends);
not_found('target', qr/lacks/);

foreach my $setting (
	[ 'local_infile', 0, 'warning', '', qr/by INSERT, which is slower/, qr/local_infile = ON/ ],
	[ 'max_allowed_packet', 1048576, 'warning', 'P0415', qr/max_allowed_packet is 1048576/, qr/SET GLOBAL max_allowed/ ],
	[ 'innodb_flush_log_at_trx_commit', 2, 'note', '', qr/a little later/, undef ])
{
	my ($name, $value, $severity, $code, $words, $remedy) = @$setting;
	my $before = $target->value(undef, "SELECT \@\@global.$name");

	$target->query(undef, "SET GLOBAL $name = $value");
	look(0, @ends);
	found($severity, $code, 'target', $words, $remedy);
	$target->query(undef, "SET GLOBAL $name = $before");
}
$target->query(undef, 'SET GLOBAL read_only = 1');
look(1, @ends);
found('error', 'P0211', 'target', qr/does not take writes: read_only is on/, qr/primary/);
$result = portage_fails(2, 'run', @ends, '--until', 'caught-up');
error_ok($result, 'P0211', qr/read_only is on/, 'run against a server that is read-only');
$target->query(undef, 'SET GLOBAL read_only = 0');
portage('drop', @ends, '--yes');

# ---- tables that are there already
my $collate = $target->byte_exact_collation;
my %good = (
	t => "CREATE TABLE t (id int NOT NULL PRIMARY KEY, v varchar(20),"
	  . " n decimal(8,2) NOT NULL) COLLATE $collate",
	u => 'CREATE TABLE u (a int NOT NULL, b int NOT NULL, PRIMARY KEY (a, b))');

sub there
{
	my (%statements) = @_;
	$target->query('app', "DROP TABLE IF EXISTS $_") foreach keys %good;
	$target->query('app', $statements{$_}) foreach keys %statements;
	return;
}

there(%good);
look(0, @ends);
not_found('table public.t');
foreach my $case (
	[ 'v varchar(20)', 'v varchar(19)', qr/column v is varchar\(19\) .*; it would be varchar\(20\) / ],
	[ 'v varchar(20)', 'v varchar(20) COLLATE utf8mb4_bin', qr/column v is .* COLLATE utf8mb4_bin; it would be .* COLLATE $collate/ ],
	[ 'v varchar(20),', '', qr/it has no column v, which would be varchar\(20\)/ ],
	[ 'v varchar(20)', 'v varchar(20) NOT NULL', qr/column v is .* NOT NULL; it would be/ ],
	[ 'n decimal(8,2) NOT NULL', 'n decimal(8,2)', qr/column n is decimal\(8,2\); it would be decimal\(8,2\) NOT NULL/ ],
	[ 'id int NOT NULL PRIMARY KEY', 'id int NOT NULL', qr/it has no unique index PRIMARY \(id\)/ ],
	[ 'v varchar(20)', 'v varchar(20), UNIQUE KEY n (n)', qr/it has a unique index n \(n\) that the source does not have/ ],
	[ 'v varchar(20)', 'v varchar(20), more int NOT NULL', qr/a column more that the source does not have, NOT NULL and without a default/ ],
	[ ") COLLATE", ') ENGINE=MyISAM COLLATE', qr/its engine is MyISAM/ ])
{
	my ($from, $to, $words) = @$case;
	my $sql = $good{t} =~ s/\Q$from\E/$to/r;

	there(%good, t => $sql);
	look(1, @ends);
	found('error', 'P0417', 'table public.t', $words, qr/change the table there/);
}
$result = portage_fails(4, 'run', @ends, '--until', 'caught-up');
error_ok($result, 'P0417', qr/table public\.t: its engine is MyISAM/, 'run does not begin');
is($target->error_of('app', 'SELECT 1 FROM portage_progress'), 1146, 'and leaves nothing')
  or diag(explain([ $target->rows('app', 'SELECT * FROM portage_progress') ]));
portage('drop', @ends, '--yes');

there(%good);
$target->query('app', 'CREATE TRIGGER act BEFORE INSERT ON t FOR EACH ROW SET NEW.n = 0');
look(1, @ends);
found('error', 'P0417', 'table public.t', qr/its trigger act would act/, qr/./);
$target->query('app', 'DROP TRIGGER act');
$target->query('app', 'INSERT INTO u VALUES (7, 7)');
look(1, @ends);
found('error', 'P0401', 'target', qr/names already: u$/, qr/empty database/);
$target->query('app', 'DELETE FROM u');
there(%good, u => 'CREATE VIEW u AS SELECT 1 AS a, 1 AS b');
look(1, @ends);
found('error', 'P0417', 'table public.u', qr/it is no table but a VIEW/, qr/drop it/);
$target->query('app', 'DROP VIEW u');
there(%good);

# ---- who owns the stream
sub stopped_at
{
	my ($point, @arguments) = @_;
	my $process = portage_start('run', @ends, '--until', 'caught-up', @arguments,
		env => { PG_PORTAGE_FAILPOINT => "$point:stop" });

	wait_for(sub { $process->state eq 'T' }, "it to stop at $point");
	return $process;
}

my $first = stopped_at('schema-stored');
$result = portage_fails(3, 'run', @ends, '--no-wait');
error_ok($result, 'P0306', qr/the stream app has an owner/, '--no-wait');
like($result->{err}, qr/detail: It is connection \d+ of $role from /, 'who it is');
$result = portage_ok('status', @ends, '--json');
like($result->{out}, qr/"applier": "connection \d+/, 'status names the owner');
my $epoch = $target->value('app', 'SELECT epoch FROM portage_progress');
my $second = portage_start('run', @ends, '--until', 'caught-up');
wait_for_err($second, qr/standby: the stream app is owned by connection \d+ /);
$second->term;
is($second->wait_exit->{rc}, 0, 'a standby ends when told to');

# a takeover ends the session that owns, which then cannot do anything more
my $third = stopped_at('copy-loaded', '--takeover');
cmp_ok($target->value('app', 'SELECT epoch FROM portage_progress'), '>', $epoch,
	'it has an epoch of its own');
kill('CONT', $first->pid);
my $end = $first->wait_exit;
is($end->{rc}, 3, 'the owner before ends') || diag($first->stderr);
error_ok({ err => $first->stderr }, 'P0307', qr/app/, 'because it is no longer that');

# one that is killed leaves sessions, which the next one ends
my $sessions = $target->value('app', q{SELECT count(*) FROM portage_session WHERE IS_USED_LOCK(name) IS NOT NULL});
cmp_ok($sessions, '>', 1, 'there are sessions of an owner');
my $fourth = portage_start('run', @ends, '--until', 'caught-up', '--takeover');
wait_for_err($fourth, qr/copied|copy/);
$third->kill9;
$fourth->term;
$fourth->wait_exit;
# the server may take a moment to see that a client has gone
ok($target->wait_for_value('app', 'SELECT count(*) = 0 FROM portage_session WHERE IS_USED_LOCK(name) IS NOT NULL'),
	'no session is left') || diag(explain([$target->rows('app', 'SELECT *, IS_USED_LOCK(name) FROM portage_session')]));

# ---- what is left
portage_ok('drop', @ends, '--yes');
is_deeply([ $target->rows('app', q{SHOW TABLES LIKE 'portage%'}) ], [], 'drop leaves no state');
$result = portage_fails(4, 'status', @ends);
error_ok($result, 'P0422', qr/no migration/, 'status then');

done_testing();
