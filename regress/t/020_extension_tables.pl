# Tables that an extension brought are created and filled by the extension, on
# either side: they are not copied, and changes of them do not stop the stream.

use strict;
use warnings;

use PortageTest;
use Test::More;

my ($share) = map { chomp; $_ } `$ENV{PG_CONFIG} --sharedir`;
extension_file($share, 'with_table.control', "default_version = '1'\n");
extension_file($share, 'with_table--1.sql', <<'SQL');
CREATE TABLE setting (name text PRIMARY KEY, value text);
INSERT INTO setting VALUES ('colour', 'from the extension');
SQL

my $source = source_new('source');
my $target = target_new('target');
$target->safe_psql('app', 'CREATE EXTENSION with_table');
$source->safe_psql('app', <<'SQL');
CREATE EXTENSION with_table;
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t VALUES (1, 'one');
UPDATE setting SET value = 'of the source';
SQL
my $result = portage_ok('run', endpoints($source, $target),
	'--until', 'caught-up');
$source->safe_psql('app', <<'SQL');
INSERT INTO setting VALUES ('size', 'new');
UPDATE setting SET value = 'changed';
DELETE FROM setting WHERE name = 'colour';
INSERT INTO t VALUES (2, 'two');
SQL
portage_ok('run', endpoints($source, $target), '--until', 'caught-up');
tables_equal($source, 'app', $target, 'app', 'public.t');
is($target->safe_psql('app', 'SELECT name, value FROM setting'),
	'colour|from the extension', 'what belongs to the extension is its own');

done_testing();

sub extension_file
{
	my ($folder, $name, $text) = @_;
	open(my $file, '>', "$folder/extension/$name")
	  or die "cannot write $folder/extension/$name: $!";
	print $file $text;
	close($file) or die $!;
}
