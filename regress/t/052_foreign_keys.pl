# Everything by which one write causes another: foreign keys with every action,
# to themselves, in circles, from and to partitioned tables; triggers that write
# elsewhere or change the row; rules. All of it is in the WAL as rows already, so
# on the target nothing may act a second time, whether the role may switch
# triggers off there or not. Three migrations of one source under load:
#
# managed   the target role may not set session_replication_role
# own       it may; some triggers fire even then
# quiet     it may; the tables with such triggers are left out

use strict;
use warnings;

use PortageFault;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = source_new('source', fsync => 0);
my %target = (managed => target_new('managed', databases => ['managed']));
$target{own} = $target{quiet} =
  target_new('own', databases => [ 'own', 'quiet' ], replica_role => 1);
my @names = sort keys %target;
my $left_out = 'public.watched*,public.replica*,public.ruled*';

$source->safe_psql('app', <<'SQL');
CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, version int NOT NULL DEFAULT 0);
CREATE TABLE orders (id bigserial PRIMARY KEY, n int NOT NULL DEFAULT 0,
	customer int NOT NULL REFERENCES customers ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE lines (order_id bigint REFERENCES orders ON DELETE CASCADE, number int, PRIMARY KEY (order_id, number));
CREATE TABLE notes (id bigserial PRIMARY KEY, customer int REFERENCES customers ON DELETE SET NULL ON UPDATE CASCADE,
	owner int DEFAULT 0 REFERENCES customers ON DELETE SET DEFAULT ON UPDATE CASCADE);
CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree ON DELETE CASCADE, n int NOT NULL DEFAULT 0);
CREATE TABLE left_ones (id int PRIMARY KEY, other int NOT NULL);
CREATE TABLE right_ones (id int PRIMARY KEY, other int NOT NULL REFERENCES left_ones DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE left_ones ADD FOREIGN KEY (other) REFERENCES right_ones ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE parts (id int PRIMARY KEY, customer int REFERENCES customers ON DELETE CASCADE ON UPDATE CASCADE) PARTITION BY RANGE (id);
CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (MINVALUE) TO (100);
CREATE TABLE parts_high PARTITION OF parts FOR VALUES FROM (100) TO (MAXVALUE);
CREATE TABLE of_parts (id bigserial PRIMARY KEY, part int REFERENCES parts ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE "not valid;" (id int PRIMARY KEY, tree int);
COMMENT ON CONSTRAINT orders_customer_fkey ON orders IS 'of; NOT VALID';

CREATE TABLE audit (id bigserial PRIMARY KEY, what text);
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.audit (what) VALUES (concat_ws(' ', TG_NAME, TG_OP, TG_TABLE_NAME));
	RETURN NULL;
END $$;
CREATE FUNCTION newer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.version := NEW.version + 1;
	NEW.name := upper(NEW.name);
	RETURN NEW;
END $$;
CREATE FUNCTION deny() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'a replica is not written to';
END $$;
CREATE TRIGGER newer BEFORE INSERT OR UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION newer();
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON customers FOR EACH ROW EXECUTE FUNCTION audit();
CREATE CONSTRAINT TRIGGER audited_late AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION audit();
CREATE TRIGGER audited_parts AFTER DELETE ON parts FOR EACH ROW EXECUTE FUNCTION audit();

CREATE TABLE watched (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);
CREATE TRIGGER always AFTER UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION audit();
ALTER TABLE watched ENABLE ALWAYS TRIGGER always;
CREATE TABLE replicas (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);
CREATE TRIGGER replica BEFORE INSERT OR UPDATE OR DELETE ON replicas FOR EACH ROW EXECUTE FUNCTION deny();
ALTER TABLE replicas ENABLE REPLICA TRIGGER replica;
CREATE TABLE ruled (id bigserial PRIMARY KEY, n int);
CREATE TABLE ruled_log (n int, t text);
CREATE RULE also AS ON INSERT TO ruled DO ALSO INSERT INTO ruled_log VALUES (NEW.n, 'also');
CREATE RULE always AS ON UPDATE TO ruled DO ALSO INSERT INTO ruled_log VALUES (NEW.n, 'always');
ALTER TABLE ruled ENABLE ALWAYS RULE always;
CREATE RULE nothing AS ON DELETE TO watched WHERE OLD.id < 10 DO INSTEAD NOTHING;

INSERT INTO customers SELECT i, 'customer ' || i FROM generate_series(0, 300) i;
INSERT INTO orders (customer) SELECT i % 300 + 1 FROM generate_series(1, 600) i;
INSERT INTO lines SELECT id, i FROM orders, generate_series(1, 2) i;
INSERT INTO notes (customer, owner) SELECT i, i + 1 FROM generate_series(1, 250) i;
INSERT INTO tree SELECT i, nullif(i / 3, 0) FROM generate_series(1, 600) i;
BEGIN;
INSERT INTO left_ones SELECT i, i FROM generate_series(1, 200) i;
INSERT INTO right_ones SELECT i, i FROM generate_series(1, 200) i;
COMMIT;
INSERT INTO parts SELECT i, i FROM generate_series(1, 250) i;
INSERT INTO of_parts (part) SELECT id FROM parts, generate_series(1, 2);
-- not valid on the source, and so to stay: one row refers to nothing
INSERT INTO "not valid;" VALUES (1, -1);
ALTER TABLE "not valid;" ADD CONSTRAINT "a;b" FOREIGN KEY (tree) REFERENCES tree NOT VALID;
INSERT INTO watched SELECT generate_series(1, 50);
INSERT INTO replicas SELECT generate_series(1, 50);
INSERT INTO ruled (n) SELECT generate_series(1, 50);
UPDATE ruled SET n = n + 1;
SQL

my $churn = PostgreSQL::Test::Utils::tempdir() . '/churn.sql';
PostgreSQL::Test::Utils::append_to_file($churn, <<'SQL');
\set c random(1, 300)
\set t random(2, 600)
\set p random(1, 250)
\set s random(1, 50)
\set kind random(1, 3)
BEGIN;
INSERT INTO customers VALUES (:c, 'again') ON CONFLICT (id) DO UPDATE SET name = 'changed';
INSERT INTO orders (customer) VALUES (:c), (:c);
INSERT INTO lines SELECT max(id), 1 FROM orders;
UPDATE orders SET n = n + 1 WHERE customer = :c;
INSERT INTO notes (customer, owner) VALUES (:c, :c);
INSERT INTO tree SELECT :t, (SELECT id FROM tree WHERE id < :t ORDER BY id DESC LIMIT 1) ON CONFLICT (id) DO UPDATE SET n = tree.n + 1;
INSERT INTO parts VALUES (:p, :c) ON CONFLICT (id) DO UPDATE SET customer = EXCLUDED.customer;
INSERT INTO of_parts (part) VALUES (:p);
UPDATE watched SET n = n + 1 WHERE id = :s;
DELETE FROM watched WHERE id = 1;
UPDATE replicas SET n = n + 1 WHERE id = :s;
INSERT INTO ruled (n) VALUES (:s);
UPDATE ruled SET n = n + 1 WHERE id = :s;
\if :kind = 1
DELETE FROM customers WHERE id = :c;
DELETE FROM tree WHERE id = :t;
DELETE FROM parts WHERE id = :p;
\elif :kind = 2
UPDATE customers SET id = 1000000 + :c WHERE id = :c AND NOT EXISTS (SELECT FROM customers WHERE id = 1000000 + :c);
UPDATE parts SET id = id + 50 WHERE id = :p AND NOT EXISTS (SELECT FROM parts WHERE id = :p + 50);
\else
DELETE FROM right_ones WHERE id = :p;
INSERT INTO left_ones VALUES (:p, :p) ON CONFLICT (id) DO NOTHING;
INSERT INTO right_ones VALUES (:p, :p) ON CONFLICT (id) DO NOTHING;
\endif
COMMIT;
SQL

my @always = map { "public.$_" } qw(watched replicas ruled ruled_log);
my @tables = map { "public.$_" } qw(customers orders lines notes tree left_ones
  right_ones parts_low parts_high of_parts "not_valid;" audit);
s/not_valid/not valid/ foreach @tables;

sub ends
{
	my ($name) = @_;
	return ('--source', source_url($source, 'app'),
		'--target', target_url($target{$name}, $name), '--name', $name);
}

sub run_arguments
{
	my ($name) = @_;
	return ('run', ends($name), '--jobs', 2,
		$name eq 'quiet' ? ('--exclude-tables', $left_out) : ());
}

sub ask
{
	my ($name, $sql) = @_;
	return $target{$name}->safe_psql($name, $sql);
}

# ---- under load
my $load = pgbench_start($source, 'app', clients => 1,
	args => [ '--rate' => 80, '--file' => $churn ]);
wait_for(
	sub {
		die $load->stderr unless $load->running;
		$source->safe_psql('app', 'SELECT max(id) > 650 FROM orders') eq 't';
	},
	'the load to write');
my %process = map { $_ => portage_start(run_arguments($_)) } @names;
foreach my $name (@names)
{
	wait_for_stream($target{$name}, $name, $name, $process{$name});
	my $seen = progress_row($target{$name}, $name, $name)->{transactions};
	wait_for(
		sub {
			progress_row($target{$name}, $name, $name)->{transactions} > $seen + 200;
		},
		"$name to follow the load");
}

# ---- what is there meanwhile
my $keys = q{SELECT count(*) FROM pg_constraint WHERE contype = 'f'
	AND connamespace = 'public'::regnamespace AND conparentid = 0};
my $triggers = q{SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal};
my $rules = q{SELECT count(*) FROM pg_rules WHERE schemaname = 'public'};
my $all_keys = $source->safe_psql('app', $keys);
my $all_triggers = $source->safe_psql('app', $triggers);
cmp_ok($all_keys, '>', 9, 'there are foreign keys');
is(ask('managed', $keys), 0, 'managed: none is there while the stream runs');
is(ask($_, $keys), $all_keys, "$_: they are there") foreach qw(own quiet);
is(ask($_, $triggers), 0, "$_: no trigger is there") foreach qw(managed own);
is(ask('quiet', $triggers), $all_triggers - 2, 'quiet: triggers are there');
is(ask('managed', $rules), 0, 'managed: no rule is there');
is(ask('own', $rules), 2, 'own: only the rules that do not act now');

ok($load->running, 'the load has written all the time') || diag($load->stderr);
pgbench_stop($source, $load);

# One statement each, with the load gone: what it does is known.
$source->safe_psql('app', $_) foreach (
	# A gap in the ids, as a statement leaves that the end of the load interrupts.
	q{SELECT count(nextval('audit_id_seq')) FROM generate_series(1, 500)},
	'DELETE FROM tree WHERE id = 1',
	'INSERT INTO tree VALUES (701, NULL), (704, 701), (705, 704), (706, 705)',
	'UPDATE customers SET id = -id',
	'DELETE FROM customers WHERE id < -200',
	'TRUNCATE left_ones, right_ones',
	'BEGIN; INSERT INTO left_ones VALUES (7, 8); INSERT INTO right_ones VALUES (8, 7); COMMIT',
	'DELETE FROM parts WHERE id % 10 = 0');
foreach my $name (@names)
{
	wait_for_applied($source, $target{$name}, $name, $name);
	$process{$name}->term;
	is($process{$name}->wait_exit->{rc}, 0, "$name: stopped");
	unlike($process{$name}->stderr, qr/error:/, 'all went well');
}

# ---- finish
my @values = $source->safe_psql('app', q{SELECT sequencename, last_value
	FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1});
foreach my $name (@names)
{
	portage_ok(run_arguments($name), '--until', 'caught-up');
	my $result = portage_ok('finish', ends($name));
	my @all = (@tables, $name eq 'quiet' ? () : @always);
	tables_equal($source, 'app', $target{$name}, $name, @all);
	is(ask($name, $keys), $all_keys, "$name: every foreign key is there");
	is( ask($name, q{SELECT string_agg(conname, ' ') FROM pg_constraint
			WHERE NOT convalidated}),
		'a;b', 'and validated, but for the one that is not on the source');
	my $adding = () = $result->{err} =~ /adding foreign key/g;
	is($adding, $name eq 'managed' ? $all_keys : 0, 'added one by one');
	next if $name eq 'quiet';

	schemas_equal($source, 'app', $target{$name}, $name);
	is( ask($name, q{SELECT sequencename, last_value FROM pg_sequences
			WHERE schemaname = 'public' ORDER BY 1}),
		$values[0], 'sequences are where they were');
}

# ---- now everything acts
foreach my $name (@names)
{
	is(ask($name, <<'SQL'), "ACTS 1|0|1\n-3|-3\nt\n1", "$name: triggers and foreign keys act");
BEGIN;
CREATE TEMP TABLE before AS SELECT coalesce(max(id), 0) AS newest FROM audit;
INSERT INTO customers VALUES (-1000, 'acts');
INSERT INTO tree VALUES (9000, NULL), (9001, 9000);
DELETE FROM tree WHERE id = 9000;
SELECT concat_ws(' ', name, version), (SELECT count(*) FROM tree WHERE id >= 9000),
	(SELECT count(*) FROM audit, before WHERE id > newest) FROM customers WHERE id = -1000;
INSERT INTO parts VALUES (-3, -1000);
INSERT INTO of_parts (part) VALUES (-3);
UPDATE parts SET id = -3 WHERE id = -3;
SELECT p.id, o.part FROM parts p JOIN of_parts o ON o.part = p.id WHERE p.id = -3;
DELETE FROM customers WHERE id = -1000;
SELECT NOT EXISTS (SELECT FROM of_parts WHERE part = -3);
SELECT count(*) FROM audit WHERE what = 'audited_parts DELETE parts_low' AND id > (SELECT newest FROM before);
ROLLBACK;
SQL
	foreach my $wrong (
		'INSERT INTO lines VALUES (-1, 1)',
		'INSERT INTO of_parts (part) VALUES (99999)',
		'INSERT INTO parts VALUES (-9, 99999)',
		'INSERT INTO left_ones VALUES (-1, -1)')
	{
		my ($rc, undef, $err) = $target{$name}->psql($name, $wrong);
		isnt($rc, 0, "$name: refused: $wrong");
		like($err, qr/violates foreign key constraint/, 'by its foreign key');
	}
}

done_testing();
