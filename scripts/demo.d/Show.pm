package Show;

# What the demonstration puts on the screen: headings, lines, tables, and one
# line that is written over while something goes on. Where the output is not a
# terminal, that line becomes a plain one every few seconds.

use strict;
use warnings;

use Exporter 'import';
use Time::HiRes ();

our @EXPORT = qw(title heading say note live live_end table
  elapsed thousands size plural);

use constant PLAIN_INTERVAL => 2;

my ($out, $terminal, $colours);
my $started = Time::HiRes::time();
my $live_at = 0;
my $live_open = 0;

# The test modules move STDOUT to a log file; take it before they do.
sub import_stdout
{
	open($out, '>&', \*STDOUT) || die "stdout: $!\n";
	binmode($out, ':encoding(UTF-8)');
	$out->autoflush(1);
	$terminal = -t $out;
	$colours = $terminal && !defined $ENV{NO_COLOR}
	  && ($ENV{TERM} // 'dumb') ne 'dumb';
	return;
}

sub bold
{
	my ($text) = @_;
	return $colours ? "\e[1m$text\e[0m" : $text;
}

sub dim
{
	my ($text) = @_;
	return $colours ? "\e[2m$text\e[0m" : $text;
}

sub title
{
	my ($text) = @_;
	print $out "\n", bold($text), "\n";
	return;
}

sub heading
{
	my ($text) = @_;
	my $rule = '-' x (74 - length($text));

	live_end();
	print $out "\n", bold($text), ' ', dim($rule), "\n";
	return;
}

# A line with the seconds since the beginning.
sub say
{
	my ($text) = @_;

	live_end();
	print $out stamped($text), "\n";
	return;
}

# Lines of somebody else, or a continuation.
sub note
{
	my ($text) = @_;

	live_end();
	print $out ' ' x 11, $_, "\n" foreach split(/\n/, $text);
	return;
}

sub stamped
{
	my ($text) = @_;
	return dim(sprintf('%7.1f s  ', elapsed())) . $text;
}

sub live
{
	my ($text) = @_;
	my $now = Time::HiRes::time();

	if ($terminal)
	{
		print $out "\r\e[K", stamped($text);
		$live_open = 1;
	}
	elsif ($now - $live_at >= PLAIN_INTERVAL)
	{
		print $out stamped($text), "\n";
		$live_at = $now;
	}
	return;
}

# What the line shows last stays; the next text begins below.
sub live_end
{
	print $out "\n" if $live_open;
	$live_open = 0;
	$live_at = 0;
	return;
}

# Rows of strings below a head; columns whose head begins with a blank are
# numbers and go to the right.
sub table
{
	my ($head, @rows) = @_;
	my @right = map { /\A / ? 1 : 0 } @$head;
	my @names = map { s/\A //r } @$head;
	my @width = map { length } @names;

	live_end();
	foreach my $row (@rows)
	{
		foreach my $i (0 .. $#$row)
		{
			my $length = length($row->[$i]);
			$width[$i] = $length if $length > $width[$i];
		}
	}
	my $format = join('  ',
		map { '%' . ($right[$_] ? '' : '-') . $width[$_] . 's' }
		  0 .. $#names);
	print $out '  ', bold(sprintf($format, @names)), "\n";
	print $out '  ', dim(join('  ', map { '-' x $_ } @width)), "\n";
	print $out '  ', sprintf($format, @$_) =~ s/\s+\z//r, "\n" foreach @rows;
	return;
}

sub elapsed
{
	return Time::HiRes::time() - $started;
}

sub thousands
{
	my ($number) = @_;

	$number = sprintf('%.0f', $number);
	1 while $number =~ s/^(-?\d+)(\d{3})/$1,$2/;
	return $number;
}

sub size
{
	my ($bytes) = @_;

	foreach my $unit ('bytes', 'kB', 'MB')
	{
		return ($unit eq 'bytes' ? $bytes : sprintf('%.1f', $bytes)) . " $unit"
		  if $bytes < 1024;
		$bytes /= 1024;
	}
	return sprintf('%.1f GB', $bytes);
}

sub plural
{
	my ($count, $word) = @_;
	return thousands($count) . " $word" . ($count == 1 ? '' : 's');
}

1;
