# What only rules ask of a target: puts, maybe-deletes, matches, INSERTs that may
# find their key taken, kept rows, the ledger. A small program plans and writes a
# script of changes to a PostgreSQL target and to a MySQL one, in vectors, change by
# change, and by the target's own way; the oracle is a hash of rows in here.
# PORTAGE_SEED=N repeats the changes.

use strict;
use warnings;

use PortageMysql;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

use constant { IDS => 12, BATCHES => 12 };

my $seed = $ENV{PORTAGE_SEED} // int(rand(1_000_000));
diag("PORTAGE_SEED=$seed");

my @modes = qw(plan serial apply);
my $driver = "$ENV{PORTAGE_TREE}/regress/lib/drive_target";
my $postgres = target_new('target', fsync => 0, databases => \@modes);
my $mysql = mysql_new('mysql', databases => \@modes);
my $create = 'CREATE TABLE t (id int PRIMARY KEY, a text, n int)';

# Run a script of lines; what it says, as lines.
sub drive
{
	my ($url, $mode, @script) = @_;
	my ($out, $err) = ('', '');
	my $input = join('', map { "$_\n" } @script);

	local $ENV{PGPASSFILE} = PortageTest::password_file();
	IPC::Run::run([ $driver, $url, 's', $mode ], '<', \$input, '>', \$out,
		'2>', \$err) || diag("drive_target: $out$err");
	return split(/\n/, $out);
}

sub url_of
{
	my ($kind, $mode) = @_;
	return $kind eq 'PostgreSQL' ? target_url($postgres, $mode) : $mysql->url($mode);
}

# "id|a|n", by id.
sub rows_of
{
	my ($kind, $mode) = @_;
	my $sql = "SELECT id, coalesce(a, '~'), coalesce(n, -1) FROM t ORDER BY id";

	return $postgres->safe_psql($mode, $sql) if $kind eq 'PostgreSQL';
	return join("\n", map { join('|', @$_) } $mysql->rows($mode, $sql));
}

# ---------------------------------------------------------------- the oracle

my (%row, %count);

sub text_of
{
	return join("\n",
		map { join('|', $_, $row{$_}[0], $row{$_}[1] eq '~' ? -1 : $row{$_}[1]) }
		  sort { $a <=> $b } keys %row);
}

# One change that can be, and what it does.
sub random_change
{
	my $id = 1 + int(rand(IDS));
	my ($a, $n) = ((qw(x y z))[ rand(3) ], (int(rand(9)), '~')[ rand() < 0.1 ]);
	my $there = exists $row{$id};
	my $verb = (qw(s s s s p p m o g e x k))[ rand(12) ];

	$verb = $there ? (qw(u d))[ rand() < 0.3 ] : 'i' if $verb eq 's';
	if ($verb eq 'k')
	{
		my $new = 1 + int(rand(IDS));

		return random_change() if !$there || exists $row{$new};
		delete $row{$id};
		$row{$new} = [ $a, $n ];
		return "k t $id $new $a $n";
	}
	if ($verb eq 'x')
	{
		my @found = grep { $_->[0] eq $a } values %row;

		$_->[1] = $n foreach @found;
		$count{merged} += @found;
		return "x t $a $n";
	}
	if ($verb =~ /[dm]/)
	{
		delete $row{$id};
		return "$verb t $id";
	}
	if ($there && $verb =~ /[oge]/)
	{
		my $had = $row{$id}[1];
		my $wins = $verb eq 'o' || ($verb eq 'g' && $n ne '~' && ($had eq '~' || $n > $had));

		$count{ $wins ? 'overwritten' : 'kept' }++;
		return "$verb t $id $a $n" unless $wins;
	}
	if ($verb eq 'u' && rand() < 0.2)
	{
		$row{$id} = [ $row{$id}[0], $n ];
		return "u t $id - $n";
	}
	$row{$id} = [ $a, $n ];
	return "$verb t $id $a $n";
}

