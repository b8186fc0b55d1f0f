# Eclectyc Import: build, run, check. `make help` lists the targets.
#
#   make run     installs what is missing, builds, starts a private Apache, imports the sample
#   make check   installs what is missing, builds, runs every test
#   make bench   installs what is missing, builds, measures
#
# Variables: PORT, RUN_DIR (run), DB=pgsql (run, http: PostgreSQL, on a private server), PREFIX, CONFDIR
# (compiled in), DESTDIR (install), SANITIZE=1 (ASan and UBSan build),
# WERROR=1 (warnings are errors), V=1 (show commands).

APXS ?= apxs
PREFIX ?= /usr/local
CONFDIR ?= /etc/apache2/mods-available
PORT ?= 8080
RUN_DIR ?= var
DB ?= sqlite3

bindir = $(PREFIX)/bin
datadir = $(PREFIX)/share/eclectyc-import

# What the targets need, as Debian and Ubuntu name it. `make deps` installs what is missing.
DEPS_BUILD = gcc make libc6-dev pkg-config apache2-dev libapr1-dev libaprutil1-dev libsqlite3-dev libpq-dev \
	libcsv-dev libjson-c-dev libssl-dev libzip-dev zlib1g-dev libexpat1-dev
DEPS_RUN = apache2-bin apache2-utils libaprutil1-dbd-sqlite3 libaprutil1-dbd-pgsql tzdata sqlite3 curl jq \
	openssl util-linux postgresql
DEPS_CHECK = libcmocka-dev python3 python3-pytest python3-pytest-xdist python3-requests python3-psycopg2 python3-openpyxl python3-selenium chromium \
	chromium-driver clang clang-format clang-tidy cppcheck nodejs npm
DEPS_BENCH = python3 python3-requests wrk

# Built without and with sanitizers, side by side.
BUILD = build/$(if $(SANITIZE),sanitize,plain)

CC ?= gcc
WARNINGS = -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -Wpointer-arith -Wformat=2 \
	-Wshadow -Wvla $(if $(WERROR),-Werror)
SANITIZERS = $(if $(SANITIZE),-fsanitize=address$(comma)undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer)
comma = ,
OPTIMISE = $(if $(SANITIZE),-O1,-O2)

# Asked for only when something is compiled: `make deps` must work where none of this exists yet.
PKGS = json-c libcrypto sqlite3 libpq libzip zlib expat
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS))
PKG_LIBS = $(shell pkg-config --libs $(PKGS)) -lcsv
APR_CFLAGS = $(shell apr-1-config --cppflags --includes) $(shell apu-1-config --includes)
APR_LIBS = $(shell apu-1-config --link-ld) $(shell apr-1-config --link-ld)
HTTPD_CFLAGS = -I$(shell $(APXS) -q INCLUDEDIR)
LIBEXECDIR = $(shell $(APXS) -q LIBEXECDIR)

CPPFLAGS_ALL = -D_GNU_SOURCE -DECL_BINDIR='"$(bindir)"' -DECL_DATADIR='"$(datadir)"' \
	-DECL_CONFFILE='"$(CONFDIR)/eclectyc_import.conf"' \
	$(APR_CFLAGS) $(PKG_CFLAGS) $(CPPFLAGS)
CFLAGS_ALL = -std=gnu11 -g $(OPTIMISE) -fPIC -fvisibility=hidden -fstack-protector-strong \
	$(WARNINGS) $(SANITIZERS) $(CFLAGS)
LDFLAGS_ALL = $(SANITIZERS) -Wl,--as-needed $(LDFLAGS)

