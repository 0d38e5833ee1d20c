# A migration to a MySQL target that is killed at every step of its own: state,
# schema entries, chunks, sequences, finish, drop. DDL commits by itself there,
# so an entry that was begun is found again, whether it was carried out or not.

use strict;
use warnings;

use PortageFault;
use PortageMysql;
use PortageTest;
use Test::More;

my $source = source_new('source');
my $target = mysql_new('target');
my @ends = mysql_endpoints($source, $target);

$source->safe_psql('app', <<'SQL');
CREATE TABLE parent (id bigserial PRIMARY KEY, v varchar(20) UNIQUE);
CREATE TABLE child (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	parent bigint NOT NULL REFERENCES parent ON DELETE CASCADE, n int);
CREATE INDEX child_parent ON child (parent);
INSERT INTO parent (v) SELECT 'v' || i FROM generate_series(1, 500) i;
INSERT INTO child (parent, n) SELECT i, i FROM generate_series(1, 300) i;
SELECT setval('parent_id_seq', 4711);
SQL

sub killed_at
{
	my ($point, $command, @arguments) = @_;
	my $result = portage($command, @ends, @arguments,
		env => { PG_PORTAGE_FAILPOINT => "$point:kill" });

	is($result->{signal}, 9, "$command is killed at $point")
	  || diag($result->{err});
	return;
}

sub running { return $target->value('app', 'SELECT count(*) FROM portage_ddl WHERE running = 1'); }

my @until = ('--until', 'caught-up');
killed_at($_, 'run', @until)
  foreach qw(state-created epoch-bumped slot-intended slot-created anchor-stored
  schema-stored chunk-stored ddl-before-commit);
is(running(), 1, 'an entry is noted as begun');
is($target->value('app', q{SELECT count(*) FROM information_schema.tables
	WHERE table_schema = 'app' AND table_name IN ('parent', 'child')}), 1,
	'it was carried out');
killed_at('ddl-committed', 'run', @until);
is(running(), 0, 'and was found so');
killed_at($_, 'run', @until)
  foreach qw(ddl-before-commit copy-started copy-loaded copy-before-commit
  copy-committed copy-finished);

# One that was begun and not carried out, as if the server had died in it.
$target->query('app', q{UPDATE portage_ddl SET running = 1 WHERE state = 'todo'});
killed_at($_, 'run', @until) foreach qw(stream-phase stream-started);
portage_ok('run', @ends, @until);
is(running(), 0, 'nothing is left begun');
is($target->value('app', 'SELECT count(*), sum(n) FROM child'), 300, 'the rows are there');

my $has_key = q{SELECT count(*) FROM information_schema.referential_constraints
	WHERE constraint_schema = 'app' AND table_name = 'child'};
is($target->value('app', $has_key), 1, 'and the foreign key');

# ---- finish
killed_at($_, 'finish') foreach qw(finish-phase sequences-set done-phase);
portage_ok('finish', @ends);
$target->query('app', q{INSERT INTO parent (v) VALUES ('new')});
is($target->value('app', q{SELECT id FROM parent WHERE v = 'new'}), 4712,
	'the next number of the sequence');
$target->query('app', 'INSERT INTO child (parent, n) VALUES (1, 1)');
is($target->value('app', 'SELECT max(id) FROM child'), 301, 'and of the identity');
is($target->error_of('app', 'INSERT INTO child (parent, n) VALUES (-1, 1)'), 1452,
	'the foreign key is kept');

# ---- drop
killed_at('drop-state', 'drop', '--yes');
portage_ok('drop', @ends, '--yes');
is_deeply([ $target->rows('app', q{SHOW TABLES LIKE 'portage%'}) ], [], 'no state is left');
is($target->value('app', 'SELECT count(*) FROM parent'), 501, 'the tables stay');

# ---- a foreign key that the rows violate
$target->query('app', "DROP TABLE $_") foreach qw(child parent);
$source->safe_psql('app', <<'SQL');
SET session_replication_role = replica;
INSERT INTO child (parent, n) VALUES (-7, 1);
SQL
my $result = portage_fails(4, 'run', @ends, @until);
error_ok($result, 'P0427', qr/foreign key public\.child child_parent_fkey: /, 'an orphan');
like($result->{err}, qr/rows without one: `parent` = -7/, 'which it is');
is($target->value('app', $has_key), 0, 'there is no foreign key');
$target->query('app', q{INSERT INTO parent VALUES (-7, 'mended')});
portage_ok('run', @ends, @until);
is($target->value('app', $has_key), 1, 'but then');

done_testing();
