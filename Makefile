# Eclectyc Import: build, run, check. `make help` lists the targets.
#
#   make run     installs what is missing, builds, starts a private Apache, imports the sample
#   make check   installs what is missing, builds, runs every test
#
# Variables: PORT, RUN_DIR (run), DESTDIR, PREFIX (install), SANITIZE=1 (ASan and UBSan build),
# WERROR=1 (warnings are errors), V=1 (show commands).

APXS ?= apxs
PREFIX ?= /usr/local
PORT ?= 8080
RUN_DIR ?= var

bindir = $(PREFIX)/bin
datadir = $(PREFIX)/share/eclectyc-import

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
PKGS = json-c libcrypto sqlite3 libpq
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS))
PKG_LIBS = $(shell pkg-config --libs $(PKGS)) -lcsv
APR_CFLAGS = $(shell apr-1-config --cppflags --includes) $(shell apu-1-config --includes)
APR_LIBS = $(shell apu-1-config --link-ld) $(shell apr-1-config --link-ld)
HTTPD_CFLAGS = -I$(shell $(APXS) -q INCLUDEDIR)
LIBEXECDIR = $(shell $(APXS) -q LIBEXECDIR)

CPPFLAGS_ALL = -D_GNU_SOURCE -DECL_BINDIR='"$(bindir)"' -DECL_DATADIR='"$(datadir)"' \
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
PLAIN_MODULE_OBJ = $(filter $(call objects,$(addprefix mod_eclectyc_import/,multipart.c form.c)),$(MODULE_OBJ))

MODULE = $(BUILD)/mod_eclectyc_import.so
WORKER = $(BUILD)/eclectyc-import-worker
UNIT = $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(UNIT_SRC))

Q = $(if $(V),,@)

.PHONY: all
all: $(MODULE) $(WORKER)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(if $(filter mod_eclectyc_import/%,$<),$(HTTPD_CFLAGS)) \
		$(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# The schema is part of the program: see lib/migrate.h.
$(BUILD)/migrations.c: lib/embed_migrations.sh $(wildcard migrations/*/*.sql)
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

.PHONY: unit
unit: $(UNIT)
	@for t in $(UNIT); do echo "== $$t"; $$t || exit 1; done

.PHONY: format
format:
	clang-format -i $(wildcard lib/*.[ch] worker/*.[ch] mod_eclectyc_import/*.[ch] tests/unit/*.[ch])

.PHONY: clean
clean:
	rm -rf build

-include $(shell find build -name '*.d' 2>/dev/null)