LIB_SRC = $(wildcard lib/*.c)
WORKER_SRC = $(filter-out worker/main.c,$(wildcard worker/*.c))
MODULE_SRC = $(wildcard mod_eclectyc_import/*.c)
UNIT_SRC = $(wildcard tests/unit/test_*.c)

objects = $(patsubst %.c,$(BUILD)/%.o,$(1))
LIB_OBJ = $(call objects,$(LIB_SRC)) $(BUILD)/migrations.o
WORKER_OBJ = $(call objects,$(WORKER_SRC))
MODULE_OBJ = $(call objects,$(MODULE_SRC))
# the module's files that know no httpd, and so can be tested without one
PLAIN_MODULE_OBJ = $(filter $(call objects,$(addprefix mod_eclectyc_import/,multipart.c form.c format.c view_chart.c rejected_csv.c)),$(MODULE_OBJ))

MODULE = $(BUILD)/mod_eclectyc_import.so
WORKER = $(BUILD)/eclectyc-import-worker
UNIT = $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(UNIT_SRC))

Q = $(if $(V),,@)

.PHONY: all
all: $(MODULE) $(WORKER)

# Paths and flags are compiled in: when they change, everything is built anew.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL)' | cmp -s - $@ || \
		echo '$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL)' >$@
.PHONY: FORCE
FORCE:

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(if $(filter mod_eclectyc_import/%,$<),$(HTTPD_CFLAGS)) \
		$(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# The schema is part of the program: see lib/migrate.h.
$(BUILD)/migrations.c: lib/embed_migrations.sh $(wildcard migrations/* migrations/*/*.sql)
	@mkdir -p $(@D)
	$(Q)sh lib/embed_migrations.sh migrations >$@.new && mv $@.new $@
$(BUILD)/migrations.o: $(BUILD)/migrations.c
	$(Q)$(CC) $(CPPFLAGS_ALL) -Ilib $(CFLAGS_ALL) -c -o $@ $<

$(BUILD)/libecl.a: $(LIB_OBJ)
	$(Q)rm -f $@ && ar rcs $@ $^
$(BUILD)/libworker.a: $(WORKER_OBJ)
	$(Q)rm -f $@ && ar rcs $@ $^

$(WORKER): $(call objects,worker/main.c) $(BUILD)/libworker.a $(BUILD)/libecl.a
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS) $(APR_LIBS)

$(MODULE): $(MODULE_OBJ) $(BUILD)/libecl.a
	$(Q)$(CC) -shared $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS) $(APR_LIBS)

$(BUILD)/tests/%: tests/unit/%.c $(BUILD)/libworker.a $(BUILD)/libecl.a $(PLAIN_MODULE_OBJ)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) -I. -DECL_SOURCE_DIR='"$(CURDIR)"' $(CFLAGS_ALL) -MMD -MP \
		$(LDFLAGS_ALL) -o $@ $< $(PLAIN_MODULE_OBJ) $(BUILD)/libworker.a $(BUILD)/libecl.a \
		-lcmocka $(PKG_LIBS) $(APR_LIBS)

# Debian's package would make a cluster of its own and start it; only the programs are needed here.
CLUSTER_SETTING = /etc/postgresql-common/createcluster.d/eclectyc-import.conf
no_cluster = $$install postgresql-common >/dev/null && $$sudo mkdir -p $(dir $(CLUSTER_SETTING)) && \
	echo 'create_main_cluster = false' | $$sudo tee $(CLUSTER_SETTING) >/dev/null

# Installs the Debian packages of $(1) that are not there yet; asks for root only when it must. A
# program that is there in another form (a node that is not Debian's) counts as there.
define install_missing
@missing=; for p in $(1); do \
	case $$p in nodejs) command -v node ;; npm) command -v npm ;; *) false ;; esac >/dev/null 2>&1 && continue; \
	dpkg-query -W -f '$${db:Status-Status}' $$p 2>/dev/null | grep -qx installed || missing="$$missing $$p"; \
