# What newer servers have and 15 has not: the same script runs on every version,
# with what its server knows, and what an older one does instead is asserted too.

use strict;
use warnings;

use PortageFault;
use PortageTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = source_new('source');
my $target = target_new('target');
my @ends = endpoints($source, $target);
my @run = ('run', @ends, '--until', 'caught-up');
my $version = $source->pg_version;
my @tables;

# What a server is asked only if it knows it; refused by the others.
sub since
{
	my ($since, $sql, @made) = @_;

	if ($version >= $since)
	{
		$source->safe_psql('app', $sql);
		push @tables, @made;
		return 1;
	}
	my ($rc) = $source->psql('app', "BEGIN; $sql ROLLBACK");
	isnt($rc, 0, "not before $since: " . substr($sql, 0, 50));
	return 0;
}

$source->safe_psql('app', <<'SQL');
CREATE EXTENSION btree_gist;
CREATE TABLE parents (id int PRIMARY KEY, v text);
CREATE TABLE years (id int NOT NULL, y int NOT NULL, v text, PRIMARY KEY (id, y)) PARTITION BY RANGE (y);
CREATE TABLE years_old PARTITION OF years FOR VALUES FROM (0) TO (2000);
CREATE TABLE years_new PARTITION OF years FOR VALUES FROM (2000) TO (3000);
CREATE TABLE stored (id int PRIMARY KEY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED);
-- from 17 on the partitions have the identity as well
CREATE TABLE counted (id bigint GENERATED ALWAYS AS IDENTITY (START 10), y int, v text, PRIMARY KEY (id, y)) PARTITION BY LIST (y);
CREATE TABLE counted_1 PARTITION OF counted FOR VALUES IN (1);
CREATE TABLE counted_2 PARTITION OF counted FOR VALUES IN (2);
INSERT INTO counted (y, v) SELECT 1 + i % 2, 'v' || i FROM generate_series(1, 30) i;
INSERT INTO parents SELECT i, 'v' || i FROM generate_series(1, 50) i;
INSERT INTO years SELECT i, 1980 + i, 'v' FROM generate_series(1, 40) i;
INSERT INTO stored SELECT i, i FROM generate_series(1, 40) i;
SQL
@tables = qw(parents years stored counted);

since(17, <<'SQL', 'spans');
CREATE TABLE spans (id int PRIMARY KEY, i interval, j interval);
INSERT INTO spans VALUES (1, 'infinity', '1 day'), (2, '-infinity', 'infinity'), (3, NULL, '-1 mon');
SQL
since(17, q{CREATE TABLE sorted (id int PRIMARY KEY, v text COLLATE pg_c_utf8); INSERT INTO sorted VALUES (1, 'ä'), (2, 'z');}, 'sorted');
since(18, <<'SQL', 'virtual', 'virtual_full');
CREATE TABLE virtual (id int PRIMARY KEY, a int, twice int GENERATED ALWAYS AS (a * 2) VIRTUAL, b text, len int GENERATED ALWAYS AS (length(b)), kept int GENERATED ALWAYS AS (a + 1) STORED);
CREATE TABLE virtual_full (a int, twice int GENERATED ALWAYS AS (a * 2) VIRTUAL, b text);
ALTER TABLE virtual_full REPLICA IDENTITY FULL;
INSERT INTO virtual (id, a, b) SELECT i, i, 'b' || i FROM generate_series(1, 40) i;
INSERT INTO virtual_full (a, b) SELECT i, 'b' || i FROM generate_series(1, 40) i;
SQL
since(18, <<'SQL', 'named', 'heir');
CREATE TABLE named (id int PRIMARY KEY, a int CONSTRAINT "a must be" NOT NULL, b int CONSTRAINT here_only NOT NULL NO INHERIT, c int);
CREATE TABLE heir (PRIMARY KEY (id)) INHERITS (named);
INSERT INTO named VALUES (1, 1, 1, NULL), (2, 2, 2, 2); INSERT INTO heir VALUES (3, 3, NULL, NULL);
ALTER TABLE ONLY named ADD CONSTRAINT from_now_on NOT NULL c NO INHERIT NOT VALID;
SQL
since(18, <<'SQL', 'lax');
CREATE TABLE lax (id int PRIMARY KEY, parent int CONSTRAINT lax_parent REFERENCES parents NOT ENFORCED, a int CONSTRAINT lax_a CHECK (a > 0) NOT ENFORCED);
INSERT INTO lax VALUES (1, 4711, -1), (2, 2, 2);
SQL
since(18, <<'SQL', 'prices', 'sales');
CREATE TABLE prices (id int, during daterange, v text, PRIMARY KEY (id, during WITHOUT OVERLAPS));
CREATE TABLE sales (id int PRIMARY KEY, price int, during daterange, CONSTRAINT sales_price FOREIGN KEY (price, PERIOD during) REFERENCES prices (id, PERIOD during));
INSERT INTO prices SELECT i, daterange('2026-01-01', '2026-07-01'), 'a' || i FROM generate_series(1, 20) i;
INSERT INTO prices SELECT i, daterange('2026-07-01', '2027-01-01'), 'b' || i FROM generate_series(1, 20) i;
INSERT INTO sales SELECT i, i, daterange('2026-06-01', '2026-08-01') FROM generate_series(1, 20) i;
SQL
since(18, <<'SQL', 'parts');
CREATE TABLE parts (id int PRIMARY KEY, parent int) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100);
INSERT INTO parts SELECT i, i FROM generate_series(1, 30) i; INSERT INTO parts VALUES (99, 4711);
ALTER TABLE parts ADD CONSTRAINT parts_parent FOREIGN KEY (parent) REFERENCES parents NOT VALID;
SQL

