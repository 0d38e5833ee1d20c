# check: columns whose values another server may not be able to read. Which types
# those are is asked of the server itself; they are found in whatever they are
# part of, and it is an error only if there is a value that nobody can read.

use strict;
use warnings;

use JSON::PP ();
use PortageCheck;
use PortageTest;
use Test::More;

my $source = source_new('source', databases => [qw(app every)]);
my $target = target_new('target', databases => [qw(app every)]);
my @ends = endpoints($source, $target);
my $named = qr/names .* unless the target has it when it arrives/;
my $unread = qr/no server reads from text/;
my %behind = (left_behind => JSON::PP::true);

# ---- every type of the server, and of the extensions that bring such types
foreach my $extension (qw(btree_gist hstore intarray ltree pg_trgm))
{
	$_->safe_psql('every', "CREATE EXTENSION $extension") foreach $source, $target;
}
$source->safe_psql('every', <<'SQL');
CREATE FUNCTION is_read(type text) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SELECT %L::%s', '', type);
	RETURN true;
EXCEPTION
	WHEN feature_not_supported OR internal_error THEN RETURN false;
	WHEN OTHERS THEN RETURN true; -- it says what is wrong with ''
END $$;
CREATE TABLE types AS SELECT typname::text AS type, is_read(oid::regtype::text) AS is_read,
	oid::regtype::text AS name FROM pg_type
	WHERE typtype = 'b' AND typcategory <> 'A' AND typisdefined;
ALTER TABLE types ADD PRIMARY KEY (type);
DO $$ BEGIN EXECUTE (SELECT format('CREATE TABLE every (id int PRIMARY KEY, %s)',
	string_agg(format('%I %s', 'a ' || type, name), ', ')) FROM types); END $$;
SQL
sub types
{
	my ($condition) = @_;
	return [ split(/\n/, $source->safe_psql('every',
			qq{SELECT type FROM types WHERE $condition ORDER BY type COLLATE "C"})) ];
}

sub columns_with
{
	my ($words) = @_;
	return [ sort map { $_->{object} =~ /^column public\.every\.a (.*)/ ? $1 : () }
		  grep { $_->{message} =~ $words } findings() ];
}
look(0, endpoints($source, $target, 'every'));
cmp_ok(scalar(@{ types('is_read') }), '>', 60, 'most types are read');
cmp_ok(scalar(@{ types('NOT is_read') }), '>', 15, 'some are not');
is_deeply(columns_with($unread), types('NOT is_read'),
	'a column of each type that no server reads is named, and no other');
is_deeply(columns_with($named), types(q{type ~ '^reg' OR type = 'aclitem'}),
	'so is a column of each type whose values are names of the catalog');

# ---- in whatever they are part of
$source->safe_psql('app', <<'SQL');
CREATE DOMAIN relation AS regclass CHECK (VALUE IS NOT NULL);
CREATE DOMAIN relations AS relation[];
CREATE TYPE pair AS (n int, f regprocedure);
CREATE DOMAIN pairs AS pair[];
CREATE TYPE span AS RANGE (subtype = regclass, subtype_opclass = oid_ops, multirange_type_name = spans);
CREATE TYPE deep AS (a pairs, t regtype, e pg_node_tree);
CREATE DOMAIN tree AS pg_node_tree;
CREATE TYPE harmless AS (a int[], b text);
CREATE TABLE nested (id int PRIMARY KEY, list regclass[], dom relation, doms relations, comp pair,
	comps pairs, range span, ranges spans, row_of pg_foreign_data_wrapper, deep deep, trees tree[], fine harmless, finer text[]);