done; \
if [ -n "$$missing" ]; then \
	echo "installing:$$missing"; \
	if [ "$$(id -u)" -eq 0 ]; then sudo=; else sudo=sudo; fi; \
	install="$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends"; \
	$$sudo apt-get update -qq && \
	case " $$missing " in *" postgresql "*) $(no_cluster) ;; esac && \
	$$install $$missing >/dev/null; result=$$?; \
	[ ! -e $(CLUSTER_SETTING) ] || $$sudo rm $(CLUSTER_SETTING); \
	exit $$result; \
fi
endef

.PHONY: deps deps-check
deps:
	$(call install_missing,$(DEPS_BUILD) $(DEPS_RUN))
deps-check: deps
	$(call install_missing,$(DEPS_CHECK))

# A second make reads what the packages that deps has just installed say.
.PHONY: run stop
run: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)APXS=$(APXS) conf/demo/server.sh start '$(RUN_DIR)' '$(PORT)' build/plain '$(DB)'
	$(Q)cd '$(RUN_DIR)' && pwd >'$(CURDIR)/build/last-run-dir'

# Without RUN_DIR: the server that `make run` started last.
stop: RUN_DIR = $(shell cat build/last-run-dir 2>/dev/null || echo var)
stop:
	$(Q)APXS=$(APXS) conf/demo/server.sh stop '$(RUN_DIR)'

# Into an existing Apache: `a2enmod eclectyc_import` (or an Include of the two conf files) switches
# it on. DESTDIR for packagers.
.PHONY: install install-files uninstall
install: all install-files
	install -D -m 644 $(MODULE) "$(DESTDIR)$(LIBEXECDIR)/mod_eclectyc_import.so"
	install -D -m 755 $(WORKER) "$(DESTDIR)$(bindir)/eclectyc-import-worker"
# what needs no compiler
install-files:
	for f in $$(cd templates && find . -type f ! -name README.md) ; do \
		install -D -m 644 templates/$$f "$(DESTDIR)$(datadir)/templates/$$f" || exit 1; done
	for f in $$(cd migrations && find . -name '*.sql') ; do \
		install -D -m 644 migrations/$$f "$(DESTDIR)$(datadir)/migrations/$$f" || exit 1; done
	install -d -m 755 "$(DESTDIR)$(CONFDIR)"
	sed 's|/usr/lib/apache2/modules|$(LIBEXECDIR)|' conf/eclectyc_import.load \
		>"$(DESTDIR)$(CONFDIR)/eclectyc_import.load" && chmod 644 "$(DESTDIR)$(CONFDIR)/eclectyc_import.load"
	for f in systemd/eclectyc-import-worker.service cron/eclectyc-import supervisord/eclectyc-import-worker.conf; do \
		install -d -m 755 "$(DESTDIR)$(datadir)/conf/$$(dirname $$f)" && \
		sed 's|/usr/local/bin/eclectyc|$(bindir)/eclectyc|; s|/etc/apache2/mods-available|$(CONFDIR)|' conf/$$f \
			>"$(DESTDIR)$(datadir)/conf/$$f" && chmod 644 "$(DESTDIR)$(datadir)/conf/$$f" || exit 1; done
	@# an administrator's settings are never overwritten
	[ -e "$(DESTDIR)$(CONFDIR)/eclectyc_import.conf" ] || \
		install -m 644 conf/eclectyc_import.conf "$(DESTDIR)$(CONFDIR)/eclectyc_import.conf"

# With the same PREFIX, CONFDIR, APXS and DESTDIR. What has been changed since is left, as is all data.
uninstall:
	$(Q)staging=$$(mktemp -d) && trap 'rm -rf "$$staging"' EXIT && \
		$(MAKE) --no-print-directory -s install-files DESTDIR="$$staging" && \
		conf/uninstall.sh "$$staging" '$(DESTDIR)' '$(CONFDIR)' '$(datadir)' \
			'$(LIBEXECDIR)/mod_eclectyc_import.so' '$(bindir)/eclectyc-import-worker'

