# What LOAD DATA LOCAL would do in silence is seen, and the row that is to blame
# is named: every way in which it leaves rows out or changes values is provoked
# by altering the target's table between its creation and the copy.  The same by
# INSERT where the server does not allow LOAD DATA LOCAL.

use strict;
use warnings;

use PortageMysql;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

use constant ROWS => 3000;
use constant BAD => 2222;

my $source = source_new('source');
my $target = mysql_new('target');
my @ends = mysql_endpoints($source, $target);
my $last = 0;

# What, column on the source, its usual value, that of row BAD, what the target's
# table becomes, and what is said to it.
my @cases = (
	[ 'duplicate key', 'int', 'i', '5', 'ADD UNIQUE (v)',
		qr/Duplicate entry '5'.*P0413/ ],
	[ 'check', 'int', 'i', '9999', 'ADD CHECK (v < 5000)',
		qr/(?:CONSTRAINT|Check constraint).*P0413/ ],
	[ 'text too long', 'varchar(9)', q('abc'), q('abcd'),
		'MODIFY v varchar(3)', qr/too long for column 'v'.*P0415/ ],
	[ 'bytes too long', 'bytea', q('abc'), q('abcd'), 'MODIFY v varbinary(3)',
		qr/too long for column 'v'.*P0415/ ],
	[ 'integer', 'bigint', 'i', '3000000000', 'MODIFY v int',
		qr/Out of range value for column 'v'.*P0415/ ],
	[ 'digits before the point', 'numeric(9,2)', 'i', '12345.67',
		'MODIFY v decimal(6,2)', qr/Out of range value for column 'v'.*P0415/ ],
	[ 'digits behind the point', 'numeric(9,2)', '1.5', '1.25',
		'MODIFY v decimal(9,1)', qr/truncated for column 'v'.*P0415/ ],
	[ 'float', 'float8', 'i', '1e39', 'MODIFY v float',
		qr/Out of range value for column 'v'.*P0415/ ],
	[ 'no number', 'text', q('1'), q('one'), 'MODIFY v int',
		qr/Incorrect integer value: 'one'.*P0415/ ],
	[ 'NULL', 'int', 'i', 'NULL', 'MODIFY v int NOT NULL',
		qr/Column 'v' cannot be null.*P0415/ ],
	[ 'label', 'text', q('a'), q('b'), q{MODIFY v enum('a')},
		qr/truncated for column 'v'.*P0415/ ],
	[ 'time', 'timestamp', q('2024-02-29 12:00'), q('2040-01-01 00:00'),
		'MODIFY v timestamp NULL', qr/Incorrect datetime value.*P0415/ ],
	[ 'JSON', 'text', q('{}'), q('{'), 'ADD CHECK (json_valid(v))',
		qr/(?:CONSTRAINT|Check constraint).*P0413/ ],
	[ 'character set', 'text', q('a'), q('日'),
		'MODIFY v text CHARACTER SET latin1',
		qr/column "v" .* is not of character set utf8mb4.*P0417/ ],
	[ 'four bytes in three', 'text', q('a'), q('😀'),
		'MODIFY v text CHARACTER SET utf8mb3',
		qr/Incorrect string value.*P0415/ ],
	[ 'spaces', 'varchar(9)', q('a'), q('a   '), 'MODIFY v varchar(3)',
		qr/truncated for column 'v'.*P0415/ ],
	[ 'a new column', 'int', 'i', '0', 'ADD w int',
		qr/column "w" of the target's table is not on the source.*P0417/ ],
	[ 'a column less', 'int', 'i', '0', 'DROP v',
		qr/column "v" is not in the target's table.*P0417/ ],
	[ 'a computed column', 'int', 'i', '0',
		'DROP v, ADD v int AS (id + 1) STORED',
		qr/column "v" is computed by the target's table.*P0417/ ],
	# what conversion sees before anything is sent
	[ 'NaN', 'float8', 'i', q('NaN'), undef, qr/column v: NaN.*P0415/ ],
	[ 'infinity', 'timestamptz', q('2024-02-29 12:00'), q('infinity'), undef,
		qr/column v: infinity.*P0415/ ],
	[ 'before Christ', 'date', q('2024-02-29'), q('0044-03-15 BC'), undef,
		qr/column v: .*"0044-03-15 BC".*P0415/ ],
);

sub table_create
{
	my ($name, $type, $usual, $bad) = @_;
	$source->safe_psql('app', <<"SQL");
CREATE TABLE $name (id int PRIMARY KEY, v $type);
INSERT INTO $name SELECT i, CASE i WHEN @{[BAD]} THEN ($bad)::$type
	ELSE ($usual)::$type END FROM generate_series(1, @{[ROWS]}) i;
SQL
	return;
}

# Begin to migrate a table, until the target's is there and waits for rows.
sub begin
{
	my ($name) = @_;
	my @run = ('run', @ends, '--copy-only', '--name', $name, '--tables',
		"public.$name", '--jobs', 1);
	my $killed = portage(@run, env => { PG_PORTAGE_FAILPOINT => 'ddl-committed:kill' });

	is($killed->{signal}, 9, "$name: the target's table is there")
	  || diag($killed->{err});
	return @run;
}

sub refused
{
	my ($what, $words, @run) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $result = portage_fails(4, @run);

	like($result->{err} =~ s/\n/ /gr, $words, "$what is refused");
	return $result->{err};
}

foreach my $case (@cases)
{
	my ($what, $type, $usual, $bad, $alter, $words) = @$case;
	my $name = 'c' . ++$last;

	table_create($name, $type, $usual, $bad);
	my @run = begin($name);
	$target->query('app', "ALTER TABLE $name $alter") if defined $alter;
	my $err = refused($what, $words, @run);
	like($err, qr/\(id(?:, v)?\)=\(@{[BAD]}\b/, 'and its row is named')
	  unless "$words" =~ /P0417/;
	like($err, qr/table public\.$name\b/, 'and its table');
	is($target->value('app', "SELECT count(*) FROM $name"),
		0, 'nothing of it is there');
}

# Mended, it is copied.
$source->safe_psql('app', 'UPDATE c1 SET v = id');
portage_ok('run', @ends, '--copy-only', '--name', 'c1', '--tables',
	'public.c1');
is($target->value('app', 'SELECT count(*) FROM c1'), ROWS, 'a mended row');

# In a table of several segments, while others of them are still on their way; and
# with a row that is larger than any.
$source->safe_psql('app', <<"SQL");
CREATE TABLE long (id int PRIMARY KEY, v text);
INSERT INTO long SELECT i, CASE i WHEN 7000 THEN repeat('x', 20000000)
	ELSE repeat(md5(i::text), 30) || CASE i WHEN @{[BAD]} THEN 'y' ELSE '' END END
FROM generate_series(1, 50000) i;
SQL
my @run = begin('long');
$target->query('app', 'ALTER TABLE `long` ADD CHECK (char_length(v) <> 961)');
like(refused('a row of many', qr/(?:CONSTRAINT|Check constraint).*P0413/, @run),
	qr/\(id\)=\(@{[BAD]}\)/, 'which it is');
is($target->value('app', 'SELECT count(*) FROM `long`'), 0, 'no segment stays');
$source->safe_psql('app', qq{UPDATE long SET v = 'y' WHERE id = @{[BAD]}});

# A connection that is lost on the way is tried again; nothing is there twice. It
# does not commit before that.
my $resume = PostgreSQL::Test::Utils::tempdir() . '/resume';
my $process = portage_start(@run,
	env => {
		PG_PORTAGE_FAILPOINT => 'copy-loaded:pause',
		PG_PORTAGE_FAILPOINT_RESUME => $resume
	});
wait_for(sub {
	my ($id) = $target->value(undef, q{SELECT trx_mysql_thread_id
		FROM information_schema.innodb_trx WHERE trx_rows_modified > 10000});
	return 0 unless defined $id;
	$target->query(undef, "KILL $id");
	return 1;
}, 'a load to be killed');
append_to_file($resume, "\n");
is($process->wait_exit->{rc}, 0, 'a lost connection is tried again');
like($process->stderr, qr/trying again: table public\.long: .*P0303/, 'it was lost');
is($target->value('app', 'SELECT sum(length(v)) FROM `long`'),
	20000000 + 49998 * 960 + 1, 'all rows are there, once');

# Somebody else's rows are neither removed nor counted as ours.
table_create('taken', 'int', 'i', 'i');
@run = begin('taken');
$target->query('app', 'INSERT INTO taken VALUES (7777, 7)');
refused('a table that is not empty', qr/rows that are not ours.*P0401/, @run);
is($target->value('app', 'SELECT count(*) FROM taken'), 1, 'they are still there');

# A table in pieces that is copied again: all or nothing of it.
$source->safe_psql('app', <<'SQL');
CREATE TABLE pieces (id int PRIMARY KEY, v text);
INSERT INTO pieces SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 9000) i;
ANALYZE pieces;
SQL
@run = ('run', @ends, '--copy-only', '--name', 'pieces', '--tables',
	'public.pieces', '--split-over', '1MB', '--jobs', 2);
is( portage(@run, env => { PG_PORTAGE_FAILPOINT => 'copy-committed:kill:3' })
	  ->{signal},
	9, 'killed when some pieces are there');
ok($target->value('app', 'SELECT count(*) FROM pieces') > 0, 'they are');
is( portage(@run, env => { PG_PORTAGE_FAILPOINT => 'copy-reset:kill' })
	  ->{signal},
	9, 'killed when it has just been emptied');
is($target->value('app', 'SELECT count(*) FROM pieces'), 0, 'it is empty');
is($target->value('app', q{SELECT count(*) FROM portage_intent WHERE kind = 'empty'}),
	1, 'and noted as such');
is($target->value('app', q{SELECT count(*) FROM portage_chunk WHERE stream = 'pieces'
	AND state = 'done'}), 0, 'none of its pieces counts');
portage_ok(@run);
is($target->value('app', 'SELECT count(*) FROM pieces'), 9000, 'all of it');
is($target->value('app', q{SELECT count(*) FROM portage_intent}), 0, 'no note is left');

# INSERT where LOAD DATA LOCAL is not allowed.
$target->query(undef, 'SET GLOBAL local_infile = 0');
$source->safe_psql('app', <<'SQL');
CREATE TABLE inserted (id int PRIMARY KEY, t text, b bytea, bits bit(5),
	x numeric(9,2), at timestamptz, ok bool, j jsonb);
INSERT INTO inserted SELECT i, CASE WHEN i % 7 > 0 THEN
	E'a\\b\tc\nd\re''f"g\u0001h\u000bi\u000cj' || i END,
	sha256(i::text::bytea) || '\x005c0a0927', (i % 32)::bit(5), i / 100.0,
	timestamptz '2024-02-29 00:00+00' + i * interval '1.000001 s', i % 2 = 0,
	jsonb_build_object('a', i, 'b', '"\')
FROM generate_series(1, 20000) i;
SQL
@run = ('run', @ends, '--copy-only', '--name', 'inserted', '--tables',
	'public.inserted');
portage_ok(@run);
is( $target->value('app', <<'SQL'), 20000, 'by INSERT, and every value as it was');
SELECT count(*) FROM inserted WHERE x = id / 100
	AND t <=> IF(id % 7 > 0, CONCAT('a\\b\tc\nd\re''f"g', CHAR(1), 'h', CHAR(11),
		'i', CHAR(12), 'j', id), NULL)
	AND b = CONCAT(UNHEX(SHA2(id, 256)), X'005c0a0927') AND bits = id % 32
	AND at = TIMESTAMP '2024-02-29 00:00:00' + INTERVAL id * 1000001 MICROSECOND
	AND ok = (id % 2 = 0) AND JSON_VALUE(j, '$.a') = id
	AND JSON_VALUE(j, '$.b') = '"\\'
SQL

table_create('unloved', 'varchar(9)', q('abc'), q('abcd'));
@run = begin('unloved');
$target->query('app', 'ALTER TABLE unloved MODIFY v varchar(3)');
my $err = refused('a value by INSERT', qr/too long for column 'v'.*P0415/, @run);
like($err, qr/\(id\)=\(@{[BAD]}\), column v = abcd/, 'its row and value');

# A row that is too large for a statement, but not for LOAD DATA.
$target->query(undef, 'SET GLOBAL max_allowed_packet = 1048576');
$source->safe_psql('app', <<'SQL');
CREATE TABLE large (id int PRIMARY KEY, v text);
INSERT INTO large VALUES (1, 'x'), (2, repeat('y', 2000000)), (3, 'z');
SQL
@run = ('run', @ends, '--copy-only', '--name', 'large', '--tables',
	'public.large');
my $result = portage_fails(2, @run);
like($result->{err}, qr/row \(id\)=\(2\) is a statement of 20000\d\d bytes/,
	'a row that is larger than a packet');
like($result->{err}, qr/max_allowed_packet/, 'and what to do about it');
$target->query(undef, 'SET GLOBAL local_infile = 1');
portage_ok(@run);
is($target->value('app', 'SELECT sum(length(v)) FROM large'),
	2000002, 'LOAD DATA takes it');

done_testing();