# Batches of transactions, some of them in pieces.
sub random_script
{
	my @script;

	%row = ();
	%count = (seen => 0, merged => 0, overwritten => 0, kept => 0);
	for (1 .. BATCHES)
	{
		my $txns = 1 + int(rand(4));

		for my $txn (1 .. $txns)
		{
			for (1 .. 1 + int(rand(8)))
			{
				push(@script, random_change());
				$count{seen}++;
				push(@script, 'piece') if $txn == 1 && $txns == 1 && rand() < 0.1;
			}
			push(@script, 'commit');
		}
		push(@script, 'write');
	}
	return @script;
}

# ----------------------------------------------------------------- the tests

sub test_random
{
	my ($kind, $mode, @script) = @_;
	my @said = drive(url_of($kind, $mode), $mode, 'table 101 t', 'ready', @script, 'ledger');
	my $ledger = pop(@said) // '';

	is("@said", join(' ', ('ok') x BATCHES), "$kind, $mode: all of it is written");
	is(rows_of($kind, $mode), text_of(), "... and comes to the rows that it should");
	is($ledger, "rule 1 public.source @count{qw(seen merged overwritten kept)}", '... counted once');
	return;
}

# Vectors of many rows, of which some are there.
sub test_many
{
	my ($kind, $mode) = @_;
	my @puts = map { "p t $_ many $_" } 1 .. 900;
	my @deletes = map { "m t $_" } 3 .. 1000;
	my @said = drive(url_of($kind, $mode), $mode, 'table 101 t', 'again',
		@puts[ 0 .. 499 ], 'commit', 'write', @puts, 'commit', 'write', @deletes[0 .. 600], 'commit',
		@deletes[601 .. 997], 'commit', 'write');

	is("@said", 'ok ok ok', "$kind, $mode: many rows");
	is(rows_of($kind, $mode), "1|many|1\n2|many|2", '... those that were there, and those that were not');
	return;
}

# Another unique index is not the key: its row is in the way, and stays.
sub test_other_unique
{
	my ($kind, $mode) = @_;
	my @said = drive(url_of($kind, $mode), $mode, 'table 101 t', 'again',
		'p t 5 taken 1', 'commit', 'write',
		(map { "p t $_ taken $_" } 2, 1, 3, 4, 5), 'p t 6 taken 2', 'commit', 'write',
		'o t 7 taken 2', 'commit', 'write',
		'p t 3 free 3', 'commit', 'write');

	is(scalar(grep { /\AP0413: .*public\.t/ } @said), 3, "$kind, $mode: a put into another's unique value is refused");
	is(rows_of($kind, $mode), "1|many|1\n2|many|2\n3|free|3", '... and all is as it was');
	return;
}

sub test_kept
{
	my ($kind, $mode) = @_;
	my $url = url_of($kind, $mode);
	my @many = map { "keep many:x k$_ {\"n\":$_}" } 1 .. 450;
	my @said = drive($url, $mode, 'table 101 t', 'again',
		'keep reference:zip 1000 {"city":"a"}', 'keep reference:zip 2000 {"city":"b"}',
		'keep counter:r:c day 7', 'commit',
		'keep reference:zip 2000 {"city":"é\'\\"}', 'drop reference:zip 1000 -',
		'drop reference:zip none -', 'commit', 'write', @many, 'commit', 'write',
		'kept reference:', 'kept counter', 'kept nothing', 'load reference:zip 3000 {}', 'load many:y k 1');

	is_deeply(\@said, [ 'ok', 'ok', 'reference:zip 2000 {"city":"é\'\\"}', 'counter:r:c day 7', 'ok', 'ok' ],
		"$kind, $mode: rows that rules keep");
	@said = drive($url, $mode, 'table 101 t', 'again', 'kept many:x', 'kept many', 'kept reference', 'ledger');
	is(scalar(@said), 450 + 451 + 2 + 1, '... are there, of each area');
	like($said[-1], qr/\Arule 1 public\.source \d{4,} /, '... and what workers of a copy have counted');
	return;
}

