#!/usr/bin/perl

# The check of contents proves nothing until it has been seen to fail. Feed the
# readers with output made by hand that agrees, then with each kind of
# disagreement. Needs no server: perl bench/self-test.pl

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::RealBin/lib";
use Bench::MysqlSink;
use Bench::Results;
use Bench::Rows;
use Bench::Verdict
  qw(why_void is_flat is_bounded median percentile judge);

sub record { return $_[0] . pack('V', length($_[1])) . $_[1] }
sub string { return pack('C', length($_[0])) . $_[0] }

sub column
{
	my ($number, $type, $name, @missing) = @_;
	return pack('vCaVVV', $number, @missing ? 0x40 : 0, 'X', $type, $type, 0xFFFFFFFF)
	  . join('', map { string($_) } $name, 'pg_catalog', 'some', @missing);
}

my $hello = record('H', pack('VvV', 0x6F506750, 1, 150000));
my $relation = record('R',
	pack('VVVaa', 42, 0, 43, 'r', 'd')
	  . string('public') . string('t') . string('') . string('')
	  . pack('v', 5)
	  . column(1, 23, 'id') . column(2, 25, 'note') . column(3, 16, 'ok', 'f')
	  . column(5, 17, 'raw') . column(6, 25, 'big'));
my $begin = record('B', pack('VQ<Q<v', 777, 1, 2, 0));

sub commit { return record('C', pack('Q<Q<Q<Q<V', 1, 2, 3, $_[0], 0)) }

