# A second reader of the same WAL, that shares nothing with ours: the output of
# test_decoding is folded here into what each table must hold, row by row, and
# the target is compared with that. The load is random; PORTAGE_SEED=N repeats
# one.

use strict;
use warnings;

use JSON::PP ();
use PortageTest;
use Test::More;

my $seed = $ENV{PORTAGE_SEED} // int(rand(1_000_000));
note("PORTAGE_SEED=$seed");
diag("PORTAGE_SEED=$seed") if $ENV{PORTAGE_SEED};
srand($seed);

my $source = source_new('source', fsync => 0);
my $target = target_new('target', fsync => 0);

# Table => its key, or nothing where a row is found by all of its values.
my %key = (
	plain => ['id'],
	pair => [ 'b', 'a' ],
	wide => ['id'],
	code => ['code'],
	loose => [],
	part => [ 'id', 'region' ]);
my %columns = (
	plain => [qw(id v n)],
	pair => [qw(a v b)],
	wide => [qw(id ext b num ts arr flag)],
	code => [qw(id code v)],
	loose => [qw(v w x)],
	part => [qw(id region v)]);
# Where a row is in a leaf, the leaf is named.
my %root = map { ("part_$_" => 'part') } qw(a b rest);

$source->safe_psql('app', <<'SQL');
CREATE TABLE plain (id int PRIMARY KEY, v text, n int);
CREATE TABLE pair (a int, v text, b text, PRIMARY KEY (b, a));
CREATE TABLE wide (id int PRIMARY KEY, ext text, b bytea, num numeric, ts timestamptz, arr int[], flag bool);
ALTER TABLE wide ALTER ext SET STORAGE EXTERNAL;
CREATE TABLE code (id int PRIMARY KEY, code text NOT NULL, v int);
CREATE UNIQUE INDEX code_code ON code (code); ALTER TABLE code REPLICA IDENTITY USING INDEX code_code;
CREATE TABLE loose (v int, w text, x numeric); ALTER TABLE loose REPLICA IDENTITY FULL;
CREATE TABLE part (id int, region text, v int, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE part_a PARTITION OF part FOR VALUES IN ('a');
CREATE TABLE part_b PARTITION OF part FOR VALUES IN ('b');
CREATE TABLE part_rest PARTITION OF part DEFAULT;
SQL

# The oracle's slot is made before there is a single row: what it says from
# there on is everything.
$source->safe_psql('app',
	q{SELECT pg_create_logical_replication_slot('oracle', 'test_decoding')});

# One random change; some fail, which is part of the load.
sub number { return int(rand($_[0])) }

sub text
{
	my @texts = (q{''}, q{'a'}, 'NULL', q{E'\\\\'}, q{E'\\n'}, q{'it''s'}, q{'é'}, q{'null'},
		q{'x[integer]:1'}, q{E'\\t|'}, q{'unchanged-toast-datum'}, q{repeat('z', 50)});
	return $texts[ number(scalar @texts) ];
}

sub change
{
	my ($id, $other, $t, $u, $n) = (number(60), number(60), text(), text(), number(100));
	my $region = (qw(a b c d))[ number(4) ];
	my $noise = "(SELECT string_agg(md5(${n}::text || i), '') FROM generate_series(1, 120) i)";
	my @changes = (
		"INSERT INTO plain VALUES ($id, $t, $n) ON CONFLICT (id) DO UPDATE SET v = excluded.v",
		"INSERT INTO plain SELECT i, $t, $n FROM generate_series($id, $id + 20) i ON CONFLICT DO NOTHING",
		"UPDATE plain SET v = $t, n = n + 1 WHERE id % 7 = $n % 7", "UPDATE plain SET id = $other WHERE id = $id",
		"UPDATE plain SET id = -id WHERE id % 11 = $n % 11", "DELETE FROM plain WHERE id % 9 = $n % 9",
		"INSERT INTO pair VALUES ($id, $t, coalesce($u, 'k')) ON CONFLICT DO NOTHING",
		"UPDATE pair SET v = $t WHERE a < $n", "UPDATE pair SET a = a + 1 WHERE a = $id",
		"UPDATE pair SET b = coalesce($t, '') WHERE a = $id", "DELETE FROM pair WHERE a % 5 = $n % 5",
		"INSERT INTO wide VALUES ($id, $noise, decode(md5('$n'), 'hex'), $n / 7.0, 'epoch'::timestamptz + interval '$n days', ARRAY[$n, NULL], $n % 2 = 0) ON CONFLICT DO NOTHING",
		"UPDATE wide SET num = num + 1, flag = NOT flag WHERE id % 5 = $n % 5", "UPDATE wide SET ext = $noise WHERE id % 7 = $n % 7",
		"UPDATE wide SET ext = $t, b = '\\x00' WHERE id = $id", "UPDATE wide SET id = id + 60 WHERE id = $id",
		"UPDATE wide SET arr = NULL, ts = 'infinity', num = 'NaN' WHERE id = $id", "DELETE FROM wide WHERE id % 13 = $n % 13",
		"INSERT INTO code SELECT i, 'c' || i + $other, $n FROM generate_series($id, $id + 9) i ON CONFLICT DO NOTHING", "UPDATE code SET v = v + 1 WHERE id % 3 = 0",
		"UPDATE code SET code = 'c$other', id = id + 100 WHERE id = $id", "DELETE FROM code WHERE id % 9 = $n % 9",
		"INSERT INTO loose SELECT $n % 4, $t, 1.50 FROM generate_series(1, $n % 4)", "UPDATE loose SET w = $t WHERE v = $n % 4",
		"UPDATE loose SET x = x + 0.25 WHERE ctid IN (SELECT ctid FROM loose LIMIT 3)", "DELETE FROM loose WHERE ctid IN (SELECT ctid FROM loose WHERE v = $n % 4 LIMIT 3)",
		"INSERT INTO part SELECT i, '$region', $n FROM generate_series($id, $id + 9) i ON CONFLICT DO NOTHING", "UPDATE part SET region = '$region' WHERE id = $id",
		"UPDATE part SET v = v + 1 WHERE id % 5 = $n % 5", "DELETE FROM part WHERE id % 9 = $n % 9");
	my $change = $changes[ number(scalar @changes) ];
	if (number(600) == 0)
	{
		$change = 'TRUNCATE ' . (qw(plain pair loose part_a part code))[ number(6) ];
	}
	return "$change;\n";
}

sub transaction
{
	my $sql = "BEGIN;\n";
	foreach my $step (1 .. 1 + number(12))
	{
		$sql .= change();
		if (number(4) == 0)
		{
			$sql .= "SAVEPOINT s$step;\n";
			$sql .= change() foreach 0 .. number(4);
			$sql .= number(2) ? "ROLLBACK TO s$step;\n" : "RELEASE s$step;\n";
		}
	}
	return $sql . (number(10) == 0 ? "ROLLBACK;\n" : "COMMIT;\n");
}

# Two sessions at a time, so that transactions overlap in the WAL. A statement
# that fails fails its transaction, and the session goes on.
my $scripts = 0;

sub load
{
	my ($count) = @_;
	my @sessions;
	foreach my $session (1, 2)
	{
		my $file = "$PostgreSQL::Test::Utils::tmp_check/load_" . ++$scripts . '.sql';
		open(my $script, '>', $file) || die "$file: $!";
		print $script transaction() foreach 1 .. $count;
		close($script) || die "$file: $!";
		push @sessions,
		  PortageProcess->start({}, 'psql', '-XAtq', '-d',
			$source->connstr('app'), '-f', $file);
	}
	is($_->wait_exit->{rc}, 0, 'a session of the load has ended') foreach @sessions;
	return;
}

# The oracle. A row is a list of texts or undef, in the order of %columns.
my %state = map { $_ => {} } keys %key;    # identity => [ row, ... ]
my %folded;
my $json = JSON::PP->new->canonical->utf8->allow_nonref;

# Values of test_decoding: name[type]:null, 'text', or bare; only those it says.
sub parse
{
	my ($text) = @_;
	my %values;

	while ($text =~ /\G\s*(\w+)\[((?:[^\[\]]|\[\])+)\]:/gc)
	{
		my $name = $1;
		if ($text =~ /\Gnull(?=\s|\z)/gc) { $values{$name} = undef; }
		elsif ($text =~ /\Gunchanged-toast-datum(?=\s|\z)/gc) { $values{$name} = \'unchanged'; }
		elsif ($text =~ /\G'((?:[^']|'')*)'/gc) { $values{$name} = $1 =~ s/''/'/gr; }
		elsif ($text =~ /\G(\S+)/gc) { $values{$name} = $1; }
		else { die "cannot read value of $name in: $text"; }
	}
	die "cannot read all of: $text" if (pos($text) // 0) != length($text);
	return \%values;
}

