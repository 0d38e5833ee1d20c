# The configuration file: a whole migration by it, what the command line goes
# before, the mistakes of somebody who writes his first one, and passwords that
# nobody gets to see.

use strict;
use warnings;

use JSON::PP ();
use PortageFault;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $folder = "$ENV{TESTDIR}/config";
mkdir($folder) || die "$folder: $!";
my $file = "$folder/shop.yaml";
my @written;    # everything that any command has written here

sub config_write
{
	my ($text) = @_;

	unlink($file);
	append_to_file($file, $text);
	return;
}

# Runs with the text as its configuration, and expects the code at the place.
sub refuses
{
	my ($text, $code, $place, $words, @arguments) = @_;
	my $what = (split(/\n/, $words))[0];

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	config_write($text);
	@arguments = ('check') unless @arguments;
	my $result = portage(@arguments, '--config', $file);
	push @written, $result->{out} . $result->{err};
	is($result->{rc}, 2, "exit code 2: $what");
	error_ok($result, $code, qr/\A\Q$file:$place: \E.*$words/, $what);
	return $result;
}

sub works
{
	my @arguments = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $result = portage_ok(@arguments);
	push @written, $result->{out} . $result->{err};
	return $result;
}

sub hints
{
	my ($result, $words) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return like($result->{err}, qr/^pg_portage: hint: .*$words/m,
		"what to do: $words");
}

# ---- the first file of somebody who has never written one
my $sides = <<'YAML';
source: postgresql://a@127.0.0.1:1/app
target: postgresql://a@127.0.0.1:1/app
YAML

my $missing = portage('check', '--config', "$folder/none.yaml");
is($missing->{rc}, 2, 'a file that is not there: exit code 2');
error_ok($missing, 'P0107', qr/none\.yaml cannot be read: No such file/,
	'a file that is not there');
my $both = portage('check', '--config', $file, '--source', 'service=x');
error_ok($both, 'P0101', qr/--config and --source exclude each other/,
	'--config and --source');
like(portage('run')->{err}, qr/--source URL is missing/, 'neither');

hints(refuses("sorce: postgresql://a\@h/d\n", 'P0107', '1:1',
		'no key "sorce"'), 'source');
hints(refuses("${sides}rules:\n\t- table: a.b\n", 'P0107', '4:1',
		'not YAML'), 'blanks');
hints(refuses("${sides}rules:\n  - table: *.*\n", 'P0107', '4:13',
		'not YAML'), 'in quotes');
hints(refuses("${sides}rules:\n  table: public.t\n", 'P0107', '4:3',
		'rules has to be a list'), 'begin each rule with');
hints(refuses("${sides}rules:\n  - table: t\n", 'P0107', '4:12',
		'table "t" has no schema'), 'public\.t');
hints(refuses("${sides}rules:\n  - table: a.b\n    wehre: x\n", 'P0107',
		'5:5', 'no key "wehre" in a rule'), 'where');
hints(refuses("${sides}rules:\n  - table: a.b\n    where: \"x\" = 1\n",
		'P0107', '5:16', 'not YAML'), 'quote');
hints(refuses("${sides}where: x\n", 'P0107', '3:1', 'no key "where"'),
	'one of a rule');
hints(refuses("${sides}rules:\n  - table: a.b\n    target: traget\n",
		'P0107', '5:13', 'there is no target "traget"'), 'target');
hints(refuses("${sides}rules:\n  - table: a.b\n    operations: insert\n",
		'P0107', '5:17', 'has to be a list'), 'operations: \[insert\]');
hints(refuses("${sides}retry-for: 1h\n", 'P0107', '3:1',
		'no key "retry-for"'), 'retry_for');
hints(refuses("sources: { main: service=x }\n", 'P0107', '1:18',
		'main has to be a map'), 'main: \{ url');
hints(refuses("source: service=x\ntargets: { a: { url: 'postgresql://h/a' }, "
		  . "b: { url: 'postgresql://h/b' } }\n", 'P0107', '2:44',
		'with several targets'), 'table: "\*\.\*"');
refuses("${sides}jobs: many\n", 'P0105', '3:7', '--jobs takes a number');
refuses("${sides}retry_for: 10\n", 'P0105', '3:12', 'takes a duration',
	'status');
refuses("${sides}quiet: yes\n", 'P0107', '3:8', 'true or false');
refuses("${sides}name: My-Shop\n", 'P0107', '3:7', 'a-z, 0-9 and _');
refuses("${sides}name: a\nname: b\n", 'P0107', '4:1', 'twice, first in line 3');
refuses("source: oracle://a:hidden\@h/d\n", 'P0102', '1:9',
	'no driver for a source URL of oracle', 'status');
refuses("source: \${PORTAGE_UNSET}\n", 'P0107', '1:9',
	'PORTAGE_UNSET is not set', 'status');