# States, lowest bits first: 2 is present, 1 unchanged, 0 null, 3 absent.
my $insert = record('I', pack('VC', 42, 0)
	  . pack('CC', 0b10101010, 0)
	  . string('1') . string(q{it's}) . string('t') . string("\0\xFF"));
my $update = record('U', pack('VC', 42, 1)
	  . pack('CC', 0b11111110, 3) . string('1')
	  . pack('CC', 0b00100010, 1) . string('2') . string('f'));
my $delete =
  record('D', pack('VC', 42, 1) . pack('CC', 0b11111110, 3) . string('2'));

my @frames =
  ($hello . $relation . $begin . $insert, $update . $delete . commit(3));
my @lines = (
	'BEGIN 700', 'COMMIT 700',
	'BEGIN 777',
	q{table public.t: INSERT: id[integer]:1 note[text]:'it''s' }
	  . q{ok[boolean]:true raw[bytea]:'\x00ff' big[text]:null},
	q{table public.t: UPDATE: old-key: id[integer]:1 new-tuple: }
	  . q{id[integer]:2 note[text]:null ok[boolean]:false raw[bytea]:null }
	  . q{big[text]:unchanged-toast-datum},
	q{table public.t: DELETE: id[integer]:2},
	'COMMIT 777');

sub result
{
	my ($reader, @messages) = @_;
	my $rows = Bench::Rows->new($reader);

	$rows->message($_) foreach @messages;
	return $rows->finish;
}

sub replaced
{
	my ($from, $to, @texts) = @_;
	my $joined = join('', @texts);

	die "nothing to replace: $from" if index($joined, $from) < 0;
	return map { s/\Q$from\E/$to/r } @texts;
}

my $ours = result('portage', @frames);
my $theirs = result('test_decoding', @lines);
is_deeply($ours->{counts}, { I => 1, U => 1, D => 1 }, 'our counts');
is_deeply($theirs->{counts}, $ours->{counts}, 'the same in test_decoding');
is($ours->{transactions}, 1, 'the empty transaction does not count');
is(Bench::Rows->difference($ours, $theirs), undef, 'the same contents');

foreach my $change (
	[ 'a value', q{'it''s'}, q{'its'} ],
	[ 'a boolean', 'ok[boolean]:true', 'ok[boolean]:false' ],
	[ 'a NULL', 'note[text]:null', q{note[text]:''} ],
	[ 'bytes', '\x00ff', '\x00fe' ],
	[ 'a column', 'note[text]', 'nose[text]' ],
	[ 'a table', 'public.t: DELETE', 'public.s: DELETE' ],
	[ 'an old key', 'old-key: id[integer]:1', 'old-key: id[integer]:3' ],
	[ 'what is unchanged', 'unchanged-toast-datum', q{'unchanged'} ],
	[ 'a transaction', 'BEGIN 777', 'BEGIN 778' ])
{
	my ($what, $from, $to) = @$change;
	like(
		Bench::Rows->difference(
			$ours, result('test_decoding', replaced($from, $to, @lines))),
		qr/differ/,
		"$what matters");
}
like(
	Bench::Rows->difference($ours,
		result('test_decoding', @lines[ 0 .. 2, 4, 3, 5, 6 ])),
	qr/differ/, 'the order matters');

foreach my $broken (
	[ 'a lost row', qr/says 3 rows, 2 came/, $frames[0], $delete . commit(3) ],
	[ 'a record that is cut off', qr/longer than its frame/,
		substr($frames[0], 0, -1) ],
	[ 'bytes behind a row', qr/behind a row/,
		$hello . $relation . $begin . record('D', substr($delete, 5) . 'x') ],
	[ 'an unknown record', qr/unexpected record/, $hello . record('Z', '') ],
	[ 'no hello', qr/hello/, $relation ],
	[ 'an unannounced relation', qr/not announced/,
		$hello . $begin . $insert ],
	[ 'no commit', qr/no end/, $frames[0] ])
{
	my ($what, $message, @messages) = @$broken;
	ok(!eval { result('portage', @messages); 1 }, "$what is noticed");
	like($@, $message, "... and named");
}

my $json = result('wal2json', '{"action":"B"}', '{"action":"I","x":1}');
is_deeply($json->{counts}, { I => 1, U => 0, D => 0 }, 'wal2json is counted');
# Fields 1 (number), 3 (text) and 4 (operation: 1 is UPDATE).
my $protobuf = result('decoderbufs', "\x08\x96\x01\x1a\x03abc\x20\x01");
is_deeply($protobuf->{counts}, { I => 0, U => 1, D => 0 },
	'decoderbufs is counted');

# ---- what a run is worth

my %none = map { $_ => 0 } Bench::Verdict::COUNTS;
my %good = (%none, batches => 7, vector_rows => 900, single_rows => 100);

sub grown { return why_void(\%none, { %good, @_ }) }

is(grown(), undef, 'nine rows of ten in vectors count');
like(grown(vector_rows => 899, single_rows => 101),
	qr/only 89.9 % of the rows/, '... fewer do not');
like(grown(refused_plans => 1), qr/1 plans were refused/, 'a refused plan');
like(grown(serial_rows => 3), qr/3 rows were applied one by one/, 'serial rows');
like(grown(vector_rows => 0, single_rows => 0),
	qr/no row was counted/, 'no row at all');
like(grown(vector_rows => undef), qr/has no vector_rows/, 'no such column');
is(why_void({ %none, refused_plans => 5, serial_rows => 9 },
		{ %good, refused_plans => 5, serial_rows => 9 }),
	undef, 'what was there before does not matter');
like(why_void({ %good, single_rows => 0 }, { %good, vector_rows => 950, single_rows => 50 }),
	qr/only 50.0 %/, '... in the share of vectors either');

ok(is_flat(10, 60, 80, 80, 81, 79), 'memory that is in use is flat');
ok(!is_flat(map { 10 * $_ } 1 .. 30), 'memory that grows is not');
ok(is_flat(20), 'one look is flat');

# [ second, lag, bytes written ]
ok(is_bounded(map { [ $_, 1e6 + 1e5 * ($_ % 2), 1e7 * $_ ] } 1 .. 30),
	'a lag that goes up and down is bounded');
ok(is_bounded(map { [ $_, $_ < 8 ? 1e6 * $_ : 8e6, 1e7 * $_ ] } 1 .. 30),
	'... and one that grows at the beginning only');
ok(!is_bounded(map { [ $_, 1e6 * $_, 1e7 * $_ ] } 1 .. 30),
	'one that grows by a tenth of what is written is not');
ok(!is_bounded([ 1, 0, 0 ]), 'nothing is known from one look');
is(median(3, 1, 2), 2, 'median of three');
is(median(1, 2, 3, 4), 2.5, 'median of four');
is(percentile(0.95, 1 .. 100), 96, 'percentile');

# Three rounds each of a peer and of ours, one of which may not count.
{
	package Bench::SelfTest;
	sub title { return $_[1] }
	sub amount { return (100, 'rows') }
}

sub drained
{
	my (@ours) = @_;
	my $results = Bench::Results->new;
	my %usage =
	  (walsender => 1, backend => 1, applier => 1, peak_mb => 10, memory_mb => []);
	my %runs = (
		native => { map { $_ => { wall => 8, usage => \%usage } } 1 .. @ours },
		portage1 => {
			map { $_ => { usage => \%usage, %{ $ours[ $_ - 1 ] } } } 1 .. @ours
		});

	$results->add_rounds('drain', 'w1', 'Bench::SelfTest', \%runs,
		qw(native portage1));
	my ($bar) = judge($results->lines, $results->memory);
	return $bar;
}

is_deeply(
	[ @{ drained(map { { wall => $_ } } 2, 2, 8) }{qw(figure pass)} ],
	[ 4, 1 ], 'the median of the rounds reaches the bar');
is_deeply(
	[ @{ drained(map { { wall => $_ } } 4, 2, 4) }{qw(figure pass)} ],
	[ 2, 0 ], '... or misses it');
is_deeply(
	[ @{ drained({ wall => 1, void => 'x' }, { wall => 4 }, { wall => 1, wrong => 'x' }) }{qw(figure pass)} ],
	[ 2, 0 ], 'void and wrong runs have no figure');
is_deeply(
	[ @{ drained({ wall => 1, void => 'x' }) }{qw(figure pass)} ],
	[ 'void', 0 ], 'void runs alone reach nothing');

my $copies = Bench::Results->new;
my %usage =
  (walsender => 1, backend => 1, applier => 1, peak_mb => 0, memory_mb => []);
$copies->add_rounds('copy', 'copy', 'Bench::SelfTest',
	{
		pg_dump => { 1 => { wall => 4, usage => \%usage } },
		pipes => { 1 => { wall => 5, usage => \%usage } },
		native => { 1 => { wall => 2, usage => \%usage } },
		portage => { 1 => { wall => 3, usage => \%usage } }
	},
	qw(pg_dump pipes native portage));
is_deeply(
	[ map { @{$_}{qw(figure pass)} } judge($copies->lines, $copies->memory) ],
	[ 0.75, 1 ], 'the fastest of those that copy everything');

my $quick = Bench::Results->new;
$quick->note_memory('short', { peak_mb => 300, memory_mb => [ 1 .. 10 ] });
$quick->note_memory('long', { peak_mb => 90, memory_mb => [ 1 .. 90 ] });
is_deeply(
	[ map { $_->{pass} } judge([], $quick->memory) ],
	[ 0, 0 ], 'memory above the bar, and memory that grows');

# What the sink is given: values as MariaDB reads them, in the statement's order.
my $changes = '';
open(my $file, '>', \$changes) || die "in memory: $!";
my $sink = bless {
	statements => {}, lines => [], file => $file, rows => 0,
	columns => { t => {
		id => { type => 'int8', key => 1 },
		map { $_->[0] => { type => $_->[1], key => 0 } } [ ok => 'bool' ],
		[ at => 'timestamptz' ], [ note => 'text' ] } }
}, 'Bench::MysqlSink';
my $decoding = Bench::Rows::TestDecoding->new($sink);
$decoding->message($_)
  foreach 'BEGIN 1', 'COMMIT 1', 'BEGIN 2',
  q{table public.t: INSERT: id[bigint]:1 ok[boolean]:true }
  . q{at[timestamp with time zone]:'2024-01-01 00:00:01.037+00' note[text]:'a\	=b'},
  q{table public.t: UPDATE: id[bigint]:1 ok[boolean]:false }
  . q{at[timestamp with time zone]:null note[text]:''},
  q{table public.t: DELETE: id[bigint]:1}, 'COMMIT 2';
close($file);
is(join('', @{ $sink->{lines} }), <<"LINES", 'a statement for each kind of change');
S	isss	INSERT INTO `t` (`id`, `ok`, `at`, `note`) VALUES (?, ?, ?, ?)
S	sssi	UPDATE `t` SET `ok` = ?, `at` = ?, `note` = ? WHERE `id` = ?
S	i	DELETE FROM `t` WHERE `id` = ?
LINES
is($changes, <<'LINES', 'and its values; no transaction without changes');
R	0	1	1	2024-01-01 00:00:01.037	a\\\t=b
R	1	0	\N		1
R	2	1
C
LINES
ok(!eval { $decoding->message($_) foreach 'BEGIN 3',
	  q{table public.t: UPDATE: old-key: id[bigint]:1 new-tuple: id[bigint]:2}; 1 },
	'a change of a key is refused');

done_testing();
