package PortageMysqlCanonical;

=pod

=head1 NAME

PortageMysqlCanonical - the value that a text of PostgreSQL or of MySQL stands for

=head1 DESCRIPTION

Two values are the same exactly if their canonical forms are the same text. What
a value means is told by the type that it has on the source; the two functions
differ only in how each side writes it. Nothing here is the applier's.

  integers           decimal digits
  numeric, money     no zeros that say nothing
  real, double       the eight bytes of the IEEE number
  date, timestamp    microseconds since 1970; infinity by name
  time               microseconds
  bytea              hexadecimal digits
  char(n)            the bytes of the text, without spaces at the end
  bit, bool          bits; t or f
  jsonb, hstore      JSON: members by name, numbers as numeric
  arrays             JSON of canonical elements, and bounds if they are odd
  everything else    the bytes of the text

=over

=item canonical_source($type, $text)

Of what the type's output function says with ISO dates, UTC, bytea_output hex,
in UTF-8; undef is NULL. $type is C<< { name => 'numeric', length => undef } >>,
domains unwrapped; arrays have C<< element => $type >>, bit its length.

=item canonical_target($type, $bytes, $data_type)

Of what the server sends for a column of this DATA_TYPE of information_schema.

=back

=cut

use strict;
use warnings;

use Carp;
use Exporter 'import';
use MIME::Base64 ();
use POSIX ();

our @EXPORT = qw(canonical_source canonical_target);