# Which row this is; what is not said of an old row is null.
sub identity
{
	my ($table, $values) = @_;
	my @by = @{ $key{$table} } ? @{ $key{$table} } : @{ $columns{$table} };
	return $json->encode([ map { $values->{$_} } @by ]);
}

sub row_remove
{
	my ($table, $values) = @_;
	my $rows = $state{$table}{ identity($table, $values) };
	die "$table: no such row: " . $json->encode($values) unless $rows && @$rows;
	my $row = pop @$rows;
	delete $state{$table}{ identity($table, $values) } unless @$rows;
	return $row;
}

sub row_add
{
	my ($table, $values) = @_;
	my $identity = identity($table, $values);
	die "$table: twice: $identity" if @{ $key{$table} } && $state{$table}{$identity};
	push @{ $state{$table}{$identity} }, $values;
	return;
}

sub fold
{
	my ($line) = @_;

	return if $line =~ /\A(?:BEGIN|COMMIT)\b/ || $line =~ /\Amessage:/;
	if ($line =~ /\Atable (.*): TRUNCATE: /)
	{
		foreach my $name (split(/, /, $1))
		{
			$name =~ s/\Apublic\.//;
			# The root is named with its leaves, and holds no row itself.
			if (!$root{$name}) { $state{$name} = {}; next; }
			my $rows = $state{ $root{$name} };
			my %keep = (part_a => sub { $_[0] ne 'a' }, part_b => sub { $_[0] ne 'b' },
				part_rest => sub { $_[0] =~ /\A[ab]\z/ });
			delete $rows->{$_}
			  foreach grep { !$keep{$name}->($rows->{$_}[0]{region}) } keys %$rows;
		}
		$folded{TRUNCATE}++;
		return;
	}
	my ($table, $verb, $rest) = $line =~ /\Atable public\.(\w+): (INSERT|UPDATE|DELETE): (.*)\z/s
	  or die "cannot read: $line";
	$table = $root{$table} // $table;
	$folded{$verb}++;
	if ($verb eq 'INSERT') { row_add($table, parse($rest)); return; }
	if ($verb eq 'DELETE') { row_remove($table, parse($rest)); return; }
	my ($before, $after) = $rest =~ /\Aold-key: (.*?) new-tuple: (.*)\z/s;
	my $new = parse($after // $rest);
	my $old = row_remove($table, defined $before ? parse($before) : $new);
	foreach my $name (keys %$new)
	{
		next unless ref $new->{$name};
		$new->{$name} = $old->{$name};
		$folded{unchanged}++;
	}
	row_add($table, $new);
	return;
}

# Lines that may hold line breaks, one by one.
sub fold_all
{
	my $answer = $source->safe_psql('app', <<'SQL');
SET timezone = 'UTC'; SET datestyle = 'ISO'; SET bytea_output = 'hex'; SET extra_float_digits = 1;
SELECT encode(convert_to(data, 'UTF8'), 'hex')
FROM pg_logical_slot_get_changes('oracle', NULL, NULL, 'include-xids', '0')
SQL
	fold(pack('H*', $_)) foreach split(/\n/, $answer);
	return;
}

sub compare
{
	my ($round) = @_;
	my $rows = 0;

	foreach my $table (sort keys %key)
	{
		my @names = @{ $columns{$table} };
		my @expected = sort map {
			my $values = $_;
			$json->encode([ map { my $v = $values->{$_}; utf8::decode($v) if defined $v; $v } @names ])
		} map { @$_ } values %{ $state{$table} };
		my @found = sort map { $json->encode($json->decode($_)) } split(
			/\n/,
			$target->safe_psql('app',
				q{SET timezone = 'UTC'; SET datestyle = 'ISO'; SET bytea_output = 'hex'; SELECT json_build_array(}
				  . join(', ', map { "$_\::text" } @names) . ") FROM $table"));
		is_deeply(\@found, \@expected, "round $round: the " . @expected . " rows of $table");
		$rows += @expected;
	}
	cmp_ok($rows, '>', 20, "round $round: rows were compared");
	return;
}

# The first rows are copied, the others come in the stream; the copy itself
# goes on while rows are written.
load(60);
my $stream = portage_start('run', endpoints($source, $target));
load(150);
foreach my $round (1 .. $ENV{ROUNDS} // 2)
{
	$stream //= portage_start('run', endpoints($source, $target));
	load(100);
	# No table is empty, whatever was truncated last, and large values stayed as
	# they were.
	$source->safe_psql('app', <<"SQL");
INSERT INTO plain VALUES (9000 + $round); INSERT INTO pair VALUES (9000 + $round, NULL, 'k'); INSERT INTO wide VALUES (9000 + $round);
INSERT INTO code VALUES (9000 + $round, 'last $round'); INSERT INTO loose VALUES (9000 + $round); INSERT INTO part VALUES (9000 + $round, 'a');
INSERT INTO wide SELECT 8000 + i, (SELECT string_agg(md5(i || ' ' || j), '') FROM generate_series(1, 120) j) FROM generate_series(1, 120) i ON CONFLICT DO NOTHING;
UPDATE wide SET num = $round WHERE id BETWEEN 8001 AND 8120;
SQL
	$stream->term;
	is($stream->wait_exit->{rc}, 0, 'the applier stops when asked');
	portage_ok('run', endpoints($source, $target), '--until', 'caught-up');
	fold_all();
	compare($round);
	tables_equal($source, 'app', $target, 'app', map { "public.$_" } sort keys %key);
	$stream = undef;
}
note(join(', ', map { "$_: $folded{$_}" } sort keys %folded));
cmp_ok($folded{$_} // 0, '>', 100, "the load had $_") foreach qw(INSERT UPDATE DELETE unchanged);

done_testing();
