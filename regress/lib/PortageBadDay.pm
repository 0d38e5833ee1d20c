package PortageBadDay;

=pod

=head1 NAME

PortageBadDay - evidence of both servers, and what a refusal has to leave alone

=head1 SYNOPSIS

  my $sides = PortageBadDay->new($source, $target);

  $sides->look;
  $sides->refused(
      what => 'the slot dropped',
      rc => 4, code => 'P0403',
      words => qr/the slot portage_app is gone/,
      hint => qr/drop and copy again/);

=head1 DESCRIPTION

Whatever goes wrong, a person has to be told what it is, in words, by a code
and with something to do, and nothing may have been lost or touched. The first
is read from what the applier writes, the second from the servers: their
schemas as pg_dump writes them, their slots, every row of every table, and the
state of the migration.

=cut

use strict;
use warnings;

use Carp;
use Exporter 'import';
use File::Basename ();
use IO::Socket::INET ();
use IPC::Run ();
use PortageFault qw(error_ok lsn);
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(silent_port refused_port prefix_without_plugin sessions_end);

=pod

=over

=item new($class, $source, $target, %options)

Two servers whose databases are looked at. Options: C<< database => 'app' >>,
C<< target_database => 'app' >>.

=item look($self, %options)

Take evidence of both sides, to be compared with: a reference to a hash of
lists of lines. Waits until no session of an applier is left. With C<< running => 1 >> it
does not, and positions of slot and progress row are left out: a marker may be
on its way. The epoch and the time of the last change of a progress
row are left out, because a start raises the epoch before it looks at the
source. Where a slot is read from may be later than it was: a server moves that
on when a reader passes a checkpoint, though it is told nothing. With
C<< slots => 0 >> the positions of slots are left out, which a
server that crashed may have set back; C<< source => $node >> is looked at
instead of the source, whose place it has taken.

=item same($self, $what, $side = 'both')

One assertion that both sides, or one of them, are as they were at the last
look.

=cut

sub new
{
	my ($class, $source, $target, %options) = @_;
	return bless {
		source => $source,
		target => $target,
		database => $options{database} // 'app',
		target_database => $options{target_database} // 'app',
		before => undef,
		options => {}
	}, $class;
}

sub look
{
	my ($self, %options) = @_;
	$self->{options} = \%options;
	$self->{before} = $self->evidence;
	return $self->{before};
}

