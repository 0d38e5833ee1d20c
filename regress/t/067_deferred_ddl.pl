# DDL in the stream on what waits for finish, for a role that may not switch
# triggers off: foreign keys, triggers, rules, forced row security are not on the
# target, and commands change them, what they stand on or what they speak of.
# After finish the schemas are equal, by pg_dump.

use strict;
use warnings;

use PortageFault;
use PortageTest;
use Test::More;

my $source = source_new('source', fsync => 0);
my $target = target_new('target', databases => [], fsync => 0);
my @run = ('run', endpoints($source, $target), '--until', 'caught-up');

sub on_source { return $source->safe_psql('app', @_); }
sub on_target { return $target->safe_psql('app', @_); }

on_source(<<'SQL');
CREATE TABLE parent (id int PRIMARY KEY, code text UNIQUE, v text);
CREATE TABLE child (id int PRIMARY KEY, parent int CONSTRAINT to_parent REFERENCES parent ON DELETE CASCADE ON UPDATE CASCADE,
	code text CONSTRAINT to_code REFERENCES parent (code) ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED, n int);
CREATE TABLE tree (id int PRIMARY KEY, up int CONSTRAINT to_up REFERENCES tree);
CREATE TABLE logged (id int PRIMARY KEY, v text); CREATE TABLE log (id int, v text, at timestamptz DEFAULT now());
ALTER TABLE log REPLICA IDENTITY FULL;
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO log VALUES (NEW.id, TG_NAME); RETURN NEW; END$$;
CREATE TRIGGER first AFTER INSERT OR UPDATE OF v ON logged FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER second AFTER UPDATE ON logged FOR EACH ROW WHEN (OLD.v IS DISTINCT FROM NEW.v) EXECUTE FUNCTION note();
CREATE TRIGGER third AFTER DELETE ON logged FOR EACH STATEMENT EXECUTE FUNCTION note(); ALTER TABLE logged DISABLE TRIGGER third;
CREATE TABLE ruled (id int PRIMARY KEY, v text, w text);
CREATE RULE also AS ON INSERT TO ruled DO ALSO INSERT INTO log VALUES (NEW.id, NEW.v);
CREATE RULE instead AS ON DELETE TO ruled WHERE OLD.id < 0 DO INSTEAD NOTHING;
CREATE TABLE secret (id int PRIMARY KEY, owner text, v text); ALTER TABLE secret ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON secret USING (owner = CURRENT_USER); CREATE POLICY reading ON secret FOR SELECT USING (v <> 'hidden');
CREATE TABLE secret2 (id int PRIMARY KEY, owner text); ALTER TABLE secret2 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON secret2 USING (owner = CURRENT_USER);
CREATE TABLE secret3 (id int PRIMARY KEY, owner text); ALTER TABLE secret3 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON secret3 USING (owner = CURRENT_USER);
CREATE TABLE open (id int PRIMARY KEY, owner text);
CREATE TABLE p (id int, kind text, parent int CONSTRAINT p_parent REFERENCES parent ON DELETE CASCADE ON UPDATE CASCADE, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind);
CREATE TABLE p_a PARTITION OF p FOR VALUES IN ('a'); CREATE TABLE p_b PARTITION OF p FOR VALUES IN ('b');
CREATE TRIGGER of_p BEFORE UPDATE ON p FOR EACH ROW EXECUTE FUNCTION note();
CREATE SCHEMA s; CREATE TABLE s.parent (id int PRIMARY KEY); CREATE TABLE s.child (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent int REFERENCES s.parent ON DELETE CASCADE);
CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TABLE feels (id int PRIMARY KEY, m mood); CREATE TRIGGER sad BEFORE UPDATE ON feels FOR EACH ROW WHEN (NEW.m = 'sad') EXECUTE FUNCTION note();
CREATE TABLE rule_log (id int, v text); ALTER TABLE rule_log REPLICA IDENTITY FULL; CREATE RULE far AS ON INSERT TO s.child DO ALSO INSERT INTO rule_log VALUES (NEW.parent, 'far');
CREATE RULE near AS ON INSERT TO s.parent DO ALSO INSERT INTO rule_log VALUES (NEW.id, 'near'); CREATE VIEW seen AS SELECT id, v FROM rule_log;
CREATE RULE through AS ON UPDATE TO s.parent DO ALSO INSERT INTO seen VALUES (OLD.id, 'through');
CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n FROM rule_log; CREATE MATERIALIZED VIEW s."To tals" AS SELECT count(*) AS n FROM s.child;
CREATE TABLE doomed (id int PRIMARY KEY); CREATE TABLE of_doomed (id int PRIMARY KEY REFERENCES doomed, v text); INSERT INTO doomed VALUES (1), (2); INSERT INTO of_doomed VALUES (1), (2);
INSERT INTO s.parent SELECT generate_series(1, 20); INSERT INTO s.child (parent) SELECT generate_series(1, 20); INSERT INTO feels VALUES (1, 'sad'), (2, 'glad');
INSERT INTO parent SELECT i, 'c' || i, 'v' FROM generate_series(1, 40) i; INSERT INTO child SELECT i, i, 'c' || i, i FROM generate_series(1, 40) i;
INSERT INTO tree SELECT i, nullif(i / 2, 0) FROM generate_series(1, 40) i; INSERT INTO logged SELECT i, 'v' FROM generate_series(1, 10) i;
INSERT INTO ruled SELECT i, 'v', 'w' FROM generate_series(1, 10) i; INSERT INTO secret SELECT i, 'o', 'v' FROM generate_series(1, 10) i;
INSERT INTO secret2 SELECT i, 'o' FROM generate_series(1, 10) i; INSERT INTO secret3 SELECT i, 'o' FROM generate_series(1, 10) i;
INSERT INTO open SELECT i, 'o' FROM generate_series(1, 10) i; INSERT INTO p SELECT i, CASE i % 2 WHEN 0 THEN 'a' ELSE 'b' END, i FROM generate_series(1, 30) i;
SQL
on_source('ALTER ROLE ' . SOURCE_ROLE . ' BYPASSRLS');
begin_anew($source, $target);
portage_ok(@run);
is( on_target(q{SELECT string_agg(type || ' ' || n, ', ' ORDER BY type) FROM
		(SELECT type, count(*) AS n FROM portage.ddl WHERE state = 'deferred' GROUP BY type) AS d}),
	'FK CONSTRAINT 6, IDENTITY 1, MATERIALIZED VIEW DATA 2, ROW SECURITY 3, RULE 5, TRIGGER 5', 'these wait');