# render_template: shows a page template filled with sample data (tests/samples/views/)
$(BUILD)/tests/%: tests/tools/%.c $(BUILD)/libecl.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) -I. $(CFLAGS_ALL) -MMD -MP $(LDFLAGS_ALL) -o $@ $< \
		$(BUILD)/libecl.a $(PKG_LIBS) $(APR_LIBS)

.PHONY: unit unit-programs
unit-programs: $(UNIT)
unit: $(UNIT)
	@tests/tools/with_postgres.sh sh -c 'for t; do echo "== $$t"; $$t || exit 1; done' unit $(UNIT)

# Fuzz targets with a plain main: the corpus is replayed, nothing is searched.
FUZZ = $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_LIBS = $(BUILD)/libworker.a $(BUILD)/libecl.a $(PLAIN_MODULE_OBJ)
$(BUILD)/fuzz/%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c $(FUZZ_LIBS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) -I. $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ tests/fuzz/fuzz_$*.c \
		tests/fuzz/replay.c $(PLAIN_MODULE_OBJ) $(BUILD)/libworker.a $(BUILD)/libecl.a $(PKG_LIBS) $(APR_LIBS)
.PHONY: fuzz-replay fuzz-programs
fuzz-programs: $(addprefix $(BUILD)/fuzz/,$(FUZZ))
fuzz-replay: fuzz-programs
	@for f in $(FUZZ); do $(BUILD)/fuzz/$$f tests/fuzz/corpus/$$f || exit 1; done

# Searches for FUZZ_SECONDS with each target, or those that ONLY names (libFuzzer, which comes with
# clang); what it finds is left in build/fuzzing.
FUZZ_SECONDS ?= 60
.PHONY: fuzz
fuzz: deps-check
	$(Q)$(MAKE) --no-print-directory CC=clang BUILD=build/fuzzing SANITIZE=1 \
		SANITIZERS='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined' fuzz-search
# clang's runtime is packaged by its version
.PHONY: deps-fuzz fuzz-search
deps-fuzz:
	$(call install_missing,libclang-rt-$(firstword $(subst ., ,$(shell clang -dumpversion)))-dev)
fuzz-search: deps-fuzz $(FUZZ_LIBS)
	$(Q)for f in $(or $(ONLY),$(FUZZ)); do \
		$(CC) $(CPPFLAGS_ALL) -I. $(CFLAGS_ALL) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $(BUILD)/$$f \
			tests/fuzz/fuzz_$$f.c $(PLAIN_MODULE_OBJ) $(BUILD)/libworker.a $(BUILD)/libecl.a \
			$(PKG_LIBS) $(APR_LIBS) && \
		mkdir -p $(BUILD)/found/$$f && \
		$(BUILD)/$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -print_final_stats=0 \
			-artifact_prefix=$(BUILD)/$$f- -verbosity=0 $(BUILD)/found/$$f tests/fuzz/corpus/$$f || exit 1; \
		echo "fuzz: $$f, $(FUZZ_SECONDS) s, nothing found"; done

# Debian's own Python: pytest and selenium are its packages.
# Files of tests run side by side, the tests of one file one after the other.
PYTEST = /usr/bin/python3 -m pytest -q -p no:cacheprovider -n $(shell nproc) --dist loadfile

.PHONY: http browser
http: all
	ECL_BUILD=$(BUILD) ECL_TEST_DB=$(DB) $(PYTEST) tests/http
browser: all axe
	ECL_BUILD=$(BUILD) $(PYTEST) tests/browser

# axe-core judges the pages' accessibility. Without npm or its registry those tests are skipped.
AXE_VERSION = 4.14.1
.PHONY: axe
axe: build/axe-core-$(AXE_VERSION)
build/axe-core-$(AXE_VERSION):
	@mkdir -p build
	$(Q)npm install --prefix build --no-save --no-audit --no-fund --loglevel=error \
		axe-core@$(AXE_VERSION) && touch $@ || \
		echo 'axe-core $(AXE_VERSION) is not to be had: accessibility is not tested'