CREATE TABLE "Odd.Name" (id int PRIMARY KEY, "My Column" regrole);
CREATE TABLE parts (id int PRIMARY KEY, v regconfig) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (9);
SQL
look(0, @ends);
my $text = qr/make the column text, or leave the table out with --exclude-tables/;
foreach my $case (
	[ list => 'regclass[]', 'regclass', 'P0416' ],
	[ dom => 'relation', 'regclass', 'P0416' ],
	[ doms => 'relations', 'regclass', 'P0416' ],
	[ comp => 'pair', 'regprocedure', 'P0420' ],
	[ comps => 'pairs', 'regprocedure', 'P0420' ],
	[ range => 'span', 'regclass', 'P0416' ],
	[ ranges => 'spans', 'regclass', 'P0416' ],
	[ deep => 'deep', 'regprocedure', 'P0420' ],
	[ deep => 'deep', 'regtype', 'P0417' ])
{
	my ($column, $type, $part, $code) = @$case;
	found('warning', $code, "column public.nested.$column",
		qr/its type (?:public\.)?\Q$type\E holds $part: a value names/, $text, %behind);
}
found('warning', 'P0417', 'column public.nested.row_of', qr/holds aclitem/,
	qr/create the roles on the target/, %behind);
found('warning', 'P0420', 'column public.nested.deep', $unread, $text, %behind);
found('warning', 'P0420', 'column public.nested.trees',
	qr/its type (?:public\.)?tree\[\] holds pg_node_tree, which no server/, $text, %behind);
found('warning', 'P0417', 'column public.Odd.Name.My Column',
	qr/its type is regrole: a value names a role/, qr/create the roles/, %behind);
found('warning', 'P0417', 'column public.part.v', qr/its type is regconfig/, $text);
not_found("column public.$_") foreach qw(nested.fine nested.finer nested.id parts.v);

# ---- what is left out, or whose values do not travel, is not named
$source->safe_psql('app', <<'SQL');
CREATE TABLE computed (id int PRIMARY KEY, o oid, r regclass GENERATED ALWAYS AS (o::regclass) STORED);
CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY, r regclass);
CREATE VIEW seen AS SELECT 'pg_class'::regclass AS r;
CREATE TABLE gone (id int PRIMARY KEY, r regclass);
ALTER TABLE gone DROP COLUMN r;
SQL
look(0, @ends, '--exclude-tables', 'nested,parts');
not_found("column public.$_")
  foreach qw(nested.list part.v computed.r fleeting.r seen.r gone.r);
found('warning', 'P0417', 'column public.Odd.Name.My Column', $named, qr/roles/);
look(0, @ends, '--tables', 'fleeting,gone,computed');
is_deeply([ grep { $_->{message} =~ $named } findings() ], [], '--tables');

# ---- values that nobody reads: an error as soon as there is one
$source->safe_psql('app', <<'SQL');
CREATE TABLE unread (id int PRIMARY KEY, v pg_node_tree, d tree, l tree[]);
INSERT INTO unread VALUES (1, NULL, NULL, NULL);
CREATE TABLE checked (id int CHECK (id > 0));
SQL
my @unread = map { "column public.unread.$_" } qw(v d l);
look(0, @ends);
found('warning', 'P0420', $_, qr/a value stops copy or stream/, $text, %behind) foreach @unread;
$source->safe_psql('app', q{UPDATE unread SET (v, d, l) = (SELECT conbin, conbin::tree, ARRAY[conbin::tree]
	FROM pg_constraint WHERE conrelid = 'checked'::regclass)});
look(1, @ends);
found('error', 'P0420', $_, qr/it has values, which cannot be copied/, $text, %behind)
  foreach @unread[ 0, 1 ];
found('warning', 'P0420', $unread[2], qr/a value stops copy or stream/, $text);
look(1, @ends, '--copy-only');
found('error', 'P0420', $unread[0], $unread, $text);
look(0, @ends, '--exclude-tables', 'unread');
not_found($_) foreach @unread;

# ---- plan says it as well
my $plan = JSON::PP::decode_json(portage_ok('plan', @ends, '--json')->{out});
my %not = map { $_->{object} => $_ } @{ $plan->{not_migrated} };
like($not{ $unread[0] }{message}, $unread, 'plan: a type that nobody reads');
like($not{'column public.nested.list'}{message}, $named, 'plan: a type whose values are names');
like($not{'column public.nested.list'}{remedy}, $text, 'plan: the remedy');
ok(!$not{'column public.nested.fine'}, 'plan: not the others');
like(portage_ok('plan', @ends)->{out},
	qr/^Not migrated:\n(?:.*\n)*  column public\.unread\.v\n      its type is pg_node_tree/m,
	'plan: the text');

done_testing();