my %form = (
	(map { $_ => \&integer } qw(int2 int4 int8 oid xid cid xid8)),
	(map { $_ => \&double } qw(float4 float8)),
	(map { $_ => \&decimal } qw(numeric money)),
	(map { $_ => \&moment } qw(date timestamp timestamptz)),
	time => \&time_of_day,
	bool => \&boolean,
	bpchar => sub { return hex_of($_[0] =~ s/ +\z//r) },
	bytea => sub { return $_[0] =~ /\A\\x([0-9a-f]*)\z/ ? $1 : "?$_[0]" },
	bit => sub { return $_[0] },
	jsonb => sub { return json_text(json_parse($_[0])) },
	hstore => \&hstore,
);

sub canonical_source
{
	my ($type, $text) = @_;

	return 'NULL' unless defined $text;
	return array($type, $text) if $type->{element};
	return ($form{ $type->{name} } // \&hex_of)->($text);
}

sub canonical_target
{
	my ($type, $bytes, $data_type) = @_;

	return 'NULL' unless defined $bytes;
	if ($type->{element})
	{
		# A text that was left as it is may begin with bounds.
		return array($type, $bytes) if $bytes =~ /\A(?:\{|\[-?\d+:)/;
		return elements_of_json($type->{element}, json_parse($bytes));
	}
	return unpack('H*', $bytes)
	  if $type->{name} eq 'bytea' && $data_type =~ /blob|binary/;
	return substr(unpack('B*', $bytes), -$type->{length})
	  if $data_type eq 'bit';
	return json_text(json_parse($bytes)) if $type->{name} eq 'hstore';
	return canonical_source($type, $bytes);
}

sub hex_of { return unpack('H*', $_[0]); }

sub integer
{
	my ($text) = @_;
	return $text =~ /\A(-?)0*(\d+)\z/ ? "$1$2" : "?$text";
}

sub boolean
{
	my ($text) = @_;
	return { t => 't', f => 'f', 1 => 't', 0 => 'f' }->{$text} // "?$text";
}

sub decimal
{
	my ($text) = @_;

	$text = "-$1" if $text =~ /\A\((.*)\)\z/;
	$text =~ s/[\$,]//g;
	return $text unless $text =~ /\A(-?)0*(\d*)(?:\.(\d*?)0*)?\z/;
	my ($sign, $whole, $part) = ($1, $2 eq '' ? '0' : $2, $3 // '');
	return '0' if $whole eq '0' && $part eq '';
	return "$sign$whole" . ($part eq '' ? '' : ".$part");
}

# The library's conversion, because it rounds correctly.
sub double
{
	my ($text) = @_;

	return $text if $text =~ /\A(?:NaN|-?Infinity)\z/;
	my ($number, $unread) = POSIX::strtod($text);
	return $unread ? "?$text" : unpack('H*', pack('d>', $number));
}

sub moment
{
	my ($text) = @_;

	return $text if $text =~ /\A-?infinity\z/;
	my ($year, $month, $day, $time, $bc) =
	  $text =~ /\A(\d{4,})-(\d\d)-(\d\d)(?: ([\d:.]+))?(?:\+00)?( BC)?\z/
	  or return "?$text";
	return "?$text" unless $month > 0 && $day > 0;
	$year = 1 - $year if $bc;
	return days($year, $month, $day) * 86_400_000_000
	  + time_of_day($time // '00:00:00');
}

# Since 1970 in the Gregorian calendar: years begin in March, so that the day
# that may be missing is the last one; 400 of them have 146097 days.
sub days
{
	my ($year, $month, $day) = @_;

	$year-- if $month <= 2;
	my $era = POSIX::floor($year / 400);
	my $in_era = $year - $era * 400;
	my $of_year =
	  int((153 * ($month + ($month > 2 ? -3 : 9)) + 2) / 5) + $day - 1;
	return $era * 146_097 + $in_era * 365 + int($in_era / 4)
	  - int($in_era / 100) + $of_year - 719_468;
}

sub time_of_day
{
	my ($text) = @_;
	my ($hours, $minutes, $seconds, $part) =
	  $text =~ /\A(\d\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?\z/
	  or return "?$text";

	return ((($hours * 60) + $minutes) * 60 + $seconds) * 1_000_000
	  + substr(($part // '') . '000000', 0, 6);
}

sub hstore
{
	my ($text) = @_;
	my %pairs;
	my $word = qr/"((?:[^"\\]|\\.)*)"/s;

	while ($text =~ /\G(?:, )?$word=>(?:$word|NULL)/gc)
	{
		my ($name, $value) = map { defined ? s/\\(.)/$1/gsr : undef } $1, $2;
		$pairs{$name} =
		  defined $value ? [ string => $value ] : [ word => 'null' ];
	}
	return json_text([ object => \%pairs ]);
}

# {1,NULL,"a b"}, nested, perhaps with bounds in front.
sub array
{
	my ($type, $text) = @_;
	my $bounds = $text =~ s/\A((?:\[-?\d+:-?\d+\])+)=// ? $1 : '';

	return $bounds . array_list($type->{element}, \$text);
}

sub array_list
{
	my ($element, $rest) = @_;
	my @list;

	$$rest =~ s/\A\{// || croak("no array: $$rest");
	while ($$rest !~ s/\A\}//)
	{
		if ($$rest =~ /\A\{/)
		{
			push @list, array_list($element, $rest);
		}
		elsif ($$rest =~ s/\A"((?:[^"\\]|\\.)*)"//s)
		{
			push @list, canonical_source($element, $1 =~ s/\\(.)/$1/gsr);
		}
		elsif ($$rest =~ s/\A((?:[^,{}"\\]|\\.)+)//s)
		{
			push @list, uc($1) eq 'NULL'
			  ? 'NULL'
			  : canonical_source($element, $1 =~ s/\\(.)/$1/gsr);
		}
		else
		{
			croak("no array: $$rest");
		}
		$$rest =~ s/\A,//;
	}
	return '[' . join(',', @list) . ']';
}

sub elements_of_json
{
	my ($element, $json) = @_;
	my ($kind, $value) = @$json;

	return '[' . join(',', map { elements_of_json($element, $_) } @$value) . ']'
	  if $kind eq 'list';
	return 'NULL' if $kind eq 'word' && $value eq 'null';
	return '?object' if $kind eq 'object';
	$value = substr($value, 0, 1) if $kind eq 'word';
	$value = '\\x' . unpack('H*', MIME::Base64::decode_base64($value))
	  if $element->{name} eq 'bytea';
	return canonical_source($element, $value);
}

# A tree of [ kind => value ]: object, list, string (bytes), number (its text)
# and word. Numbers are not evaluated, so that none of their digits is lost.
sub json_parse
{
	my ($text) = @_;
	my $tree = eval { json_value(\$text) };

	return [ word => "?$@" ] unless defined $tree;
	return $text =~ /\A\s*\z/ ? $tree : [ word => "?and then $text" ];
}

sub json_value
{
	my ($rest) = @_;

	$$rest =~ s/\A\s+//;
	return [ string => json_string($1) ]
	  if $$rest =~ s/\A"((?:[^"\\]|\\.)*)"//s;
	return [ number => $1 ] if $$rest =~ s/\A(-?\d[\d.eE+-]*)//;
	return [ word => $1 ] if $$rest =~ s/\A(true|false|null)\b//;
	return [ list => json_members($rest, qr/\A\s*\]/) ]
	  if $$rest =~ s/\A\[//;
	$$rest =~ s/\A\{// || die "no JSON: $$rest\n";
	my $members = json_members($rest, qr/\A\s*\}/);
	return [ object => { map { @$_ } @$members } ];
}

# Up to what ends them; an object's as pairs of name and value.
sub json_members
{
	my ($rest, $end) = @_;
	my @members;

	while ($$rest !~ s/$end//)
	{
		my $member = json_value($rest);
		$member = [ $member->[1], json_value($rest) ]
		  if $member->[0] eq 'string' && $$rest =~ s/\A\s*://;
		push @members, $member;
		$$rest =~ s/\A\s*,// || $$rest =~ /$end/ || die "no JSON: $$rest\n";
	}
	return \@members;
}

sub json_string
{
	my ($text) = @_;
	my %short = (b => "\b", f => "\f", n => "\n", r => "\r", t => "\t");

	$text =~ s{\\u(d[89ab]..)\\u(d[c-f]..)}
		{utf8_of(0x10000 + ((hex($1) & 0x3ff) << 10) + (hex($2) & 0x3ff))}gie;
	$text =~ s{\\(?:u(....)|(.))}
		{defined $1 ? utf8_of(hex($1)) : $short{$2} // $2}gse;
	return $text;
}

sub utf8_of
{
	my $text = chr($_[0]);
	utf8::encode($text);
	return $text;
}

sub json_text
{
	my ($tree) = @_;
	my ($kind, $value) = @$tree;

	return '[' . join(',', map { json_text($_) } @$value) . ']'
	  if $kind eq 'list';
	return '{'
	  . join(',', map { json_quoted($_) . ':' . json_text($value->{$_}) }
		  sort keys %$value) . '}'
	  if $kind eq 'object';
	return json_quoted($value) if $kind eq 'string';
	return $kind eq 'number' ? json_number($value) : $value;
}

sub json_quoted
{
	my ($text) = @_;
	$text =~ s/(["\\])/\\$1/g;
	$text =~ s/([\x00-\x1f])/sprintf('\\u%04x', ord($1))/ge;
	return "\"$text\"";
}

# Digits without zeros at either end, times a power of ten.
sub json_number
{
	my ($text) = @_;
	my ($sign, $whole, $part, $power) =
	  $text =~ /\A(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?\z/
	  or return "?$text";

	$part //= '';
	$power = ($power // 0) - length($part);
	my $digits = "$whole$part" =~ s/\A0+//r;
	return '0' if $digits eq '';
	$power += length($1) if $digits =~ s/(0+)\z//;
	return "$sign$digits" . ($power ? "e$power" : '');
}

1;
