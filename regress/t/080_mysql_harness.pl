# The library that the tests with MySQL and MariaDB stand on: do servers and
# users come up as it promises, and does it read what is there?

use strict;
use warnings;

use PortageMysql;
use PortageTest;
use Test::More;

my $server = mysql_new('target',
	databases => [ 'app', 'with_underscore' ],
	conf => 'max_allowed_packet = 64M');
like($server->flavour, qr/\A(?:MariaDB|MySQL) \d+\.\d+\.\d+\z/, 'which it is');

# Values, byte by byte.
my @bytes = map { chr($_) } 0 .. 255;
is( $server->value('app', 'SELECT X' . mysql_literal(join('', map { sprintf('%02x', ord) } @bytes))),
	join('', @bytes), 'every byte is read as it is');
is_deeply([ $server->row('app', q{SELECT NULL, 'NULL', '', 7}) ],
	[ undef, 'NULL', '', '7' ], 'NULL is not the word');
is(length($server->value('app', q{SELECT repeat('x', 17000000)}) // ''),
	17_000_000, 'and long ones');
is($server->value('app', q{SELECT '€'}), '€', 'the session is one of utf8mb4');
is($server->value('app', 'SELECT @@time_zone'), '+00:00', 'and of UTC');

# Errors by their number.
is($server->error_of('app', 'SELECT * FROM nosuch'), 1146, 'an error is seen');
is($server->error_of('app', 'SELECT 1'), 0, 'and none');

# Log in with the password, and only with it; do what was granted, no more.
my $session = $server->session('app', MYSQL_ROLE, MYSQL_PASSWORD);
$session->run('CREATE TABLE t (id int PRIMARY KEY)');
is($session->run('INSERT INTO t VALUES (1), (2)')->{affected},
	2, 'the user of the applier creates and writes');
is($session->error('CREATE DATABASE other'), 1044, 'in its databases');
ok(!eval { $server->session('app', MYSQL_ROLE, 'wrong'); 1 },
	'a wrong password is refused');
like($@, qr/\Aerror 1045 /, 'for that reason');
ok(!eval { $server->session('app', MYSQL_ROLE, ''); 1 }, 'and none, too');
is( $server->session('with_underscore', MYSQL_ROLE, MYSQL_PASSWORD)
	  ->run('SELECT 1')->{rows}[0][0],
	1, 'a database with a wildcard in its name');

# What byte-exact means.
$server->query('app', 'CREATE TABLE words (w varchar(9) PRIMARY KEY)'
	  . ' CHARACTER SET utf8mb4 COLLATE ' . $server->byte_exact_collation);
is( $server->query('app',
		q{INSERT INTO words VALUES ('a'), ('A'), ('a '), ('ss'), ('ß'), ('')})
	  ->{affected},
	6, 'the collation tells words apart that others take for the same');

# Life.
my $pid = $server->pid;
is($server->kill9->{signal}, 9, 'it is killed');
ok(!$server->running && !kill(0, $pid), 'and gone');
$server->start;
is($server->value('app', 'SELECT count(*) FROM t'), 2, 'and has its rows again');
$server->conf('max_connections = 33');
$server->restart;
is($server->value(undef, 'SELECT @@max_connections'),
	33, 'settings are those of the test');
like($server->log, qr/ready for connections/, 'the log is there');
is($server->stop->{rc}, 0, 'it ends in order');
$server->conf('no_such_setting = 1');
like($server->start_fails, qr/no_such_setting/, 'and not without a reason');

# Its certificate; a second server is another one.
my $secure = mysql_new('secure', tls => 1);
isnt($secure->port, $server->port, 'a port of its own');
like($secure->value(undef, 'SELECT @@ssl_cert'),
	qr/server\.pem\z/, 'it has a certificate');
like( $secure->url('a b', 'ssl-mode' => 'VERIFY_CA', socket => 1),
	qr{\Amysql://portage_dst:dst%3Ap%40ss%5Cword%2F%3F%23%26%3D%25\@localhost/a%20b\?socket=[^&]+&ssl-mode=VERIFY_CA\z},
	'a URL');

# Names that differ in case are the same, where that was decided at the start.
my $folding = mysql_new('folding', init => ['--lower-case-table-names=1']);
is($folding->value(undef, 'SELECT @@lower_case_table_names'),
	1, 'what only the initialisation can decide');

# A test that is killed leaves no server behind.
my $note = PostgreSQL::Test::Utils::tempdir() . '/pid';
system($^X, '-MPortageMysql', '-e', <<'PERL', $note);
PostgreSQL::Test::Utils::append_to_file($ARGV[0], mysql_new('orphan')->pid);
kill('KILL', $$);
PERL
is($? & 127, 9, 'a test is killed');
my $orphan = PostgreSQL::Test::Utils::slurp_file($note);
like($orphan, qr/\A\d+\z/, 'it had a server');
wait_for(sub { !kill(0, $orphan) }, 'the server to end');
done_testing();
