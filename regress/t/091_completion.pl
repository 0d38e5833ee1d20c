# Completion in bash: the installed function, asked as bash asks it, for every
# command, option and value of --help; then bash itself, with a terminal.

use strict;
use warnings;

use IPC::Run ();
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $script =
  "$ENV{PG_PREFIX}/usr/local/share/bash-completion/completions/pg_portage";
ok(-s $script, 'the completion is installed') || die("no $script");

# Asks for completions of the last of @words, which are cut as bash cuts them.
sub completions
{
	my @words = @_;
	my ($out, $err) = ('', '');
	my $ask = <<'BASH';
set -u
. "$1"; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
eval "$(complete -p pg_portage | sed -E 's/^complete -F (\S+) .*/\1/')"
[ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\n' "${COMPREPLY[@]}"
BASH
	IPC::Run::run(
		[ 'bash', '--norc', '-c', $ask, 'bash', $script, @words ],
		'<', \undef, '>', \$out, '2>', \$err) || fail("@words: $err");
	is($err, '', "nothing is said on: @words") if $err ne '';
	return [ sort split(/\n/, $out) ];
}

sub completes
{
	my ($words, $expected, $what) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is_deeply(completions(@$words), [ sort @$expected ],
		$what // join(' ', map { $_ eq '' ? "''" : $_ } @$words));
	return;
}

# ---- what --help says
my ($list) = portage_ok('--help')->{out} =~ /^Commands:\n((?: .*\n)+)/m;
my @commands = $list =~ /^  (\w+) /mg;
cmp_ok(scalar @commands, '>=', 5, '--help lists commands');

my (%options, %argument, %flag);
foreach my $command ('', @commands)
{
	my ($body) = portage_ok($command || (), '--help')->{out} =~
	  /^Options:\n((?: .*\n)+)/m;
	while ($body =~ /^  (?:(-\w),|   ) (--[\w-]+)(?: (\S+))?/mg)
	{
		push @{ $options{$command} }, grep { defined } $1, $2;
		$argument{$2} = $3 if defined $3;
		$flag{"$command $2"} = 1 if !defined $3;
	}
}

# ---- commands
completes([ 'pg_portage', '' ], \@commands, 'commands');
completes([ 'pg_portage', $_ ], [$_], "$_ is complete") foreach @commands;
completes([ 'pg_portage', 'no-such' ], [], 'what is not a command');

# ---- options, before and after the command
completes([ 'pg_portage', '-' ], $options{''}, 'options without a command');
foreach my $command (@commands)
{
	my $all = $options{$command};

	completes([ 'pg_portage', $command, '' ], $all, "$command: options");
	completes([ 'pg_portage', $command, '-' ], $all, "$command: after a dash");
	completes([ 'pg_portage', '--verbose', $command, '-' ],
		$all, "$command: after an option");
	completes([ 'pg_portage', '--name', 'run', $command, '-' ],
		$all, "$command: a value is no command");
	completes([ 'pg_portage', $command, $_ ],
		[ begin_with($_, @$all) ], "$command $_")
	  foreach @$all;
}

sub begin_with
{
	my ($start, @words) = @_;
	return grep { index($_, $start) == 0 } @words;
}

# ---- values
my %values = (
	'--until' => ['caught-up'],
	'--on-loss' => [ 'error', 'warn', 'clamp', 'null', 'text' ],
	map { $_ => [ split(/\|/, $argument{$_}) ] }
	  grep { $argument{$_} =~ /\|/ } keys %argument);
is_deeply($values{'--target-synchronous-commit'},
	[ 'on', 'off' ], '--help names values');
mkdir("$ENV{TESTDIR}/completion") || die;
mkdir("$ENV{TESTDIR}/completion/one folder") || die;
append_to_file("$ENV{TESTDIR}/completion/one file", '');
foreach my $option (sort keys %argument)
{
	my $command = (grep { "@{ $options{$_} } " =~ /\Q$option\E / &&
			  !$flag{"$_ $option"} } @commands)[0];

	if ($argument{$option} eq 'FOLDER')
	{
		my $path = "$ENV{TESTDIR}/completion/one folder";
		completes([ 'pg_portage', $command, $option, "$ENV{TESTDIR}/compl" ],
			["$ENV{TESTDIR}/completion"], "$option: folders");
		completes(
			[
				'pg_portage', $command, $option,
				"$ENV{TESTDIR}/completion/one"
			],
			[$path],
			"$option: no files");
		next;
	}
	next if $argument{$option} =~ /\AFILE/;
	my $expected = $values{$option} // [];
	completes([ 'pg_portage', $command, $option, '' ],
		$expected, "$option: values");
	completes([ 'pg_portage', $command, $option, '=', '' ],
		$expected, "$option=");
	completes([ 'pg_portage', $command, $option, '=' ],
		$expected, "$option=, with the cursor at it");
	completes([ 'pg_portage', $command, "$option=" ],
		[ map { "$option=$_" } @$expected ],
		"$option=, in one word");
	foreach my $value (@$expected)
	{
		completes([ 'pg_portage', $command, $option, $value ],
			[ begin_with($value, @$expected) ],
			"$option $value");
	}
}

# ---- an option that takes a value with one command, and none with another
completes([ 'pg_portage', 'plan', '--ddl', '' ],
	$options{plan}, 'plan --ddl: no value');
completes([ 'pg_portage', '--ddl', 'plan', '--sp' ],
	['--split-over'], '--ddl plan: the command');
completes([ 'pg_portage', '--ddl', 'apply', 'run', '--unt' ],
	['--until'], '--ddl apply run: a value, the command');

# ---- URLs, which bash cuts at their colons
completes(
	[
		'pg_portage', '--source', 'postgresql', ':', '//run@old', ':',
		'5432/run', 'fini'
	],
	['finish'],
	'a URL is one word');
completes([ 'pg_portage', 'run', '--source', 'service', '=', 'r' ],
	[], 'a service is no command');

# ---- bash itself: what it runs after a tab
my $inputrc = "$ENV{TESTDIR}/inputrc";
append_to_file($inputrc,
	"set enable-bracketed-paste off\nset bell-style none\n");
sub typed
{
	my ($keys) = @_;
	my ($in, $screen) = ('', '');
	local @ENV{qw(INPUTRC TERM)} = ($inputrc, 'dumb');
	my $bash = IPC::Run::start([ 'bash', '--norc', '--noprofile', '-i' ],
		'<pty<', \$in, '>pty>', \$screen, IPC::Run::timeout(60));

	# What is printed differs from what was typed by the quotes.
	$in = ". '$script'; cd '$ENV{TESTDIR}'; "
	  . "pg_portage() { printf '<%s>' \"\$@\"; echo; }; echo rea''dy\n";
	$bash->pump() until $screen =~ /ready/;
	$screen = '';
	$in = "pg_portage $keys; echo do''ne\n";
	$bash->pump() until $screen =~ /done/;
	$in = "exit\n";
	$bash->finish();
	my ($words) = $screen =~ /(<.*>)/;
	return $words // $screen;
}
is(typed("fi\t--take\t"), '<finish><--takeover>', 'bash: command, option');
is(typed("run --until=ca\t --no-w\t"),
	'<run><--until=caught-up><--no-wait>', 'bash: --until=');
is(typed("run --until ca\t"), '<run><--until><caught-up>', 'bash: --until');
is(typed("run --pg-bindir comp\tone\t --source postgresql://h:1/d --no-w\t"),
	'<run><--pg-bindir><completion/one folder/><--source>'
	  . '<postgresql://h:1/d><--no-wait>',
	'bash: a folder with a space, a URL, an option');

done_testing();