sub same
{
	my ($self, $what, $side) = @_;
	croak('nothing was looked at before') unless $self->{before};
	my $now = $self->evidence;
	my @keys = grep { !$side || /$side/ } sort keys %$now;

	restarts_forward($self->{before}{$_}, $now->{$_})
	  foreach grep { /\Arestarts/ } @keys;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is_deeply(
		{ map { $_ => $now->{$_} } @keys },
		{ map { $_ => $self->{before}{$_} } @keys },
		"$what: schema, slots, rows and state are untouched on "
		  . ($side // 'both sides'));
}

# Of a slot that is read from a later place than before, take the former one.
sub restarts_forward
{
	my ($before, $now) = @_;
	my %at = map { /\A(\S+) (\S+)\z/ ? ($1, $2) : () } @$before;

	foreach my $line (@$now)
	{
		my ($slot, $lsn) = $line =~ /\A(\S+) (\S+)\z/;
		$line = "$slot $at{$slot}"
		  if defined $slot && defined $at{$slot} && lsn($at{$slot}) < lsn($lsn);
	}
	return;
}

sub evidence
{
	my ($self) = @_;
	my $source = $self->{options}{source} // $self->{source};
	my $running = $self->{options}{running};
	my @sides = (
		[ source => $source, $self->{database} ],
		[ target => $self->{target}, $self->{target_database} ]);
	my %found;

	foreach my $side (@sides)
	{
		my ($name, $node, $database) = @$side;
		my $parts = looked_at($node, $database, $running,
			$self->{options}{slots} // !$running);

		$found{"$_ of the $name"} = $parts->{$_} foreach keys %$parts;
	}
	my @dumps = map { schema_dump_start($_->[1], $_->[2]) } @sides;
	foreach my $side (@sides)
	{
		$found{"schema of the $side->[0]"} = schema_dump_end(shift @dumps);
	}
	croak('there is no row to look at')
	  unless grep { /rows/ && @{ $found{$_} } } keys %found;
	return \%found;
}

# pg_dump of both sides at the same time: it is most of the time.
sub schema_dump_start
{
	my ($node, $database) = @_;
	my %dump = (out => '', err => '');

	$dump{run} = IPC::Run::start(
		[
			'pg_dump', '--schema-only',
			'--host', $node->host,
			'--port', $node->port,
			$database
		],
		'<', \undef, '>', \$dump{out}, '2>', \$dump{err});
	return \%dump;
}

sub schema_dump_end
{
	my ($dump) = @_;

	IPC::Run::finish($dump->{run}) || croak("pg_dump: $dump->{err}");
	# \restrict has a word that is different every time
	return [ grep { !/\A(?:--|\\(?:un)?restrict |\z)/ }
		  split(/\n/, $dump->{out}) ];
}

# Slots, rows and state by one session, since there is much to look at: when no
# session of an applier is left, the slots, and from where they are read; count
# and digest of each table and value of each sequence; every row of every table
# in the schema portage.
my @moving = qw(resume_lsn commit_lsn xid commit_time anchor_lsn anchor_nonce
  previous_anchor_lsn digest skeleton transactions);

sub looked_at
{
	my ($node, $database, $running, $positions) = @_;
	my $wait = $running ? '' : sessions_wait();
	my $columns = $positions ? ', confirmed_flush_lsn' : '';
	my $restart = $positions ? 'restart_lsn' : q{''};
	my $without = join(', ',
		map { "''$_''" } qw(epoch updated_at), $running ? @moving : ());
	my %parts = map { $_ => [] } qw(slots restarts rows state);
	my $part;
	my $answer = $node->safe_psql($database, <<"SQL");
$wait
\\echo = slots
SELECT slot_name, plugin, slot_type, database, temporary $columns
FROM pg_replication_slots ORDER BY slot_name;
\\echo = restarts
SELECT concat(slot_name, ' ', $restart)
FROM pg_replication_slots ORDER BY slot_name;
\\echo = rows
SELECT CASE relkind WHEN 'S' THEN format(
	'SELECT %L || '' '' || last_value || '' '' || is_called FROM %s',
	c.oid::regclass, c.oid::regclass)
ELSE format('SELECT %L || '' '' || count(*) || '' '' || coalesce(md5('
	'string_agg(md5(r::text), '''' ORDER BY md5(r::text))), ''none'')'
	' FROM ONLY %s r', c.oid::regclass, c.oid::regclass)
END
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'S') AND nspname !~ '^(pg_|information_schema|portage\$)'
ORDER BY c.oid::regclass::text COLLATE "C" \\gexec
\\echo = state
SELECT format('SELECT %L || '' '' || (to_jsonb(r) - ARRAY[$without])'
	' FROM %s r ORDER BY 1', relname, c.oid::regclass)
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind = 'r' AND nspname = 'portage'
ORDER BY relname COLLATE "C" \\gexec
SQL

	foreach my $line (split(/\n/, $answer))
	{
		if ($line =~ /\A= (\w+)\z/)
		{
			$part = $1;
			next;
		}
		push @{ $parts{$part} }, $line;
	}
	return \%parts;
}

# A session ends a little later than the applier whose it was.
sub sessions_wait
{
	return <<'SQL';
DO $$ DECLARE left_ms int := 60000; BEGIN
	WHILE EXISTS (SELECT FROM pg_stat_activity
		WHERE application_name LIKE 'pg\_portage%')
	LOOP
		IF left_ms <= 0 THEN
			RAISE 'sessions of an applier do not end';
		END IF;
		PERFORM pg_sleep(0.02), pg_stat_clear_snapshot();
		left_ms := left_ms - 20;
	END LOOP;
END $$;
SQL
}

=pod

=item told($self, $end, %day)

That a command ended as it should: C<rc>, its exit code; C<code>, C<words> and
C<hint>, those of its one error; C<detail>, if there has to be one. C<what>
names it.

=item refused($self, %day)

Look, run the applier twice, because a refusal must not wear off, and assert
all of that and that both sides are untouched. C<run> are the arguments;
without it C<run --until caught-up> of both sides. With C<< again => 0 >> once;
with C<< looked => 1 >> the last look holds.

=item urls($self)

The arguments C<--source URL --target URL>.

=item equal($self, @tables)

Run until caught up and prove that both sides hold the same rows.

=cut

sub told
{
	my ($self, $end, %day) = @_;
	my $what = $day{what};

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($end->{rc}, $day{rc}, "$what: exit code $day{rc}") || diag($end->{err});
	error_ok($end, $day{code}, $day{words}, $what);
	like($end->{err}, qr/^pg_portage: hint: .*$day{hint}/m,
		"$what: what to do about it");
	like($end->{err}, qr/^pg_portage: detail: .*$day{detail}/m,
		"$what: the detail")
	  if $day{detail};
	return;
}

sub refused
{
	my ($self, %day) = @_;
	my @run = @{ $day{run} // [ 'run', $self->urls ] };

	push @run, '--until', 'caught-up' if $run[0] eq 'run';
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$self->look(%{ $day{look} // {} }) unless $day{looked};
	foreach my $time ('', ($day{again} // 1) ? ' again' : ())
	{
		$self->told(portage(@run, env => $day{env} // {}),
			%day, what => "$day{what}$time");
	}
	return $self->same($day{what});
}

sub urls
{
	my ($self) = @_;
	return (
		'--source', source_url($self->{source}, $self->{database}),
		'--target', target_url($self->{target}, $self->{target_database}));
}

sub equal
{
	my ($self, @tables) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	portage_ok('run', $self->urls, '--until', 'caught-up');
	return tables_equal(
		$self->{source}, $self->{database},
		$self->{target}, $self->{target_database},
		map { "public.$_" } @tables);
}

=pod

=item sessions_end(@nodes)

Wait until no session of an applier is left on them.

=item silent_port()

A socket that lets itself be connected to and never says a word, with its port.

=item refused_port()

A socket that nobody listens on, with its port, which is nobody else's as long
as the socket is there.

=item prefix_without_plugin()

A copy of the private installation that lacks pg_portage.so, as the
C<_install_path> of a node: the same files, linked.

=back

=cut

sub sessions_end
{
	my (@nodes) = @_;

	$_->safe_psql('postgres', sessions_wait()) foreach @nodes;
	return;
}

sub silent_port
{
	my $socket = IO::Socket::INET->new(
		LocalAddr => '127.0.0.1',
		Listen => 16) || croak("listen: $!");
	return ($socket, $socket->sockport);
}

sub refused_port
{
	my $socket = IO::Socket::INET->new(
		LocalAddr => '127.0.0.1',
		Proto => 'tcp') || croak("bind: $!");
	return ($socket, $socket->sockport);
}

sub prefix_without_plugin
{
	my $copy = PostgreSQL::Test::Utils::tempdir() . '/prefix';
	my $bindir = `pg_config --bindir`;
	my $libdir = `pg_config --pkglibdir`;

	chomp($bindir, $libdir);
	system_or_bail('cp', '-al', $ENV{PG_PREFIX}, $copy);
	# pg_config tells of the mirrored folders
	$_ =~ s{\A\Q$ENV{PG_PREFIX}\E}{$copy} foreach $bindir, $libdir;
	unlink("$libdir/pg_portage.so") || croak("$libdir/pg_portage.so: $!");
	return File::Basename::dirname($bindir);
}

1;
