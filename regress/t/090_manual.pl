# The manual page as installed: it says all that --help says, and the tools
# that read manual pages find nothing to complain about.

use strict;
use warnings;

use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $page = "$ENV{PG_PREFIX}/usr/local/share/man/man1/pg_portage.1";
ok(-s $page, 'the manual page is installed') || die("no $page");

sub run
{
	my @words = @_;
	local $ENV{MANWIDTH} = 200;
	local $ENV{LC_ALL} = 'C.UTF-8';
	my ($out, $err) = ('', '');
	ok(IPC::Run::run(\@words, '<', \undef, '>', \$out, '2>', \$err),
		"@words works")
	  || diag($err);
	return ($out, $err);
}

# ---- what the readers say
my ($lint) = run('mandoc', '-T', 'lint', $page);
is($lint, '', 'mandoc -T lint finds nothing');
my ($text, $warnings) = run('man', '--warnings', '--no-hyphenation', '-l', $page);
is($warnings, '', 'man --warnings finds nothing');
my ($name) = run('lexgrog', $page);
like($name, qr/pg_portage - move a live PostgreSQL database/, 'whatis works');

# Words in order are what is compared: the page breaks its own lines.
sub words
{
	return join(' ', split(' ', $_[0]));
}

# ---- sections
my %section;
my ($heading, @order);
foreach my $line (split(/\n/, $text))
{
	if ($line =~ /\A([A-Z][A-Z ]+)\z/)
	{
		$heading = $1;
		push @order, $heading;
	}
	elsif (defined $heading)
	{
		$section{$heading} .= "$line\n";
	}
}
is_deeply(
	\@order,
	[
		'NAME', 'SYNOPSIS', 'DESCRIPTION', 'OPTIONS',
		'COMMANDS', 'EXIT STATUS', 'ENVIRONMENT', 'FILES',
		'EXAMPLES', 'SEE ALSO'
	],
	'sections');

# ---- every command with every option
my $help = portage_ok('--help')->{out};
my ($list) = $help =~ /^Commands:\n((?: .*\n)+)/m;
my @commands = $list =~ /^  (\w+) /mg;
cmp_ok(scalar @commands, '>=', 5, '--help lists commands');
check_options('the program', $help, $section{OPTIONS});
foreach my $command (@commands)
{
	my ($part) =
	  $section{COMMANDS} =~ /^   pg_portage $command\n(.*?)(?=^   \S|\z)/ms;
	ok(defined $part, "$command has its part") || next;
	check_options($command, portage_ok($command, '--help')->{out}, $part);
}

# In the page an option is a line of its own, alone or with the text behind it.
sub check_options
{
	my ($what, $usage, $part) = @_;
	my ($body) = $usage =~ /^Options:\n((?: .*\n)+)/m;
	my $n = 0;

	while ($body =~ /^  (?=[ -]).{4}(--\S+)(.*)\n((?: {7,}.*\n)*)/mg)
	{
		my ($long, $rest, $more) = ($1, $2, $3);
		my ($argument, $first) = $rest =~ /\A(?: (\S+))?(?: +(.*))?\z/;
		my ($letter) = $body =~ /^  (-\w), \Q$long\E\b/m;
		my $term = join(' ',
			(defined $letter ? "$letter," : ()),
			$long, $argument // ());
		my $said = words(($first // '') . ' ' . $more);

		$n++;
		like($part, qr/^ +\Q$term\E(?:\n| )/m, "$what: $term");
		like(
			words($part),
			qr/\Q$term $said\E/,
			"$what: what is said of $term");
	}
	my $options = () = $body =~ /--[\w-]+/g;
	cmp_ok($n, '>=', 3, "$what has options");
	is( scalar(() = $body =~ /^  (?:-\w,|   ) --/mg),
		$n, "$what: all $n were looked at");

	# What the help says before and below the options.
	my ($prose) = $usage =~ /^Usage:\n(?: .*\n)+\n((?:\S.*\n)+)\nOptions:/m;
	like(words($part), qr/\Q${\words($prose)}\E/, "$what: its description")
	  if defined $prose;
	return;
}

# ---- the rest of --help
my ($codes) = $help =~ /^Exit codes:\n((?: .*\n)+)/m;
is(words($section{'EXIT STATUS'}), words($codes), 'exit codes');
my ($examples) = $help =~ /^Examples:\n((?: .*\n)+)/m;
is(words($section{EXAMPLES}), words($examples), 'examples');
like($section{EXAMPLES}, qr/\\\n/, 'examples keep their lines');
like($section{SYNOPSIS}, qr/pg_portage COMMAND --source URL --target URL/,
	'synopsis');
my ($version) = portage_ok('--version')->{out} =~ /(\S+)$/;
like($text, qr/^pg_portage \Q$version\E .*PG_PORTAGE\(1\)/m, 'version');

done_testing();
