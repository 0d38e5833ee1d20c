# The schema: what the source has is on the target, for the tables that were
# asked for, whatever they are called; a target that holds something already is
# left as it is.

use strict;
use warnings;

use PortageTest;
use Test::More;

my @databases = ('app', 'some', 'most', 'full', 'rows');
my $source = source_new('source', databases => [ 'app', 'full' ]);
my $target = target_new('target', databases => \@databases);

sub run_to
{
	my ($from, $to, @more) = @_;
	return (
		'run', '--source', source_url($source, $from),
		'--target', target_url($target, $to), '--name', $to, '--until',
		'caught-up', @more);
}

$source->safe_psql('app', <<'SQL');
CREATE EXTENSION hstore; CREATE EXTENSION btree_gist; CREATE EXTENSION pgcrypto;
CREATE SCHEMA sales; CREATE SCHEMA "Nasty ""schema"".x;";
COMMENT ON SCHEMA sales IS 'what is sold';
CREATE TYPE sales.state AS ENUM ('new', 'paid'); CREATE DOMAIN sales.amount AS numeric(10,2) CHECK (VALUE >= 0);
CREATE TYPE sales.pair AS (a int, b sales.state);
CREATE COLLATION sales.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE SEQUENCE sales.free START 100 INCREMENT 7 MAXVALUE 100000 CYCLE; SELECT nextval('sales.free'), nextval('sales.free');
CREATE SEQUENCE sales.unused START 42; CREATE SEQUENCE sales.down INCREMENT -1; SELECT nextval('sales.down');
CREATE FUNCTION sales.touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NEW.touched := NEW.touched + 1; RETURN NEW; -- a comment; with 'quotes'
END $$;
CREATE FUNCTION sales.deep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM 1; RETURN NULL; END';
CREATE FUNCTION sales.twice(int) RETURNS int LANGUAGE sql IMMUTABLE RETURN $1 * 2;
CREATE PROCEDURE sales.nothing() LANGUAGE sql AS '';
CREATE AGGREGATE sales.total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE OPERATOR sales.### (LEFTARG = int, RIGHTARG = int, FUNCTION = int4pl);
CREATE CAST (sales.pair AS text) WITH INOUT;
CREATE TABLE sales.customers (id serial PRIMARY KEY, name text COLLATE sales.ci UNIQUE, tags hstore, touched int NOT NULL DEFAULT 0,
	secret bytea DEFAULT public.digest('x', 'sha256'), CHECK (touched >= 0));
CREATE TABLE sales.orders (id bigint GENERATED ALWAYS AS IDENTITY (START 1000 INCREMENT 10) PRIMARY KEY,
	customer int NOT NULL REFERENCES sales.customers ON DELETE CASCADE, s sales.state DEFAULT 'new', a sales.amount, p sales.pair,
	during tstzrange, twice int GENERATED ALWAYS AS (customer * 2) STORED,
	EXCLUDE USING gist (customer WITH =, during WITH &&));
