=pod

=head1 NAME

PortageMany - migrations of several sources and targets

=head1 FUNCTIONS

=over

=item config_file($name, \%sources, \%targets, @lines)

Write a configuration and return its path: names to URLs, further lines as they
are.

=item wait_for_all($source, $name, @targets)

Wait until each target's row of that stream has everything that the source has
written so far.


=item several_equal($source, \@targets, @tables)

As tables_equal, for each target.

=back

=cut

package PortageMany;

use strict;
use warnings;

use Exporter qw(import);
use PortageFault;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(config_file wait_for_all several_equal);

my $count = 0;

sub config_file
{
	my ($name, $sources, $targets, @lines) = @_;
	my $path = PostgreSQL::Test::Utils::tempdir() . '/many' . $count++ . '.yaml';
	my $text = "name: $name\nsources:\n";

	$text .= qq{  $_: { url: "$sources->{$_}" }\n} foreach sort keys %$sources;
	$text .= "targets:\n";
	$text .= qq{  $_: { url: "$targets->{$_}" }\n} foreach sort keys %$targets;
	# without rules every table goes to the one target there is
	$text .= "rules:\n  - table: \"*.*\"\n    target: ["
	  . join(', ', sort keys %$targets) . "]\n"
	  if keys %$targets > 1;
	$text .= "$_\n" foreach @lines;
	append_to_file($path, $text);
	return $path;
}

sub wait_for_all
{
	my ($source, $name, @targets) = @_;

	wait_for_applied($source, $_, 'app', $name) foreach @targets;
	return;
}

sub several_equal
{
	my ($source, $targets, @tables) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	tables_equal($source, 'app', $_, 'app', @tables) foreach @$targets;
	return;
}

1;
