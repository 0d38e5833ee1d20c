package PortageCheck;

=pod

=head1 NAME

PortageCheck - what pg_portage check has found, as tests ask for it

=head1 SYNOPSIS

  look(1, endpoints($source, $target));
  found('error', 'P0201', 'source', qr/wal_level is replica/, qr/logical/);
  not_found('table public.t');

=head1 DESCRIPTION

A finding is looked for by its object and by words of its message, and then all
of it has to be right: severity, code, remedy. What is asked for is what the
last check of this process has found.

=over

=item look($rc, @arguments)

Run C<check --json> and keep what it finds; it has to exit with C<$rc>. Returns
the object that it has printed.

=item found($severity, $code, $object, $words, $remedy, %more)

There is one finding about the object whose message matches C<$words>, and no
second one, and it is of this severity and code ('' for none), with a remedy
that matches (undef: with none). C<%more> are other keys and their values.

=item not_found($object, $words)

There is none about the object (or none whose message matches).

=item findings()

All of them.

=back

=cut

use strict;
use warnings;

use Exporter 'import';
use JSON::PP ();
use PortageTest;
use Test::More;

our @EXPORT = qw(look found not_found findings);

my @findings;    # of the last check

sub look
{
	my ($rc, @arguments) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $result = portage_fails($rc, 'check', @arguments, '--json');
	my $json = eval { JSON::PP::decode_json($result->{out}) };

	ok($json, 'check --json is JSON') || diag($result->{out} . $result->{err});
	@findings = @{ $json->{findings} // [] };
	return $json;
}

sub findings
{
	return @findings;
}

sub about
{
	my ($object, $words) = @_;
	return
	  grep { $_->{object} eq $object && $_->{message} =~ $words } @findings;
}

sub found
{
	my ($severity, $code, $object, $words, $remedy, %more) = @_;
	my @about = about($object, $words);
	my $first = $about[0] // {};

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $right =
		 @about == 1
	  && $first->{severity} eq $severity
	  && ($first->{code} // '') eq $code
	  && (defined $remedy
		? ($first->{remedy} // '') =~ $remedy
		: !defined $first->{remedy});
	$right &&= $first->{$_} eq $more{$_} foreach keys %more;
	return ok($right, "$object: $severity $code")
	  || diag(JSON::PP->new->pretty->encode(
			[ @about ? @about : grep { $_->{object} eq $object } @findings ]));
}

sub not_found
{
	my ($object, $words) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is(scalar(about($object, $words // qr/./)), 0, "$object: nothing")
	  || diag(JSON::PP->new->pretty->encode(\@findings));
}

1;