# Takes those of docs/ anew.
.PHONY: screenshots deps-screenshots
deps-screenshots: deps-check
	$(call install_missing,python3-pil)
screenshots: deps-screenshots all
	ECL_BUILD=$(BUILD) /usr/bin/python3 tests/tools/screenshots.py

# Everything, as CI runs it: warnings are errors; unit, HTTP and fuzz corpus also under ASan and UBSan,
# and in another country's time zone, which must make no difference.
.PHONY: check
check: deps-check
	$(Q)$(MAKE) --no-print-directory lint
	$(Q)$(MAKE) --no-print-directory WERROR=1 -j $(shell nproc) all unit-programs
	$(Q)$(MAKE) --no-print-directory WERROR=1 unit
	$(Q)$(MAKE) --no-print-directory WERROR=1 SANITIZE=1 -j $(shell nproc) all unit-programs fuzz-programs
	$(Q)TZ=America/New_York $(MAKE) --no-print-directory WERROR=1 SANITIZE=1 unit fuzz-replay
	$(Q)TZ=America/New_York $(MAKE) --no-print-directory WERROR=1 SANITIZE=1 http
	$(Q)$(MAKE) --no-print-directory axe
	$(Q)ECL_BUILD=build/plain $(PYTEST) tests/http tests/browser tests/chaos
	$(Q)ECL_BUILD=build/plain ECL_TEST_DB=pgsql $(PYTEST) tests/http tests/chaos

# Kills, freezes and reloads processes at MOMENTS moments of chance, takes disks and databases away,
# and compares what is left with an undisturbed import. `make check` runs it with few moments.
MOMENTS ?= 200
.PHONY: chaos
chaos: deps-check
	$(Q)$(MAKE) --no-print-directory WERROR=1 all $(BUILD)/tests/test_undo_model
	$(Q)$(if $(SEED),SEED=$(SEED)) ROUNDS=$$(($(MOMENTS) * 10)) tests/tools/with_postgres.sh $(BUILD)/tests/test_undo_model
	$(Q)ECL_BUILD=$(BUILD) ECL_TEST_DB=$(DB) MOMENTS=$(MOMENTS) $(if $(SEED),SEED=$(SEED)) \
		/usr/bin/python3 -m pytest -v -s -rs -p no:cacheprovider tests/chaos

# How fast it is, beside the databases' own loaders and mod_dav: see docs/performance.md. ONLY=W1,http
# takes parts, SCALE=0.1 smaller files, DOC=docs/performance.md writes the tables there.
BENCH_DIR ?= build/bench
SCALE ?= 1
RUNS ?= 5
DATABASES ?= sqlite3,pgsql
.PHONY: bench deps-bench
deps-bench: deps
	$(call install_missing,$(DEPS_BENCH))
bench: deps-bench
	$(Q)$(MAKE) --no-print-directory all
	$(Q)/usr/bin/python3 tests/bench/bench.py --dir '$(BENCH_DIR)' --scale $(SCALE) --runs $(RUNS) \
		--only '$(ONLY)' --databases '$(DATABASES)' $(if $(DOC),--doc '$(DOC)')

.PHONY: lint
lint:
	$(Q)clang-format --dry-run -Werror $(C_FILES)
	$(Q)cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,performance,portability \
		--suppressions-list=tests/tools/cppcheck.suppressions -D__GNUC__ lib worker mod_eclectyc_import
	$(Q)/usr/bin/python3 tests/tools/check_source.py

C_FILES = $(wildcard lib/*.[ch] worker/*.[ch] mod_eclectyc_import/*.[ch] tests/unit/*.[ch] tests/tools/*.c tests/fuzz/*.c)

.PHONY: format
format:
	clang-format -i $(C_FILES)

.PHONY: clean
clean:
	rm -rf build

-include $(shell find build -name '*.d' 2>/dev/null)
