# Two sources that write to one table of each of two targets: created once, copied
# by both, each accounting for its own rows, and kept up to date.  Rows that nobody
# has brought are refused, and so are rules that would write the same keys.

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
my $file = "$ENV{TESTDIR}/shared.yaml";

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
	my ($rules) = @_;
	my $text = "name: app\nuntil: caught-up\nsources:\n";

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

# ---- rows that nobody accounts for
$refused = portage('check', '--config', $file);
like($refused->{out} =~ s/\s+/ /gr, qr/the target has tables of the same names already: every\.orders/,
	'a table that nobody makes');

done_testing();