# The tables came later than the state.
sub test_upgrade
{
	my ($kind, $mode) = @_;

	if ($kind eq 'PostgreSQL')
	{
		$postgres->safe_psql($mode, 'DROP TABLE portage.kept, portage.ledger');
	}
	else
	{
		$mysql->query($mode, "DROP TABLE $_") foreach qw(portage_kept portage_ledger);
	}
	my @said = drive(url_of($kind, $mode), $mode, 'ledger', 'kept x', 'table 101 t', 'again',
		'keep area key body', 'commit', 'write', 'kept area', 'ledger', 'forget');
	is_deeply(\@said, [ 'ok', 'area key body', 'rule 1 public.source 1 0 0 0' ],
		"$kind, $mode: an older state gets the tables, and lets them go");
	return;
}

srand($seed);
foreach my $mode (@modes)
{
	my @script = random_script();

	$postgres->safe_psql($mode, "SET ROLE portage_dst; $create");
	foreach my $kind ('PostgreSQL', 'MySQL')
	{
		test_random($kind, $mode, @script);
		my $clear = 'DELETE FROM t';
		$kind eq 'PostgreSQL' ? $postgres->safe_psql($mode, $clear) : $mysql->query($mode, $clear);
		test_many($kind, $mode);
		my $unique = 'ALTER TABLE t ADD UNIQUE (n)';
		$kind eq 'PostgreSQL' ? $postgres->safe_psql($mode, $unique) : $mysql->query($mode, $unique);
		test_other_unique($kind, $mode);
		test_kept($kind, $mode);
		test_upgrade($kind, $mode);
	}
}
is($postgres->safe_psql($modes[0], q(SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('portage'))), 0, 'nothing is left');

# ------------------------------------------------------- types that rules name

$postgres->safe_psql('plan', q(CREATE TYPE public.mood AS ENUM ('sad', 'ok');
	CREATE DOMAIN public.price AS numeric(7, 3) NOT NULL));
my @types = (
	[ 'numeric(10, 2)', qr/\Anumeric\(10,2\) pg_catalog\.numeric 655366 bN / ],
	[ 'varchar(20)[]', qr/\Acharacter varying\(20\)\[\] pg_catalog\._varchar 24 bA .* element varchar\z/ ],
	[ 'timestamp(3) with time zone', qr/\Atimestamp\(3\) with time zone pg_catalog\.timestamptz 3 bD / ],
	[ 'public.mood', qr/\Apublic\.mood public\.mood -1 eE labels 2 / ],
	[ 'public.price', qr/\Apublic\.price pg_catalog\.numeric 458759 bN .* domain public\.price / ],
	[ 'int -- or so', qr/\Ainteger pg_catalog\.int4 -1 bN / ],
	[ 'mood', qr/\AP0108: .*; There is public\.mood/ ],
	[ 'no_such_type', qr/\AP0108: there is no type "no_such_type"/ ],
	[ 'numeric(-5)', qr/\AP0108: .*NUMERIC precision/ ],
	[ 'record', qr/\AP0108: type "record" is none/ ],
	[ 'int; DROP TABLE t', qr/\AP0108: .* is not the name of a type/ ],
	[ 'int) FROM (SELECT 1', qr/\AP0108: .* is not the name of a type/ ],
	[ 'int WHERE (SELECT true', qr/\AP0108: .* is not the name of a type/ ],
	[ 'int, pg_sleep(1)', qr/\AP0108: .* is not the name of a type/ ],
	[ "int /* ", qr/\AP0108: .* is not the name of a type/ ],
);
my @said = drive(target_url($postgres, 'plan'), 'type', map { "type $_->[0]" } @types);
like($said[$_] // '', $types[$_][1], "type $types[$_][0]") foreach 0 .. $#types;
is($postgres->safe_psql('plan', 'SELECT count(*) FROM t'), 3, 'nothing that a name says is carried out');

done_testing();
