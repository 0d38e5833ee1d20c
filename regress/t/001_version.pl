# One version number, in the extension's control file: whatever else states a
# version has to state that one.

use strict;
use warnings;

use JSON::PP;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $tree = $ENV{PORTAGE_TREE};
my ($version) = slurp_file("$tree/sql/pg_portage.control") =~
  /^default_version\s*=\s*'([^']+)'/m;
like($version, qr/\A\d+\.\d+\.\d+\z/, 'the control file has a version');

my $meta = decode_json(slurp_file("$tree/META.json"));
is($meta->{version}, $version, 'META.json');
is($meta->{provides}{pg_portage}{version},
	$version, 'META.json, of the extension');
is( $meta->{provides}{pg_portage}{file},
	"sql/pg_portage--$version.sql",
	'META.json names the script of that version');
ok(-f "$tree/$meta->{provides}{pg_portage}{file}", 'which exists');
ok(-f "$tree/$meta->{provides}{pg_portage}{docfile}", 'its documentation exists');

my $result = portage_ok('--version');
like($result->{out}, qr/\b\Q$version\E\b/, 'pg_portage --version');

my $source = source_new('source');
is( $source->safe_psql('app',
		q{SELECT extversion FROM pg_extension WHERE extname = 'pg_portage'}),
	$version,
	'the extension as created');

# The plugin introduces itself before the first change.
$source->safe_psql('app',
	q{SELECT pg_create_logical_replication_slot('hello', 'pg_portage')});
$source->safe_psql('app',
	'CREATE TABLE t (i int PRIMARY KEY); INSERT INTO t VALUES (1)');
my ($hello) = grep { /hello/i } split(
	/\n/,
	$source->safe_psql('app',
		q{SET TimeZone = 'UTC'; SET extra_float_digits = 3;
		  SET lc_monetary = 'C'; SET search_path = pg_catalog;
		  SELECT portage.decode(data) FROM
		  pg_logical_slot_peek_binary_changes('hello', NULL, NULL,
			'format', 'binary')}));
ok(defined $hello, 'the plugin sends a hello record');
like($hello // '', qr/\b\Q$version\E\b/, 'with the version');

done_testing();
