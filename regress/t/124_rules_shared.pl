# Two sources that write to one table of each of two targets: created once, copied
# by both, each accounting for its own rows, and kept up to date.  Rows that nobody
# has brought are refused, and so are rules that would write the same keys, unless they
# say who wins: then copy and stream do what they say, each conflict is counted once,
# and a copy that is killed has done nothing.

use strict;
use warnings;

use PortageFault;
use PortageMany;
use PortageMysql;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my %sources = (east => source_new('east'), west => source_new('west'));
my $target = target_new('target');
my $my = mysql_new('mysql');
my $file = PostgreSQL::Test::Utils::tempdir() . "/shared.yaml";

foreach my $name (sort keys %sources)
{
	my $rows = $name eq 'east' ? 700 : 300;
	$sources{$name}->safe_psql('app', <<"SQL");
CREATE TABLE orders (id int PRIMARY KEY, code varchar(20) UNIQUE, total int);
CREATE INDEX orders_total ON orders (total);
INSERT INTO orders SELECT i, 'o' || i, i * 2 FROM generate_series(1, $rows) i;
SQL
}

sub config
{
	my ($rules, $until) = @_;
	my $text = "name: app\n" . ($until // "until: caught-up\n") . "sources:\n";

	$text .= "  $_: { url: \"" . source_url($sources{$_}) . "\" }\n"
	  foreach sort keys %sources;
	$text .= 'targets: { pg: { url: "' . target_url($target)
	  . '" }, my: { url: "' . $my->url('app') . "\" } }\n";
	unlink($file);
	append_to_file($file, $text . $rules);
	return;
}

sub compare
{
	my ($when) = @_;
	my $want = join("\n",
		map { $sources{$_}->safe_psql('app', "SELECT '$_', id, code, total FROM orders ORDER BY id") }
		  sort keys %sources);
	my $sql = 'SELECT shop, id, code, total FROM %s ORDER BY shop, id';

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($target->safe_psql('app', sprintf($sql, 'every.orders')), $want, "$when: PostgreSQL");
	is(join("\n", map { join('|', @$_) } $my->rows('app', sprintf($sql, 'every__orders'))),
		$want, "$when: MySQL");
	return;
}

# One statement for both kinds of target.
sub rows_on
{
	my ($where, $sql) = @_;

	return $target->safe_psql('app', $sql) if $where eq 'pg';
	return join("\n", map { join('|', @$_) }
		  $my->rows('app', $sql =~ s/(once|pair)\.orders/$1__orders/r));
}

my $head = <<'YAML';
rules:
  - table: public.orders
    target: [pg, my]
    into: every.orders
YAML
my $key = <<'YAML';
    key: [shop, id]
    columns: { shop: { expr: portage_source(), type: varchar(10) } }
YAML

# ---- refused
config($head);
my $refused = portage('check', '--config', $file);
is($refused->{rc}, 1, 'check refuses rules that write the same keys');
like($refused->{out} =~ s/\s+/ /gr, qr/rule 1 for source west writes to every\.orders, too/, 'and says whose');
config($head . $key);
like(portage('check', '--config', $file)->{out} =~ s/\s+/ /gr,
	qr/TRUNCATE would take rows that others have written/, 'check refuses TRUNCATE');

# ---- copied and streamed
config($head . $key . "    operations: [insert, update, delete]\n");
portage_ok('run', '--config', $file);
compare('copied');
is($target->safe_psql('app', q{SELECT string_agg(indexname, ' ' ORDER BY indexname)
	FROM pg_indexes WHERE schemaname = 'every'}),
	'orders_code_key orders_orders_pkey orders_pkey orders_total', 'indexes are made once');
$sources{east}->safe_psql('app', q{UPDATE orders SET total = -id WHERE id % 3 = 0; DELETE FROM orders WHERE id < 10});
$sources{west}->safe_psql('app', q{INSERT INTO orders VALUES (1000, 'new', 1); UPDATE orders SET code = 'x' WHERE id = 5});
portage_ok('run', '--config', $file);
compare('streamed');
portage_ok('drop', '--config', $file, '--yes');

# ---- the copy alone
my $once = ($head . $key) =~ s/every/once/r;
config("$once    operations: [insert, update, delete]\n", '');
portage_ok('run', '--config', $file, '--copy-only');
foreach my $where (qw(pg my))
{
	my $sql = 'SELECT shop, id, code, total FROM once.orders ORDER BY shop, id';

	is(rows_on($where, $sql), join("\n",
		map { $sources{$_}->safe_psql('app', "SELECT '$_', id, code, total FROM orders ORDER BY id") }
		  sort keys %sources), "$where: copied alone");
}
portage_ok('drop', '--config', $file, '--yes');

# ---- two tables of one source, and the copy is killed between them
$sources{east}->safe_psql('app', 'CREATE TABLE old_orders (LIKE orders INCLUDING ALL)');
$sources{east}->safe_psql('app', q{INSERT INTO old_orders SELECT i, 'old' || i, i FROM generate_series(1, 50) i});
my %two_tables = map { $_ => "$ENV{TESTDIR}/two_tables_$_.yaml" } qw(pg my);
foreach my $where (sort keys %two_tables)
{
	unlink($two_tables{$where});
	append_to_file($two_tables{$where}, "name: pair_$where\nsource: \"" . source_url($sources{east}) . "\"\n"
		. 'target: "' . ($where eq 'pg' ? target_url($target) : $my->url('app')) . "\"\n"
		. "jobs: 1\nrules:\n" . join('', map { <<"YAML" } qw(orders old_orders)));
  - table: public.$_
    into: pair.orders
    operations: [insert, update, delete]
    key: [shop, id]
    columns: { shop: { expr: "'$_'", type: varchar(10) } }
YAML
	my $killed = portage('run', '--config', $two_tables{$where}, '--copy-only',
		env => { PG_PORTAGE_FAILPOINT => 'copy-committed:kill' });
	is($killed->{signal}, 9, "$where: killed") || diag($killed->{err});
}
$sources{east}->safe_psql('app', q{DELETE FROM orders WHERE id % 3 = 0; DELETE FROM old_orders WHERE id % 3 = 0;
	INSERT INTO orders SELECT i, 'late' || i, 0 FROM generate_series(2001, 2010) i;
	INSERT INTO old_orders SELECT i, 'old' || i, 0 FROM generate_series(2001, 2010) i});
foreach my $where (sort keys %two_tables)
{
	portage_ok('run', '--config', $two_tables{$where}, '--copy-only');
	is(rows_on($where, 'SELECT shop, id, code, total FROM pair.orders ORDER BY shop, id'),
		join("\n", map { $sources{east}->safe_psql('app', "SELECT '$_', id, code, total FROM $_ ORDER BY id") }
			  qw(old_orders orders)), "$where: both tables, as of one moment");
}

# ---- rows that nobody accounts for
config($head . $key . "    operations: [insert, update, delete]\n");
$refused = portage('check', '--config', $file);
like($refused->{out} =~ s/\s+/ /gr, qr/the target has tables of the same names already: every\.orders/,
	'a table that nobody makes');

# ---- the same keys, and somebody wins
my @conflicts = qw(by_source by_target by_latest);
my %brought = (east => [ 1, 500 ], west => [ 301, 900 ]);

foreach my $name (sort keys %sources)
{
	my ($from, $to) = @{ $brought{$name} };
	# of equal ones the one that is there stays, and who that is nobody knows
	my $at = $name eq 'east' ? 'CASE WHEN i % 11 > 0 THEN i * 7919 % 101 * 2 END' : 'i * 7919 % 103 * 2 + 1';

	$sources{$name}->safe_psql('app', <<"SQL") foreach @conflicts;
CREATE TABLE $_ (id int PRIMARY KEY, who text, at int, note text);
INSERT INTO $_ SELECT i, '$name', $at, repeat('$name', i % 40)
	FROM generate_series($from, $to) i ORDER BY md5(i::text);
SQL
}

my $conflicts = <<'YAML';
rules:
  - table: public.by_source
    name: by_source
    target: [pg, my]
    into: every.by_source
    on_conflict: source_wins
    operations: [insert, update, delete]
  - table: public.by_target
    name: by_target
    target: [pg, my]
    into: every.by_target
    on_conflict: target_wins
    operations: [insert, update, delete]
  - table: public.by_latest
    name: by_latest
    target: [pg, my]
    into: every.by_latest
    where: id <> 400
    on_conflict: { latest_wins: at }
    operations: [insert, update, delete]
    ledger: keys
YAML

sub rows_of
{
	my ($which, $table) = @_;
	my $sql = "SELECT id, who, coalesce(at, -1), note FROM %s ORDER BY id";

	return $which eq 'pg'
	  ? $target->safe_psql('app', sprintf($sql, "every.$table"))
	  : join("\n", map { join('|', @$_) } $my->rows('app', sprintf($sql, "every__$table")));
}

# By key, what each source has.
sub versions
{
	my ($table) = @_;
	my %rows;

	foreach my $name (sort keys %sources)
	{
		push(@{ $rows{ (split(/\|/))[0] } }, $_)
		  foreach split(/\n/, $sources{$name}->safe_psql('app',
			"SELECT id, who, coalesce(at, -1), note FROM $table ORDER BY id"));
	}
	return \%rows;
}

sub conflicts_decided
{
	my ($when) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	foreach my $which (qw(pg my))
	{
		foreach my $table (@conflicts)
		{
			my $versions = versions($table);
			my %got = map { (split(/\|/))[0] => $_ } split(/\n/, rows_of($which, $table));
			my @wrong;

			delete $versions->{400} if $table eq 'by_latest';
			foreach my $id (sort { $a <=> $b } keys %$versions)
			{
				my @may = @{ $versions->{$id} };

				@may = (sort { (split(/\|/, $b))[2] <=> (split(/\|/, $a))[2] } @may)[0]
				  if $table eq 'by_latest';
				push(@wrong, "$id: " . ($got{$id} // 'nothing'))
				  unless grep { $_ eq ($got{$id} // '') } @may;
			}
			is("@wrong", '', "$when: $which: $table has a row of a source for each key");
			is(scalar(keys %got), scalar(keys %$versions), "$when: $which: and no others");
		}
	}
	return;
}

# Sums over both sources.
sub counted
{
	my ($which, $rule, $what) = @_;
	my $sql = "SELECT sum($what) FROM portage%sledger WHERE rule = '$rule'";

	return $which eq 'pg'
	  ? $target->safe_psql('app', sprintf($sql, '.'))
	  : $my->value('app', sprintf($sql, '_'));
}

sub counted_once
{
	my ($when) = @_;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	foreach my $which (qw(pg my))
	{
		foreach my $table (@conflicts)
		{
			my $versions = versions($table);
			my $both = grep { @{ $versions->{$_} } == 2 && !($table eq 'by_latest' && $_ == 400) } keys %$versions;

			is(counted($which, $table, 'overwritten + kept'),
				$both, "$when: $which: $table: each conflict is decided once");
			is(counted($which, $table, $table eq 'by_source' ? 'kept' : 'overwritten'),
				0, "$when: $which: $table: as the rule says")
			  unless $table eq 'by_latest';
		}
	}
	return;
}

# Between two tries: what was read by the first must not be what stays.
my $tries = 0;

sub change_sources
{
	my %own = (east => 10, west => 800);

	$tries++;
	foreach my $name (sort keys %sources)
	{
		my $id = $own{$name} + $tries;
		my $at = 20_000 + 2 * $tries + ($name eq 'east');

		$sources{$name}->safe_psql('app', <<"SQL") foreach @conflicts;
DELETE FROM $_ WHERE id = $id;
UPDATE $_ SET note = 'try $tries', at = $at WHERE id = $id + 20;
INSERT INTO $_ SELECT i, '$name', $at, 'try $tries' FROM generate_series(2000 + $tries * 10, 2004 + $tries * 10) i;
SQL
	}
	return;
}

$target->safe_psql('app', 'DROP SCHEMA every CASCADE');
$my->query('app', 'DROP TABLE every__orders');
config($conflicts);
unlike(portage('check', '--config', $file)->{out}, qr/conflict|same keys/, 'check has nothing to say of who wins');

# The first that has loaded its rows has not given the table back: the other waits.
my $process = portage_start('run', '--config', $file,
	env => {
		PG_PORTAGE_FAILPOINT => 'copy-loaded:pause',
		PG_PORTAGE_FAILPOINT_RESUME => "$ENV{TESTDIR}/nowhere"
	});
wait_for_err($process, qr/table every\.by_\w+: waiting for others who write to it/);
$process->kill9;
change_sources();
foreach my $point (qw(copy-loaded:2 copy-before-commit copy-committed copy-committed:2 copy-before-commit))
{
	my $killed = portage('run', '--config', $file,
		env => { PG_PORTAGE_FAILPOINT => $point =~ s/\A([^:]+)/$1:kill/r });

	# several copy at a time: by the last kills all may be there already
	ok($killed->{signal} == 9 || $killed->{rc} == 0, "killed at $point, or at the end")
	  || diag($killed->{err});
	change_sources();
}
portage_ok('run', '--config', $file);
conflicts_decided('copied');
counted_once('copied');
is($target->safe_psql('app', q{SELECT count(*) FROM portage.kept WHERE area LIKE 'ledger:%'}), 2,
	'rows that are left out are kept');
$sources{east}->safe_psql('app', "INSERT INTO $_ SELECT i, 'east', 10000 - i, 'e' FROM generate_series(1001, 1100) i")
  foreach @conflicts;
$sources{west}->safe_psql('app', "INSERT INTO $_ SELECT i, 'west', 9000 + i % 7, 'w' FROM generate_series(1051, 1200) i")
  foreach @conflicts;
portage_ok('run', '--config', $file);
conflicts_decided('streamed');
counted_once('streamed');

# ---- both have deleted it: there is nothing left for the second
foreach my $name (sort keys %sources)
{
	$sources{$name}->safe_psql('app', "DELETE FROM $_ WHERE id BETWEEN 1060 AND 1070") foreach @conflicts;
}
portage_ok('run', '--config', $file);
conflicts_decided('deleted by both');

done_testing();