CREATE TABLE sales.lines (order_id bigint, n int, PRIMARY KEY (order_id, n), FOREIGN KEY (order_id) REFERENCES sales.orders DEFERRABLE INITIALLY DEFERRED);
CREATE INDEX orders_state ON sales.orders (s) WHERE s <> 'paid'; CREATE INDEX orders_expr ON sales.orders (sales.twice(customer)) INCLUDE (a);
CREATE INDEX tags ON sales.customers USING gin (tags); CREATE STATISTICS sales.st ON customer, s FROM sales.orders;
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON sales.customers FOR EACH ROW EXECUTE FUNCTION sales.touch();
CREATE CONSTRAINT TRIGGER deep AFTER INSERT ON sales.orders DEFERRABLE FOR EACH ROW EXECUTE FUNCTION sales.deep();
ALTER TABLE sales.lines CLUSTER ON lines_pkey; ALTER TABLE sales.orders ALTER a SET STATISTICS 500;
CREATE VIEW sales.paid AS SELECT o.id, c.name FROM sales.orders o JOIN sales.customers c ON c.id = o.customer WHERE s = 'paid';
CREATE MATERIALIZED VIEW sales.counts AS SELECT customer, count(*) AS n FROM sales.orders GROUP BY 1; CREATE UNIQUE INDEX counts_key ON sales.counts (customer);
CREATE RULE hide AS ON DELETE TO sales.paid DO INSTEAD NOTHING;
COMMENT ON TABLE sales.orders IS 'it''s; "quoted"
and of two lines'; COMMENT ON COLUMN sales.orders.s IS 'state'; COMMENT ON FUNCTION sales.twice(int) IS 'doubles';
COMMENT ON INDEX sales.tags IS 'index'; COMMENT ON CONSTRAINT lines_pkey ON sales.lines IS 'key'; COMMENT ON TRIGGER touch ON sales.customers IS 'trigger';
CREATE TABLE sales.by_year (id int, y int, PRIMARY KEY (id, y)) PARTITION BY LIST (y);
CREATE TABLE sales.y2020 PARTITION OF sales.by_year FOR VALUES IN (2020); CREATE TABLE sales.y_rest PARTITION OF sales.by_year DEFAULT;
CREATE INDEX by_year_id ON sales.by_year (id);
CREATE UNLOGGED TABLE sales.scratch (i int); CREATE TABLE sales.secure (id int PRIMARY KEY, owner text);
CREATE POLICY own ON sales.secure USING (owner = current_user);
CREATE TABLE public.log_a (id int PRIMARY KEY, v text); CREATE TABLE public.log_b (id int PRIMARY KEY, v text); CREATE TABLE public.data (id int PRIMARY KEY, v text);
CREATE TABLE "Nasty ""schema"".x;"."Table, with; '$$ -- /*" ("a;b" int PRIMARY KEY, "c""d" text DEFAULT '; -- $$', "E" text CHECK ("E" <> 'a;b'));
CREATE INDEX "index; ""x""" ON "Nasty ""schema"".x;"."Table, with; '$$ -- /*" ("c""d");
CREATE FUNCTION "Nasty ""schema"".x;"."f(;)"("p;q" text DEFAULT ';') RETURNS text LANGUAGE sql AS $f$ SELECT ';' || $1 || $$; -- $$ $f$;
INSERT INTO sales.customers (name, tags) SELECT 'n' || i, hstore('k', i::text) FROM generate_series(1, 50) i;
INSERT INTO sales.orders (customer, s, a, p) SELECT i % 50 + 1, 'paid', i, ROW(i, 'new')::sales.pair FROM generate_series(1, 200) i;
INSERT INTO sales.lines SELECT id, 1 FROM sales.orders; INSERT INTO sales.by_year SELECT i, 2019 + i % 3 FROM generate_series(1, 90) i;
INSERT INTO sales.secure VALUES (1, 'x'); INSERT INTO sales.scratch VALUES (1);
INSERT INTO public.log_a VALUES (1, 'a'); INSERT INTO public.log_b VALUES (1, 'b'); INSERT INTO public.data VALUES (1, 'd');
INSERT INTO "Nasty ""schema"".x;"."Table, with; '$$ -- /*" SELECT i FROM generate_series(1, 30) i;
REFRESH MATERIALIZED VIEW sales.counts;
SQL

my $nasty = q{"Nasty ""schema"".x;"."Table, with; '$$ -- /*"};
my @tables = (qw(sales.customers sales.orders sales.lines sales.by_year
	sales.secure public.log_a public.log_b public.data), $nasty);

portage_ok(run_to('app', 'app'));
tables_equal($source, 'app', $target, 'app', @tables);

# Before the end some things wait; then nothing is missing.
my $sequences = q{SELECT string_agg(format('%s %s %s', s.schemaname, s.sequencename, last_value), E'\n'
	ORDER BY 1, s.schemaname, s.sequencename) FROM pg_sequences s WHERE schemaname <> 'portage'};
$source->safe_psql('app', q{INSERT INTO sales.customers (name) VALUES ('later'); SELECT nextval('sales.free');
	UPDATE sales.customers SET tags = 'a=>1' WHERE id = 3; DELETE FROM sales.lines WHERE order_id % 3 = 0});
