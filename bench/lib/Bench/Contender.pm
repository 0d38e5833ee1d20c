package Bench::Contender;

# The output plugins that are compared, with the options each is run with. All
# send values as text.

use strict;
use warnings;

# Each is run with its "options", after the statements of "prepare" in the
# database; "reader" is the format by which Bench::Rows knows its output.
my @contenders = (
	{
		name => 'pg_portage',
		plugin => 'pg_portage',
		options => [ format => 'binary' ],
		reader => 'portage',
	},
	{
		name => 'pg_portage defer',
		plugin => 'pg_portage',
		options => [ format => 'binary', defer => 'on' ],
		reader => 'portage',
	},
	{
		name => 'pgoutput',
		plugin => 'pgoutput',
		options => [ proto_version => 1, publication_names => 'bench' ],
		prepare => ['CREATE PUBLICATION bench FOR ALL TABLES'],
		reader => 'first_byte',
	},
	{
		name => 'test_decoding',
		plugin => 'test_decoding',
		options => [],
		reader => 'test_decoding',
	},
	{
		name => 'wal2json',
		plugin => 'wal2json',
		options => [ 'format-version' => 2 ],
		reader => 'wal2json',
	},
	{
		name => 'decoderbufs',
		plugin => 'decoderbufs',
		options => [],
		reader => 'decoderbufs',
	},
	{
		name => 'pglogical',
		plugin => 'pglogical_output',
		preload => 'pglogical',
		# What its own receiver asks for, so far as the plugin insists on it.
		options => [
			startup_params_format => 1,
			min_proto_version => 1,
			max_proto_version => 1,
			expected_encoding => 'UTF8',
			'pglogical.forward_origins' => 'all',
			'pglogical.replication_set_names' => 'default,default_insert_only',
		],
		prepare => [
			'CREATE EXTENSION pglogical',
			q{SELECT pglogical.create_node('bench',
				'dbname=' || current_database())},
			# Tables without a key can be in a set of inserts only.
			q{SELECT pglogical.replication_set_add_table(
				CASE WHEN EXISTS (SELECT FROM pg_index i
					WHERE i.indrelid = c.oid AND i.indisprimary)
				THEN 'default' ELSE 'default_insert_only' END, c.oid)
			FROM pg_class c
			WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace},
		],
		reader => 'first_byte',
	});

# Those whose library is in $pkglibdir; the names of the others go to @$missing.
sub installed
{
	my ($class, $pkglibdir, $missing) = @_;
	my @installed;

	foreach my $contender (@contenders)
	{
		if (-e "$pkglibdir/$contender->{plugin}.so")
		{
			push @installed, bless({%$contender}, $class);
		}
		else
		{
			push @$missing, $contender->{name};
		}
	}
	return @installed;
}

sub names
{
	return map { $_->{name} } @contenders;
}

sub name    { return $_[0]{name} }
sub plugin  { return $_[0]{plugin} }
sub reader  { return $_[0]{reader} }
sub preload { return $_[0]{preload} }

# Pairs of option and value, in order.
sub options
{
	my ($self) = @_;
	my @rest = @{ $self->{options} };
	my @pairs;

	push @pairs, [ splice(@rest, 0, 2) ] while @rest;
	return @pairs;
}

# What has to be done in a database before a slot is created in it.
sub prepare
{
	my ($self, $server, $database) = @_;

	$server->sql($database, "SET client_min_messages = warning; $_")
	  foreach @{ $self->{prepare} // [] };
	return;
}

1;