portage_ok('check', @ends);
portage_ok(@run);
tables_equal($source, 'app', $target, 'app', map { "public.$_" } @tables);

# ---- changes, by every identity
sub carried
{
	my ($since, $what, $sql) = @_;

	return if $version < $since;
	$source->safe_psql('app', $sql);
	my $result = portage(@run);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($result->{rc}, 0, $what) || diag($result->{err});
	tables_equal($source, 'app', $target, 'app', map { "public.$_" } @tables);
	return;
}
carried(13, 'rows of all versions', <<'SQL');
UPDATE years SET y = y + 30 WHERE id % 3 = 0; UPDATE stored SET a = -a; DELETE FROM parents WHERE id > 45;
INSERT INTO counted (y, v) VALUES (1, 'new'), (2, 'new'); UPDATE counted SET y = 3 - y WHERE id % 3 = 0; UPDATE counted SET id = DEFAULT WHERE id = 12;
SQL
carried(17, 'infinite intervals, the builtin collation', <<'SQL');
UPDATE spans SET j = '-infinity', i = '1 mon' WHERE id = 1; INSERT INTO spans VALUES (4, 'infinity', '-infinity');
UPDATE sorted SET v = upper(v);
SQL
carried(18, 'virtual columns, no rows of theirs anywhere', <<'SQL');
UPDATE virtual SET a = a + 100 WHERE id % 2 = 0; UPDATE virtual SET b = 'longer' || b WHERE id < 5; INSERT INTO virtual (id, a) VALUES (100, 1);
DELETE FROM virtual WHERE id = 7; UPDATE virtual_full SET a = -a WHERE a % 3 = 0; DELETE FROM virtual_full WHERE twice = 20; INSERT INTO virtual_full (b) VALUES ('x');
UPDATE named SET b = b + 1 WHERE id = 2; INSERT INTO heir VALUES (4, 4, NULL, NULL); UPDATE lax SET a = -5, parent = 4712 WHERE id = 2; INSERT INTO lax VALUES (3, -3, -3);
SQL
carried(18, 'keys that are periods', <<'SQL');
UPDATE prices SET v = v || '!' WHERE id < 5; UPDATE prices SET during = daterange('2026-07-01', '2026-12-01') WHERE id = 3 AND during @> date '2026-07-01';
DELETE FROM sales WHERE id = 9; DELETE FROM prices WHERE id = 9 AND during @> date '2026-07-01'; INSERT INTO prices VALUES (9, daterange('2026-09-01', '2026-10-01'), 'c');
INSERT INTO parts VALUES (50, 5); UPDATE parts SET parent = 6 WHERE id = 3;
SQL

# ---- commands
carried(13, 'a partition beside those with an identity', <<'SQL');
ALTER TABLE counted ADD w int DEFAULT 4; CREATE TABLE counted_3 PARTITION OF counted FOR VALUES IN (3); INSERT INTO counted (y, v) VALUES (3, 'third');
SQL
carried(13, 'what is rebuilt is none of the target\'s business', 'REINDEX TABLE parents; REINDEX TABLE CONCURRENTLY stored; VACUUM FULL years; UPDATE parents SET v = id');
carried(17, 'commands of 17', <<'SQL');
ALTER TABLE stored ALTER twice SET EXPRESSION AS (a * 3); UPDATE stored SET a = 5 WHERE id < 4;
MERGE INTO parents p USING (VALUES (1, 'merged'), (60, 'new')) s(id, v) ON p.id = s.id WHEN MATCHED THEN UPDATE SET v = s.v
	WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.v) WHEN NOT MATCHED BY SOURCE AND p.id = 40 THEN DELETE;
SQL
carried(18, 'commands of 18', <<'SQL');
ALTER TABLE virtual ADD thrice int GENERATED ALWAYS AS (a * 3) VIRTUAL; UPDATE virtual SET a = 3 WHERE id = 3; ALTER TABLE virtual ALTER twice SET EXPRESSION AS (a * 4);
ALTER TABLE virtual DROP twice; UPDATE virtual SET a = 4 WHERE id = 4; CREATE TABLE virtual_later (id int PRIMARY KEY, g int GENERATED ALWAYS AS (id + 1)); INSERT INTO virtual_later VALUES (1);
ALTER TABLE named RENAME CONSTRAINT "a must be" TO a_is; ALTER TABLE named DROP CONSTRAINT here_only, ALTER COLUMN id SET STATISTICS DEFAULT; INSERT INTO named VALUES (10, 1, NULL, 1);
ALTER TABLE lax ADD CONSTRAINT again FOREIGN KEY (a) REFERENCES parents NOT ENFORCED, ADD CONSTRAINT lax_id NOT NULL parent NOT VALID; UPDATE lax SET a = -6 WHERE id = 2;
SQL
push @tables, 'virtual_later' if $version >= 18;

# ---- finish
portage_ok('finish', @ends);
tables_equal($source, 'app', $target, 'app', map { "public.$_" } @tables);
schemas_equal($source, 'app', $target, 'app');
my $constraints = q{SELECT string_agg(format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)), E'\n'
	ORDER BY conrelid::regclass::text, conname) FROM pg_constraint WHERE connamespace = 'public'::regnamespace};
is($target->safe_psql('app', $constraints), $source->safe_psql('app', $constraints),
	'every constraint, with its name and whether it is valid and enforced');
my $identity = q{SELECT string_agg(attrelid::regclass || '.' || attname || attidentity::text, ' ' ORDER BY attrelid::regclass::text)
	FROM pg_attribute WHERE attidentity <> '' AND attrelid >= 16384 AND attrelid::regclass::text NOT LIKE 'portage.%'};
is($target->safe_psql('app', $identity), $source->safe_psql('app', $identity), 'identities are as they were');

done_testing();