portage_ok(run_to('app', 'app'));
tables_equal($source, 'app', $target, 'app', @tables);
my $again = portage_ok(run_to('app', 'app'));
unlike($again->{err}, qr/copy:/, 'what is copied is not copied again');
tables_equal($source, 'app', $target, 'app', @tables);
portage_ok('finish', '--source', source_url($source, 'app'), '--target', target_url($target, 'app'), '--name', 'app');
schemas_equal($source, 'app', $target, 'app');
is($target->safe_psql('app', q{SELECT count(*) FROM pg_constraint WHERE NOT convalidated}), '0',
	'every constraint is validated');
is( $target->safe_psql('app', q{SELECT count(*) FROM pg_index WHERE NOT indisvalid}), '0',
	'and every index valid');
is($target->safe_psql('app', $sequences), $source->safe_psql('app', $sequences), 'sequences are where they were');
is($target->safe_psql('app', q{SELECT is_called FROM sales.unused}), 'f', 'one that was never used is not');
is($target->safe_psql('app', q{SELECT count(*) FROM pg_extension WHERE extname IN ('hstore', 'btree_gist', 'pgcrypto')}),
	'3', 'the extensions are there');
is($target->safe_psql('app', q{SELECT count(*) FROM pg_extension WHERE extname = 'pg_portage'}), '0', 'ours is not');
is($target->safe_psql('app', q{SELECT count(*) FROM sales.scratch}), '0', 'an unlogged table is empty');
$target->safe_psql('app', q{INSERT INTO sales.customers (name) VALUES ('by default')});
is($target->safe_psql('app', q{SELECT id || ' ' || touched FROM sales.customers WHERE name = 'by default'}),
	'52 1', 'the next value and the trigger are the source\'s');

# A part of the tables: the same one for schema, copy and stream.
my %selection = (
	some => [
		[ '--tables', 'public.log_*,data' ],
		[qw(public.log_a public.log_b public.data)],
		[ 'sales.orders', 'sales.customers' ]
	],
	most => [
		[ '--tables', 'public.*,sales.by_year', '--exclude-tables', 'log_b,nosuch.*' ],
		[qw(public.log_a public.data sales.by_year sales.y2020 sales.y_rest)],
		[ 'public.log_b', 'sales.orders' ]
	]);
foreach my $database (sort keys %selection)
{
	my ($options, $chosen, $others) = @{ $selection{$database} };
	portage_ok(run_to('app', $database, @$options));
	tables_equal($source, 'app', $target, $database, @$chosen);
	$source->safe_psql('app', <<"SQL");
UPDATE log_a SET v = v || '$database'; UPDATE log_b SET v = v || '$database'; INSERT INTO data SELECT max(id) + 1 FROM data;
UPDATE sales.orders SET a = a + 1; DELETE FROM sales.by_year WHERE id % 17 = 0; TRUNCATE sales.lines, log_b; INSERT INTO log_b VALUES (7, 'x');
SQL
	portage_ok(run_to('app', $database, @$options));
	tables_equal($source, 'app', $target, $database, @$chosen);
	is($target->safe_psql($database, qq{SELECT to_regclass('$_')}), '', "$database: $_ is not there")
	  foreach @$others;
}

# A target that is not empty: refused, and as it was before.
$source->safe_psql('full', 'CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2); INSERT INTO u VALUES (1)');
foreach my $case (
	[ 'full', 'CREATE TABLE t (other text)' ],
	[ 'rows', q{CREATE TABLE u (id int PRIMARY KEY); INSERT INTO u VALUES (77)} ])
{
	my ($database, $sql) = @$case;
	$target->safe_psql($database, $sql);
	my $before = schema_of($target, $database);
	my $result = portage_fails(4, run_to('full', $database));
	like($result->{err}, qr/\[P0401\]/, "$database: says why");
	is(schema_of($target, $database), $before, "$database: the schema is as it was");
	is($target->safe_psql($database, q{SELECT to_regnamespace('portage')}), '', "$database: no state is left");
	is(slot_row($source, "portage_$database"), undef, "$database: no slot is left");
}
is($target->safe_psql('rows', 'SELECT id FROM u'), '77', 'nor was a row touched');

done_testing();