is( on_target(q{SELECT concat_ws(' ', (SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND connamespace <> 'portage'::regnamespace), (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal),
		(SELECT count(*) FROM pg_rules WHERE schemaname IN ('public', 's')), (SELECT count(*) FROM pg_class WHERE relrowsecurity))}),
	'0 0 0 0', 'and none is there');

my @tables = qw(parent child tree logged log ruled secret secret2 secret3 open p_a p_b feels rule_log of_doomed s.parent s.child);
sub carried
{
	my ($what, $sql) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	on_source($sql);
	my $result = portage(@run);
	is($result->{rc}, 0, $what) || diag($result->{err});
	tables_equal($source, 'app', $target, 'app', @tables);
	return;
}
carried('rows', q{UPDATE parent SET id = id + 100 WHERE id < 3; DELETE FROM parent WHERE id = 5; UPDATE logged SET v = 'w'; INSERT INTO ruled VALUES (50, 'x', 'y'); UPDATE secret SET v = 'hidden'});
carried('fk: dropped by DROP CONSTRAINT, renamed, altered', <<'SQL');
ALTER TABLE tree DROP CONSTRAINT to_up; ALTER TABLE child RENAME CONSTRAINT to_parent TO up; ALTER TABLE child ALTER CONSTRAINT to_code NOT DEFERRABLE;
INSERT INTO tree VALUES (100, 9999); UPDATE parent SET id = id + 1000 WHERE id = 7; DELETE FROM parent WHERE id = 8;
SQL
carried('type of a referenced key column', <<'SQL');
ALTER TABLE parent ALTER id TYPE bigint; ALTER TABLE child ALTER parent TYPE bigint; ALTER TABLE parent ALTER code TYPE varchar(50); INSERT INTO parent VALUES (10000000000, 'big', 'v'); INSERT INTO child VALUES (500, 10000000000, 'big', 1);
SQL
carried('a referenced key is dropped with what refers to it', <<'SQL');
ALTER TABLE parent DROP CONSTRAINT parent_code_key CASCADE; UPDATE parent SET code = 'free' WHERE id < 20;
SQL
carried('added', <<'SQL');
ALTER TABLE tree DROP COLUMN up; ALTER TABLE tree ADD up int; ALTER TABLE tree ADD CONSTRAINT again FOREIGN KEY (up) REFERENCES tree DEFERRABLE; INSERT INTO tree VALUES (300, 1);
ALTER TABLE tree ADD more int REFERENCES tree ON DELETE SET NULL; ALTER TABLE tree ADD CONSTRAINT unproven FOREIGN KEY (more) REFERENCES tree NOT VALID; UPDATE tree SET more = 1 WHERE id > 1;
ALTER TABLE child ADD CONSTRAINT later FOREIGN KEY (n) REFERENCES tree NOT VALID; ALTER TABLE child VALIDATE CONSTRAINT later;
DELETE FROM tree WHERE id = 300;
SQL
carried('triggers are disabled, enabled, renamed, dropped, replaced', <<'SQL');
ALTER TABLE logged DISABLE TRIGGER first; UPDATE logged SET v = 'x' WHERE id < 5; ALTER TRIGGER second ON logged RENAME TO zweiter; ALTER TABLE logged ENABLE ALWAYS TRIGGER third;
CREATE OR REPLACE TRIGGER zweiter BEFORE UPDATE ON logged FOR EACH ROW EXECUTE FUNCTION note(); UPDATE logged SET v = 'y' WHERE id < 5;
ALTER TABLE logged RENAME v TO w; DROP TRIGGER third ON logged; CREATE TRIGGER vierter AFTER UPDATE OF w ON logged FOR EACH ROW EXECUTE FUNCTION note(); ALTER TABLE logged ENABLE REPLICA TRIGGER first;
UPDATE logged SET w = 'z' WHERE id < 3; ALTER TABLE logged RENAME TO noted; ALTER TABLE noted RENAME TO logged; ALTER TABLE logged DISABLE TRIGGER USER;
SQL
carried('rules', <<'SQL');
DROP RULE instead ON ruled; ALTER TABLE ruled RENAME v TO x; CREATE OR REPLACE RULE also AS ON INSERT TO ruled DO ALSO INSERT INTO log VALUES (NEW.id, NEW.w); INSERT INTO ruled VALUES (60, 'x', 'ww');
ALTER RULE also ON ruled RENAME TO auch; CREATE RULE upd AS ON UPDATE TO ruled DO ALSO INSERT INTO log VALUES (OLD.id, 'u'); UPDATE ruled SET x = 'n' WHERE id < 4; ALTER TABLE ruled DISABLE RULE upd; ALTER TABLE ruled DROP COLUMN x; DELETE FROM ruled WHERE id = 9;
ALTER TABLE log ADD more int;
SQL
carried('row security', <<'SQL');
ALTER TABLE secret2 NO FORCE ROW LEVEL SECURITY; UPDATE secret2 SET owner = 'x'; ALTER TABLE open ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY all_of ON open USING (owner = 'nobody'); UPDATE open SET owner = 'y'; DELETE FROM open WHERE id = 2; INSERT INTO open VALUES (20, 'z');
DROP POLICY reading ON secret; ALTER POLICY own ON secret USING (owner = SESSION_USER); ALTER TABLE secret RENAME v TO u; UPDATE secret SET u = 'k' WHERE id < 3; ALTER TABLE secret3 DISABLE ROW LEVEL SECURITY; UPDATE secret3 SET owner = 'w';
SQL
carried('tables get other names', <<'SQL');
ALTER TABLE parent RENAME TO eltern; ALTER TABLE eltern RENAME TO parent; ALTER TABLE p DROP CONSTRAINT p_parent; ALTER TABLE p ADD CONSTRAINT p_parent2 FOREIGN KEY (parent) REFERENCES parent; ALTER TABLE p DETACH PARTITION p_b; UPDATE p_b SET parent = NULL WHERE id < 5; UPDATE p SET parent = NULL WHERE id < 6;

