# What people see of rules before anything is done: plan and check with a
# configuration, as text and as JSON; and that a migration is not gone on with by
# other rules than it was begun with.

use strict;
use warnings;

use JSON::PP qw(decode_json);
use PortageMany;
use PortageTest;
use Test::More;

my $source = source_new('source');
my $target = target_new('target');

$source->safe_psql('app', <<'SQL');
CREATE TABLE orders (id bigint PRIMARY KEY, customer int NOT NULL,
	amount int, price int, region int, secret text);
CREATE TABLE plain (id int PRIMARY KEY, v text);
CREATE TABLE unnamed (id int PRIMARY KEY);
CREATE TABLE whole (id int PRIMARY KEY, v text);
ALTER TABLE whole REPLICA IDENTITY FULL;
SQL

my @sides =
  ({ shop => source_url($source) }, { store => target_url($target) });
my @rules = (
	'references:',
	'  cities: { table: public.plain, key: [id] }',
	'rules:',
	'  - name: big',
	'    table: public.orders',
	'    into: sales.orders',
	q{    where: "region = 1"},
	'    omit: [secret]',
	'    columns:',
	'      buyer: customer',
	'      total: { expr: "amount * price", type: "bigint" }',
	'      came_at: portage_commit_time()',
	'    operations: [insert, update, delete]',
	'    on_error: quarantine',
	'  - table: public.plain',
	'  - name: full',
	'    table: public.whole',
	q{    where: "v <> ''"},);

sub plan_of
{
	my ($config, @options) = @_;
	return portage_ok('plan', '--config' => $config, @options)->{out};
}

# ---- plan
my $config = config_file('app', @sides, @rules);
my $text = plan_of($config);

foreach my $piece (
	qr/^Rules of \Q$config\E, from shop to store:$/m,
	qr/^  public\.orders\n    -> sales\.orders by big, \Q$config\E:\d+$/m,
	qr/^        id +bigint +key$/m,
	qr/^        total +bigint +  = amount \* price$/m,
	qr/^        buyer +integer +  = customer$/m,
	qr/^        where: +region = 1$/m,
	qr/^        operations: +insert, update, delete$/m,
	qr/^        old row: +is needed by its key; with FULL .*; it has default$/m,
	qr/^        counts: +tolerant/m,
	qr/^        on error: +quarantine$/m,
	qr/^        not verified: +came_at$/m,
	qr/^  public\.plain\n    -> public\.plain by rule 2, .*\n        as it is$/m,
	qr/^  public\.unnamed\n    -> nothing: no rule names it$/m,
	qr/^        old row: +is needed by its key; it has full\n        counts: +strict$/m,
	qr/^References:\n  cities +table public\.plain, followed; key id$/m)
{
	like($text, $piece, "plan: $piece");
}
unlike($text, qr/^        secret /m, 'what is omitted is not shown');

my $rules = decode_json(plan_of($config, '--json'))->{rules};
my %tables = map { ("$_->{schema}.$_->{name}" => $_) } @{ $rules->{tables} };
my $orders = $tables{'public.orders'};
my $big = $orders->{becomes}[0];
my %columns = map { ($_->{name} => $_) } @{ $big->{columns} };

is($orders->{identity}, 'default', 'JSON: identity');
is("$big->{schema}.$big->{name}", 'sales.orders', 'JSON: into');
is($big->{rule}, 'big', 'JSON: rule');
is($big->{counts}, 'tolerant', 'JSON: counts');
is($big->{identity_needed}, 'key, better full', 'JSON: identity needed');
is_deeply(
	$columns{total},
	{
		name => 'total',
		type => 'bigint',
		from => undef,
		expression => 'amount * price',
		key => JSON::PP::false,
		verified => JSON::PP::true
	},
	'JSON: a computed column');
is($columns{buyer}{from}, 'customer', 'JSON: a column under another name');
ok(!$columns{came_at}{verified}, 'JSON: what has no value to agree on');
is_deeply($tables{'public.unnamed'}{becomes}, [], 'JSON: nothing');
ok(!$tables{'public.unnamed'}{named}, 'JSON: no rule names it');
is($rules->{references}[0]{kind}, 'table', 'JSON: a reference');

# ---- check
sub check
{
	my ($rc, @lines) = @_;
	my $path = config_file('app', @sides, 'rules:', @lines);
	my $result = portage_fails($rc, 'check', '--config' => $path, '--json');
	return ($path, decode_json($result->{out})->{findings});
}

my ($path, $found) = check(0, '  - table: public.plain');
ok( (grep {
			$_->{object} eq 'table public.unnamed'
			  && $_->{severity} eq 'note'
			  && $_->{message} =~ /no rule names it/
	} @$found),
	'check: a table that no rule names is a note');

($path, $found) = check(
	1,
	'  - table: public.plain',
	'    where: "vv = 1"',
	'  - table: public.nothere',
	'  - table: public.ordrs',
	'  - table: public.unnamed',
	'    into: portage.unnamed',
	'  - table: public.whole',
	'    columns: { origin: "\'a\'" }',
	'    key: [orign, id]');
my @errors = grep { $_->{severity} eq 'error' && $_->{side} eq 'here' } @$found;
ok((grep { $_->{message} =~ /\Q$path\E:\d+:\d+: .*vv/ } @errors),
	'check: a misspelt column with its place');
ok((grep { $_->{message} =~ /there is no table "public\.nothere"/ } @errors),
	'check: a table that is not there');
ok( (grep {
			$_->{message} =~ /there is no table "public\.ordrs"/
			  && $_->{remedy} =~ /mean public\.orders\?/
	} @errors),
	'check: a misspelt table with what was meant');
ok((grep { $_->{message} =~ /into gives the schema portage/ } @errors),
	'check: a schema that is not free');
ok( (grep {
			$_->{message} =~ /key names "orign"/ && $_->{remedy} =~ /mean "origin"\?/
	} @errors),
	'check: a misspelt column of the key with what was meant');

# ---- begun by other rules
my $begun = config_file('app', @sides, 'rules:', '  - table: public.plain');
portage_ok('run', '--config' => $begun, '--until' => 'caught-up');
portage_ok('run', '--config' => $begun, '--until' => 'caught-up');
my $other = config_file('app', @sides, 'rules:', '  - table: public.plain',
	'    where: "id > 1"');
foreach my $command (qw(run finish))
{
	my $result = portage_fails(4, $command, '--config' => $other);
	like($result->{err}, qr/begun with other rules.*\[P0430\]/,
		"$command: other rules are refused");
}
my $result = portage_fails(
	4, 'run', endpoints($source, $target),
	'--name' => 'app',
	'--until' => 'caught-up');
like($result->{err}, qr/begun with rules.*\[P0430\]/, 'so is none at all');

# ---- a row that route sends to nobody
$source->safe_psql('app', q{INSERT INTO whole VALUES (1, 'stroe')});
$result = portage_fails(
	4, 'run',
	'--config' => config_file('routed', @sides, 'rules:',
		'  - table: public.whole', '    route: v'),
	'--until' => 'caught-up');
like($result->{err}, qr/route gives "stroe", which is not a target.*\[P0428\]/,
	'a target that is none');
like($result->{err}, qr/hint: it may give store, or NULL/, 'and which there are');

done_testing();
