# A checker that stays silent proves nothing until it has been seen to speak:
# plant one violation of each rule and expect it to be named.

use strict;
use warnings;

use File::Basename;
use File::Path 'make_path';
use File::Temp 'tempdir';
use Test::More;

my $rules = dirname(__FILE__) . '/source-rules';

# The verdict on a tree of the given files, on top of one that is fine.
sub verdict
{
	my (%files) = @_;
	my $root = tempdir(CLEANUP => 1);

	%files = (
		'applier/base/arena.h' => "#include <stddef.h>\n",
		'applier/change.h' => "#include \"base/arena.h\"\n",
		'applier/target/target.h' => "#include \"../change.h\"\n",
		'applier/source/source.h' => "#include \"change.h\"\n",
		'applier/postgres/pg.c' => "#include <libpq-fe.h>\n"
		  . "/* no sprintf( here */\nconst char *s = \"sprintf(\";\n",
		'server/access/xlog.h' => "\n",
		%files);
	foreach my $path (keys %files)
	{
		make_path(dirname("$root/$path"));
		open(my $file, '>', "$root/$path") || die "$path: $!";
		print $file $files{$path};
		close($file) || die "$path: $!";
	}
	my $output = qx{$^X "$rules" "$root" "$root/server" 2>&1};
	return ($? >> 8, $output);
}

my ($rc, $output) = verdict();
is($rc, 0, 'a tree that keeps the rules passes') || diag($output);

my @violations = (
	[ 'base includes upwards', 'applier/base/x.c',
		'#include "change.h"', 'is above this file' ],
	[ 'a stage includes a command', 'applier/target/x.c',
		'#include "command/run.h"', 'is above this file',
		'applier/command/run.h' ],
	[ 'a source includes a target', 'applier/source/x.c',
		'#include "target/target.h"', 'must not know' ],
	[ 'libpq outside of its folder', 'applier/target/x.c',
		'#include <libpq-fe.h>', 'belongs into applier/postgres' ],
	[ 'MySQL outside of its folder', 'applier/postgres/x.c',
		'#include <mysql.h>', 'belongs into applier/mysql' ],
	[ 'a header of the server', 'applier/postgres/x.c',
		'#include <access/xlog.h>', 'header of the PostgreSQL server' ],
	[ 'a header of nobody', 'applier/postgres/x.c',
		'#include "postgres_fe.h"', 'not in this project' ],
	[ 'a banned function', 'applier/base/x.c',
		'int f(char *b) { return sprintf(b, "x"); }', 'sprintf is banned' ],
);
foreach my $violation (@violations)
{
	my ($what, $path, $text, $expected, @others) = @$violation;

	($rc, $output) =
	  verdict($path => "$text\n", map { $_ => "\n" } @others);
	is($rc, 1, "$what fails");
	like($output, qr/error: \Q$path\E:1: .*\Q$expected\E/, 'and is named');
}

($rc, $output) = verdict('plugin/long.c' => "\n" x 801);
is($rc, 0, 'a long file passes');
like($output, qr/warning: plugin\/long.c: 801 lines/, 'and is named');

done_testing();