SQL
carried('by one command away and back', <<'SQL');
ALTER TABLE p_a DISABLE TRIGGER of_p; ALTER TABLE child DROP CONSTRAINT later, ADD CONSTRAINT later FOREIGN KEY (n) REFERENCES tree ON DELETE SET NULL NOT VALID; DROP TABLE doomed CASCADE; UPDATE of_doomed SET id = id + 10;
DELETE FROM tree WHERE id = 33;
SQL
carried('what they speak of gets other names', <<'SQL');
ALTER TABLE rule_log RENAME COLUMN v TO what; INSERT INTO s.child (parent) VALUES (3); ALTER TYPE mood RENAME TO feeling; UPDATE feels SET m = 'sad'; ALTER VIEW seen RENAME TO looked_at;
ALTER SCHEMA s RENAME TO "S 2"; INSERT INTO "S 2".parent VALUES (50); INSERT INTO "S 2".child (parent) VALUES (50); UPDATE "S 2".parent SET id = 51 WHERE id = 20 AND false; ALTER TABLE "S 2".child RENAME COLUMN parent TO up; DELETE FROM "S 2".parent WHERE id = 4;
ALTER MATERIALIZED VIEW totals RENAME TO sums; ALTER FUNCTION note() RENAME TO noted; UPDATE logged SET w = 'q' WHERE id = 5; ALTER TABLE rule_log RENAME TO rules; ALTER TABLE rules RENAME TO rule_log; ALTER SCHEMA "S 2" RENAME TO s;
ALTER FUNCTION noted() SET SCHEMA s; ALTER MATERIALIZED VIEW sums SET SCHEMA s;
SQL
portage_ok('finish', endpoints($source, $target));
tables_equal($source, 'app', $target, 'app', @tables);
schemas_equal($source, 'app', $target, 'app');
done_testing();
