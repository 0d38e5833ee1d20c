# Dispatcher: every part has its own Makefile, nothing is compiled here.
#
#   make                    build the plugin, the applier and the extension
#   make demo               install what is missing, build, show a migration
#   make demo-reshard       the same of two sources that become three targets, by rules
#   make check              everything that must hold before a change goes in
#   make check-tap TESTS="t/010_x.pl"     only these TAP tests
#   make check-regress      only the pg_regress suite
#   make check-debian SUITE=trixie        build, unit, pg_regress and TAP tests and
#                           the demonstration in a clean Debian
#   make check-mysql        the TAP tests with MySQL targets against Oracle's server,
#                           with its client library, in a clean Debian
#   make bench              pg_portage against every peer; some 25 minutes
#   make man                the manual page, packaging/pg_portage.1
#   make deb                Debian packages, in packaging/deb
#
# PG_CONFIG selects the PostgreSQL server, COPT adds compiler flags.

# Looked up when it is used, because `make deps` may be what installs it.
PG_CONFIG ?= $(shell scripts/find-pg-config)
export PG_CONFIG

PARTS ?= plugin applier sql packaging

all: $(PARTS)

plugin applier sql packaging:
	$(MAKE) -C $@ all

# Manual page and completion are made from the applier's --help.
packaging: applier

# The extension has to be in place before the plugin's functions can be used,
# the order among the parts does not matter for anything else.
install: all
	+@set -e; for part in $(PARTS); do $(MAKE) -C $$part install; done

uninstall:
	+@set -e; for part in $(PARTS); do $(MAKE) -C $$part uninstall; done

clean:
	+@set -e; for part in $(PARTS) regress; do $(MAKE) -C $$part clean; done
	rm -rf tmp_check

man: applier
	$(MAKE) -C packaging man

# Built from a copy of the tree, with the flags of the distribution.
deb:
	@scripts/deps scripts/packages.txt scripts/packages-deb.txt
	+@scripts/deb-build

deps:
	@scripts/deps

format:
	@scripts/format

lint:
	+@scripts/lint

unit:
	$(MAKE) -C regress/unit check

fuzz:
	$(MAKE) -C regress/unit fuzz

# Servers run from a private copy of the installation, as an unprivileged
# user, in a temporary folder: see scripts/with-prefix.
installcheck check-regress: all
	+@scripts/with-prefix --name regress -- make -C regress installcheck

check-tap: all
	+@$(MAKE) -s -C regress drivers
	+@scripts/with-prefix --name tap -- scripts/run-tap $(TESTS)

# Failed builds of a dependency must not run the rest, hence the recursion:
# prerequisites of one target may run at the same time.
demo:
	+@$(MAKE) --no-print-directory deps
	+@$(MAKE) --no-print-directory all
	+@scripts/with-prefix --name demo -- scripts/demo

demo-reshard:
	+@$(MAKE) --no-print-directory deps
	+@$(MAKE) --no-print-directory all
	+@scripts/with-prefix --name demo-reshard -- scripts/demo-reshard

bench-plugin: all
	+@scripts/with-prefix --name bench-plugin -- perl bench/plugin.pl

# Against every peer; FULL=1 for the full sizes, BENCH_OPTIONS=--help lists the
# rest. Peers whose packages cannot be installed are named and left out.
bench:
	@scripts/bench-deps
	+@$(MAKE) --no-print-directory all
	+@scripts/with-prefix --name bench -- perl bench/bench.pl

# Other versions of PostgreSQL than the machine's; needs root.
check-debian:
	+@scripts/check-debian $(SUITE)

# MySQL instead of MariaDB; needs root.
check-mysql:
	+@scripts/check-mysql

check:
ifdef TESTS
	+@$(MAKE) --no-print-directory check-tap
else
	+@scripts/check
endif

.PHONY: all plugin applier sql packaging install uninstall clean man deb \
	deps format lint unit fuzz installcheck check-regress check-tap demo demo-reshard \
	bench-plugin bench check-debian check-mysql check