# ---- a whole migration; the password is in a variable
my $password = 'hid/den@word';
(my $escaped = $password) =~ s/([^a-z])/sprintf('%%%02X', ord($1))/ge;
my $source = source_new('source');
my $target = target_new('target');
$target->safe_psql('postgres',
	'ALTER ROLE ' . TARGET_ROLE . " PASSWORD '$password'");
$source->safe_psql('app', 'CREATE TABLE t (id int PRIMARY KEY, v text);'
	  . 'CREATE TABLE left_out (id int PRIMARY KEY);'
	  . q{INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 1000) i});
(my $target_url = target_url($target)) =~
  s{://(\w+)@}{://$1:\${PORTAGE_PASSWORD}@};
my $source_url = source_url($source);
config_write(<<"YAML");
# all of it
name: by_file
sources: { old: { url: "$source_url" } }
targets: { new: { url: "$target_url" } }
exclude_tables: public.left_out
jobs: 2
retry_for: 30s
until: caught-up
yes: true
YAML
my @config = ('--config', $file);
my @env = (env => { PORTAGE_PASSWORD => $escaped });

like(works('check', @config, @env)->{out}, qr/^0 errors/m, 'check');
my $plan = JSON::PP::decode_json(works('plan', @config, '--json', @env)->{out});
is($plan->{name}, 'by_file', 'plan: the name of the file');
unlike(JSON::PP::encode_json($plan->{tables}), qr/left_out/,
	'plan: without the table that the file excludes');
works('run', @config, '-v', @env);
tables_equal($source, 'app', $target, 'app', 'public.t');
is($target->safe_psql('app', q{SELECT to_regclass('left_out') IS NULL}),
	't', 'run: neither does it come');
ok(slot_row($source, 'portage_by_file'), 'the slot has the name of the file');
$source->safe_psql('app', q{UPDATE t SET v = 'x' WHERE id < 10});
works('run', @config, @env);
tables_equal($source, 'app', $target, 'app', 'public.t');
my $status =
  JSON::PP::decode_json(works('status', @config, '--json', @env)->{out});
is($status->{phase}, 'stream', 'status: where it stands');
ok($status->{source}{reached} && $status->{target}{reached},
	'status: of both sides');
like(portage('status', @config, '--name', 'other', @env)->{err},
	qr/no migration "other"/, 'the command line goes before the file');
works('finish', @config, @env);
works('drop', @config, @env);
is(slot_row($source, 'portage_by_file'), undef, 'drop: yes is in the file');

# ---- what somebody puts into the wrong variable
my %wrong = (
	"jobs: \${PORTAGE_PASSWORD}\n" => 'P0105',
	"on_loss: \${PORTAGE_PASSWORD}\n" => 'P0105',
	"tables: \${PORTAGE_PASSWORD}\n" => 'P0104',
	"name: \${PORTAGE_PASSWORD}\n" => 'P0107',
	"rules: [ { table: '\${PORTAGE_PASSWORD}' } ]\n" => 'P0107',
	"rules: [ { table: a.b, target: '\${PORTAGE_PASSWORD}' } ]\n" => 'P0107');
foreach my $text (sort keys %wrong)
{
	config_write("source: $source_url\n$text");
	my $result = portage('status', @config,
		env => { PORTAGE_PASSWORD => $password });
	push @written, $result->{out} . $result->{err};
	error_ok($result, $wrong{$text}, qr/shop\.yaml:\d+:\d+: /, $text =~ s/\n//r);
}
foreach my $value ($password, 'hid den', 'x?hidden=1')
{
	config_write("source: 'postgresql://a:\${PORTAGE_PASSWORD}\@127.0.0.1:1/d'\n"
		  . "target: 'host=127.0.0.1 port=1 password=\${PORTAGE_PASSWORD}'\n");
	my $result = portage('status', @config, '--name', 'x', '-v',
		env => { PORTAGE_PASSWORD => $value });
	push @written, $result->{out} . $result->{err};
	isnt($result->{rc}, 70, "no bug by $value");
}
unlike(join('', @written), qr/hid|\Q$escaped\E/,
	'no password in any output');

# ---- a target of several that cannot be opened, before others
config_write("name: app\nsource: 'postgresql://127.0.0.1:1/d'\ntargets:\n"
	  . "  a: { url: 'postgresql://127.0.0.1:1/a', on_loss: clamp }\n"
	  . "  b: { url: 'postgresql://127.0.0.1:1/b' }\n"
	  . "  c: { url: 'postgresql://127.0.0.1:1/c' }\n"
	  . "rules: [ { table: '*.*', target: [ a, b, c ] } ]\n");
my $unopened = portage('run', @config);
is($unopened->{rc}, 2, 'run ends with what is wrong with one target');
error_ok($unopened, 'P0105', qr/a: --on-loss is for targets of another kind/,
	'and says which');

# ---- what --help says of it
like(works($_, '--help')->{out}, qr/--config FILE/, "$_ --help has --config")
  foreach qw(check plan run status finish drop);

done_testing();
