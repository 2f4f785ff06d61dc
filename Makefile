# goro: one Makefile.
#
#   make              the driver, both archives, headers, pkg-config files: everything under BUILD
#   make demo         the race that everyone knows: source, command, report, and its three cures
#   make test         every Criterion test, one binary after the other, one total at the end
#   make check        the shape of hot code, format, static analysis, who may include whom, what an archive may export, the models in spin
#   make format       lay the source out by clang-format
#   make stress       the stress and model tests again, for longer (STRESS=factor, default 20), a million
#                     goroutines, and the detector's distances and numbers in full
#   make hard-test    the detector's tests on a HARD=1 build: every overflow path
#   make nightly      10 000 random programs for each variant against the reference detector
#   make soak         the torture test for SOAK seconds (default 1800) on 1, 2 and 8 processors each
#   make bench        the benchmarks of tests/bench (BENCH="runtime race net"; RUNS=5)
#   make bench-race   what race detection costs: goro, gcc's and clang's TSan, go -race (RUNS=5; ARGS="KIND ROW ...")
#   make bench-recall which races and misuses goro, clang-19's TSan and go -race find (RUNS=5)
#   make install      PREFIX (default /usr/local) and DESTDIR; the result may be moved
#   make uninstall clean help
#
# Variables: CC, CXX, BUILD (where everything goes), SANITIZE=address|thread (the runtime itself under that
# sanitizer; then without the detector), HARD=1 (shrunk limits, yields wherever it may), DEBUG=1 (lock ranks and inner checks),
# TEST_TIMEOUT (seconds for one test binary), TESTS="unit api ..." (which rooms), ARGS (for each test).
#
# How the archives come about. Every file of runtime/ is compiled twice: plain (no detector, no hook:
# libgoro.a) and with -DGORO_RACE=1 ("hooks"). libgoro-race.a is the second set plus race/, and there
# tools/real.syms renames goro's own calls of libc functions that race/intercept replaces, so that the
# detector never meets itself. tests/hooks links the second set, unrenamed, with a recorder instead.
#
# What leaves an archive. All objects are joined to one and its hidden symbols made local: a program may
# have a park() or a fatal() of its own. Names of libc that goro takes the place of become weak: a program
# that defines its own read() keeps it. Only what needs the linker's --wrap=main stays a member apart.
# Unit tests, which look inside, link the same objects before that.
#
# Files are found by folder: a new .c in a room is built without a change here. What is for one processor
# is picked by its suffix: name_$(ARCH).S, name_$(ARCH).c.

# ThreadSanitizer is clang's: gcc warns of every fence.
ifeq ($(origin CC),default)
CC := $(if $(filter thread,$(SANITIZE)),$(if $(shell command -v clang-19),clang-19,clang),gcc)
endif
ifeq ($(origin CXX),default)
CXX := $(patsubst %gcc,%g++,$(patsubst clang%,clang++%,$(patsubst gcc%,g++%,$(CC))))
endif
AR      ?= ar
OBJCOPY ?= objcopy

BUILD     ?= build$(if $(SANITIZE),-$(SANITIZE))$(if $(HARD),-hard)$(if $(DEBUG),-debug)
BUILD_ABS := $(abspath $(BUILD))
SOURCE    := $(CURDIR)
PREFIX    ?= /usr/local
ARCH      ?= $(patsubst aarch64,arm64,$(patsubst x86_64,amd64,$(shell uname -m)))
COMMA     := ,
VERSION   := $(shell sed -n 's/^.define GORO_VERSION *"\(.*\)"/\1/p' runtime/goro.h)

TEST_TIMEOUT ?= 300
STRESS       ?= 20
SOAK         ?= 1800

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Werror
OPT  := -O2 -g -fPIC -ftls-model=initial-exec -fvisibility=hidden -fno-omit-frame-pointer \
	-fstack-clash-protection
DEFS := -D_GNU_SOURCE -D_GNU_SOURCE $(if $(HARD),-DGORO_HARD) $(if $(DEBUG),-DGORO_DEBUG)
SAN  := $(if $(SANITIZE),-fsanitize=$(SANITIZE))
CFLAGS_ALL := -std=gnu11 $(OPT) $(WARN) $(DEFS) $(SAN) $(CFLAGS)
# What a program linked with libgoro.a needs besides. libgcc_s comes before libunwind, which has functions
# of the same names: exceptions of C++ programs are to be unwound by the former.
LIBS := -lgcc_s -lunwind -ldw -lelf -lpthread -ldl
# The same for -static, where there is no libgcc_s; and libc's functions that goro's stand before, which dlsym does not
# find there, by their other names (runtime/net/libc.h).
STATIC_INNER := _IO_fflush _IO_fgets _IO_fputs _IO_fread _IO_fwrite _IO_getc _IO_new_fclose _IO_putc _IO_puts \
	___pthread_barrier_wait ___pthread_cond_clockwait ___pthread_cond_timedwait ___pthread_cond_wait \
	___pthread_join ___pthread_mutex_clocklock ___pthread_mutex_lock ___pthread_mutex_timedlock \
	___pthread_rwlock_rdlock ___pthread_rwlock_timedrdlock ___pthread_rwlock_timedwrlock \
	___pthread_rwlock_wrlock ___pthread_timedjoin_np ___sem_timedwait ___vfprintf_chk __cnd_timedwait \
	__cnd_wait __gethostbyname_r __libc_fcntl64 __libc_pause \
	__libc_sigsuspend __libc_tcdrain __lockf64 __mtx_lock __mtx_timedlock __new_pclose __new_sem_wait \
	__sigtimedwait __sigwait __sigwaitinfo __thrd_join __thrd_sleep __vfprintf vfscanf
STATIC_LIBS := $(STATIC_INNER:%=-Wl$(COMMA)-u$(COMMA)%) $(filter-out -lgcc_s,$(LIBS)) -lz -llzma -lbz2

# ---- what is there ----

ROOMS        := base os sched chan sync time net debug trace symbol
OTHER_ARCH   := $(filter-out $(ARCH),amd64 arm64 riscv64)
RUNTIME_C    := $(filter-out $(addprefix %_,$(addsuffix .c,$(OTHER_ARCH))),$(wildcard runtime/*.c $(ROOMS:%=runtime/%/*.c)))
RUNTIME_S    := $(wildcard runtime/*/*_$(ARCH).S)
RACE_C       := $(filter-out $(addprefix %_,$(addsuffix .c,$(OTHER_ARCH))),$(wildcard race/*.c race/*/*.c))
RACE_S       := $(wildcard race/*/*_$(ARCH).S)
RUNTIME_O    := $(RUNTIME_C:.c=.o) $(RUNTIME_S:.S=.S.o)
# The seeded scheduler and the search for leaks are for race builds.
PLAIN_O      := $(filter-out runtime/sched/seed.o runtime/sched/strategy.o runtime/sched/schedule.o \
		runtime/debug/interleaving.o runtime/debug/leak.o,$(RUNTIME_O))
RACE_O       := $(RACE_C:.c=.o) $(RACE_S:.S=.S.o)
REAL_SYMS    := $(wildcard tools/real.syms)
TOOLS        := $(patsubst tools/%/main.c,%,$(wildcard tools/*/main.c))
NOTSAN       := $(BUILD)/lib/goro/no-libtsan
HEADERS      := $(BUILD)/include/goro.h $(BUILD)/include/goro_cxx.h $(BUILD)/include/goro_race.h
PKGCONFIG    := $(patsubst tools/pkgconfig/%.in,$(BUILD)/lib/pkgconfig/%,$(wildcard tools/pkgconfig/*.in))
PRODUCTS     := $(TOOLS:%=$(BUILD)/bin/%) $(BUILD)/bin/goro-c++ $(BUILD)/lib/libgoro.a \
		$(if $(SANITIZE),,$(BUILD)/lib/libgoro-race.a) $(NOTSAN)/libtsan.a $(HEADERS) $(PKGCONFIG)

.PHONY: all demo test tests check format bench bench-race bench-recall stress soak hard-test nightly install uninstall clean help deps
.DELETE_ON_ERROR:
.SUFFIXES:
all: $(PRODUCTS)

# ---- objects ----

PLAIN := $(BUILD)/obj/plain
HOOKS := $(BUILD)/obj/hooks
FAILS := $(BUILD)/obj/fails
RACED := $(BUILD)/obj/race
MADE  := $(BUILD)/obj/flags

# A change of compiler or flags makes everything anew.
$(MADE): NOW = $(CC) $(CXX) $(CFLAGS_ALL)
# A file that comes or goes makes the archives anew.
LIST := $(BUILD)/obj/list
$(LIST): NOW = $(RUNTIME_O) $(RACE_O)
$(MADE) $(LIST): FORCE
	@mkdir -p $(@D)
	@echo '$(NOW)' | cmp -s - $@ || echo '$(NOW)' >$@
FORCE:

# The 16-byte atomics are inlined, never a call of libatomic.
$(HOOKS)/race/abi/%.o: FILE_FLAGS := -mcx16 -fomit-frame-pointer
$(HOOKS)/race/shadow/brief.o $(HOOKS)/race/shadow/leaf.o: FILE_FLAGS := -fomit-frame-pointer
# These define libc's functions: gcc folds memcmp into bcmp, and bcmp, a builtin, back into memcmp.
$(HOOKS)/race/intercept/%.o: FILE_FLAGS := -fno-builtin

$(HOOKS)/race/report/%.o: FILE_FLAGS := -DGORO_VERSION='"$(VERSION)"'

COMPILE = @mkdir -p $(@D); echo "  CC   $@"; $(CC) $(CFLAGS_ALL) $(FILE_FLAGS) -MMD -MP

$(PLAIN)/%.o: %.c $(MADE) Makefile
	$(COMPILE) -c $< -o $@
$(PLAIN)/%.S.o: %.S $(MADE) Makefile
	$(COMPILE) -c $< -o $@
$(FAILS)/%.o: %.c $(MADE) Makefile
	$(COMPILE) -DGORO_FAIL -c $< -o $@
$(HOOKS)/%.o: %.c $(MADE) Makefile
	$(COMPILE) -DGORO_RACE=1 -c $< -o $@
$(HOOKS)/%.S.o: %.S $(MADE) Makefile
	$(COMPILE) -DGORO_RACE=1 -c $< -o $@
$(RACED)/race/intercept/%.o: $(HOOKS)/race/intercept/%.o
	@mkdir -p $(@D); cp $< $@
$(RACED)/%.o: $(HOOKS)/%.o $(REAL_SYMS)
	@mkdir -p $(@D)
	@$(if $(REAL_SYMS),$(OBJCOPY) --redefine-syms=$(REAL_SYMS),cp) $< $@

# $(1): all but the member apart. Local, weak as said above.
# goro's code gets a section of its own, in the linked program too: base/frame.h.
JOIN = @mkdir -p $(@D); echo "  JOIN $@"; $(CC) -r -nostdlib -o $@ $(1) && $(OBJCOPY) --localize-hidden \
	$(foreach s,text text.unlikely text.hot text.startup text.exit,--rename-section .$s=goro_text) $@ && \
	nm -g --defined-only $@ | awk '$$3 !~ /^(goro_|__tsan_|Annotate)/ {print $$3}' >$@.weak && \
	{ [ ! -s $@.weak ] || $(OBJCOPY) --weaken-symbols=$@.weak $@; }
APART := runtime/sched/main.o

$(PLAIN)/goro.o: $(filter-out %/$(APART),$(PLAIN_O:%=$(PLAIN)/%)) $(LIST)
	$(call JOIN,$(filter %.o,$^))
$(RACED)/goro.o: $(filter-out %/$(APART),$(RUNTIME_O:%=$(RACED)/%) $(RACE_O:%=$(RACED)/%)) $(LIST)
	$(call JOIN,$(filter %.o,$^))

ARCHIVE = @mkdir -p $(@D); rm -f $@; echo "  AR   $@"; $(AR) rcs $@ $(filter %.o,$^)

$(BUILD)/lib/libgoro.a: $(PLAIN)/goro.o $(filter %/$(APART),$(PLAIN_O:%=$(PLAIN)/%))
	$(ARCHIVE)
$(BUILD)/lib/libgoro-race.a: $(RACED)/goro.o $(filter %/$(APART),$(RUNTIME_O:%=$(RACED)/%))
	$(ARCHIVE)
# For tests that look inside.
$(PLAIN)/inside.a: $(PLAIN_O:%=$(PLAIN)/%) $(LIST)
	$(ARCHIVE)
$(HOOKS)/inside.a: $(RUNTIME_O:%=$(HOOKS)/%) $(LIST)
	$(ARCHIVE)
# race/ without its interceptors, or a test would have the detector watch Criterion.
$(HOOKS)/race.a: $(RUNTIME_O:%=$(HOOKS)/%) $(patsubst %,$(HOOKS)/%,$(filter-out race/intercept/%,$(RACE_O))) $(LIST)
	$(ARCHIVE)

# gcc -fsanitize=thread in a command that also links asks for libtsan: it finds these empty ones.
$(NOTSAN)/libtsan.a: Makefile
	@mkdir -p $(@D); rm -f $@; $(AR) rcs $@
	@echo | $(CC) -x c -c - -o $(@D)/libtsan_preinit.o

$(BUILD)/include/%.h: runtime/%.h
	@mkdir -p $(@D); cp $< $@
$(BUILD)/lib/pkgconfig/%: tools/pkgconfig/%.in runtime/goro.h Makefile
	@mkdir -p $(@D); sed -e 's|@version@|$(VERSION)|' -e 's|@libs@|$(LIBS)|' $< >$@

# ---- tools ----

define TOOL_RULE
TOOL_O_$(1) := $$(patsubst %.c,$$(BUILD)/obj/%.o,$$(wildcard tools/$(1)/*.c)) \
	$$(patsubst %,$$(BUILD)/obj/%.o,$$(wildcard tools/$(1)/*.css tools/$(1)/*.js))
$$(BUILD)/bin/$(1): $$(TOOL_O_$(1))
	@mkdir -p $$(@D); echo "  LD   $$@"; $$(CC) $$(SAN) $$^ $$(TOOL_LIBS_$(1)) -o $$@
endef
TOOL_LIBS_goro-race := -ljansson -ldw -lelf -lm
$(foreach t,$(TOOLS),$(eval $(call TOOL_RULE,$(t))))

$(BUILD)/obj/tools/%.o: tools/%.c $(MADE) Makefile
	$(COMPILE) -DGORO_VERSION='"$(VERSION)"' -DGORO_LIBS='"$(LIBS)"' -DGORO_STATIC_LIBS='"$(STATIC_LIBS)"' -c $< -o $@
# Files that a tool holds as they are: symbols _binary_NAME_start and _end.
$(BUILD)/obj/tools/%.css.o: tools/%.css Makefile
	@mkdir -p $(@D); cd $(<D) && $(LD) -r -b binary -z noexecstack -o $(abspath $@) $(<F)
$(BUILD)/obj/tools/%.js.o: tools/%.js Makefile
	@mkdir -p $(@D); cd $(<D) && $(LD) -r -b binary -z noexecstack -o $(abspath $@) $(<F)
$(BUILD)/bin/goro-c++: $(BUILD)/bin/goro-cc
	@ln -sf goro-cc $@

# ---- tests ----
#
# A test is tests/<room>/<name>_test.c (or .cc): a Criterion program, built as BUILD/tests/<room>/<name>_test.
# It sees GORO_BUILD_DIR and GORO_SOURCE_DIR (absolute paths, strings), and links tests/support as an archive.
#   unit         the plain objects; a test that includes "../../race/..." gets those of the race build, but for
#                race/intercept, and GORO_RACE=1. A function the test defines itself replaces goro's.
#   api, stress  libgoro.a, through goro.h
#   api-race     tests/api again, compiled by goro-cc -race and with libgoro-race.a
#   hooks        the runtime with hooks, and the other .c files of tests/hooks in place of race/
#   fail         as unit, with every system call and allocation going by tests/support/os_fail.c
#   the others   nothing of goro: they run the driver and what it builds

LINK_ROOMS := unit api stress hooks $(if $(filter thread,$(SANITIZE)),,fail)
ALL_TESTS  := $(wildcard tests/*/*_test.c tests/*/*_test.cc)
UNIT_RACE  := $(shell grep -l '^.include "[./]*race/' $(filter tests/unit/%,$(ALL_TESTS)) /dev/null)
TEST_SRC   := $(if $(SANITIZE),$(filter-out $(UNIT_RACE),$(filter $(LINK_ROOMS:%=tests/%/%),$(ALL_TESTS))),$(ALL_TESTS))
TEST_ROOMS := $(sort $(patsubst tests/%/,%,$(dir $(TEST_SRC))))
API_SRC    := $(filter tests/api/%_test.c,$(TEST_SRC))
TESTS      ?= $(TEST_ROOMS) $(if $(SANITIZE),,$(if $(API_SRC),api-race))
TEST_BIN   := $(patsubst tests/%,$(BUILD)/tests/%,$(basename $(foreach r,$(TESTS),$(filter tests/$(r)/%, \
		$(TEST_SRC) $(API_SRC:tests/api/%=tests/api-race/%)))))
SUPPORT_C  := $(wildcard tests/support/*.c)
SUPPORT    := $(BUILD)/obj/tests/libsupport.a
HELPERS_C   = $(filter-out %_test.c,$(wildcard tests/$(1)/*.c))
# Criterion cannot start under ThreadSanitizer: a stand-in of ours runs the same tests.
STANDIN    := $(if $(filter thread,$(SANITIZE)),tests/support/criterion_tsan)
CRITERION  := $(if $(STANDIN),$(BUILD)/obj/$(STANDIN)/main.o,-lcriterion)
TEST_DEFS  := $(STANDIN:%=-I%) -I. -idirafter runtime -Itests -DGORO_BUILD_DIR='"$(BUILD_ABS)"' -DGORO_SOURCE_DIR='"$(SOURCE)"'
TEST_FLAGS  = $(filter-out -fvisibility=hidden,$(CFLAGS_ALL)) $(TEST_DEFS) $(TEST_RACE)
CXX_FLAGS   = $(filter-out -std=gnu11 -fvisibility=hidden -Wstrict-prototypes -Wmissing-prototypes,$(CFLAGS_ALL)) \
	      -std=gnu++17 $(TEST_DEFS)
TEST_OBJ    = $(BUILD)/obj/tests

$(TEST_OBJ)/%.o: tests/%.c $(MADE) Makefile
	@mkdir -p $(@D); echo "  CC   $@"; $(CC) $(TEST_FLAGS) -MMD -MP -c $< -o $@
$(TEST_OBJ)/%.o: tests/%.cc $(MADE) Makefile
	@mkdir -p $(@D); echo "  CXX  $@"; $(CXX) $(CXX_FLAGS) -MMD -MP -c $< -o $@
$(TEST_OBJ)/hooks/%.o: TEST_RACE := -DGORO_RACE=1

$(SUPPORT): $(SUPPORT_C:tests/%.c=$(TEST_OBJ)/%.o)
	$(ARCHIVE)

$(UNIT_RACE:tests/%.c=$(TEST_OBJ)/%.o): TEST_RACE := -DGORO_RACE=1

# $(1) source; $(2) archive; $(3) room's helper objects
define TEST_RULE
$$(BUILD)/$(basename $(1)): $$(TEST_OBJ)/$(basename $(1:tests/%=%)).o $(3) $$(SUPPORT) $(2) $$(filter %.o,$$(CRITERION))
	@mkdir -p $$(@D); echo "  LD   $$@"
	@$(if $(filter %.cc,$(1)),$$(CXX),$$(CC)) $$(SAN) $$(filter %.o,$$^) $(if $(2),-Wl$$(COMMA)-z$$(COMMA)muldefs) \
		-Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(filter -l%,$$(CRITERION)) \
		$(if $(filter tests/fail/%,$(1)),$(FAIL_WRAP)) $$(LIBS) -lm -o $$@
endef
test_archive = $(if $(filter tests/hooks/%,$(1)),$$(HOOKS)/inside.a,$(if \
	$(filter $(UNIT_RACE),$(1)),$$(HOOKS)/race.a,$(if \
	$(filter tests/unit/% tests/fail/%,$(1)),$$(PLAIN)/inside.a,$(if \
	$(filter $(LINK_ROOMS:%=tests/%/%),$(1)),$$(BUILD)/lib/libgoro.a))))
test_room    = $(firstword $(subst /, ,$(1:tests/%=%)))
test_helpers = $(if $(filter $(LINK_ROOMS),$(call test_room,$(1))),$(patsubst \
	tests/%.c,$$(TEST_OBJ)/%.o,$(call HELPERS_C,$(call test_room,$(1)))))
# Those of goro's objects that call the system, in their failing form; and what else may fail.
FAIL_O       := $(patsubst %.c,$(FAILS)/%.o,$(filter runtime/os/%,$(RUNTIME_C)))
FAIL_WRAP    := $(patsubst %,-Wl$(COMMA)--wrap=%,malloc calloc realloc pthread_create)
$(foreach t,$(TEST_SRC),$(eval $(call TEST_RULE,$(t),$(call test_archive,$(t)),$(call \
	test_helpers,$(t)) $(if $(filter tests/fail/%,$(t)),$(FAIL_O)))))

$(TEST_OBJ)/api-race/%.o: tests/api/%.c $(BUILD)/bin/goro-cc $(HEADERS) $(MADE) Makefile
	@mkdir -p $(@D); echo "  RACE $@"
	@$(BUILD)/bin/goro-cc --goro-cc='$(CC)' -race $(filter-out $(SAN),$(TEST_FLAGS)) -MMD -MP -c $< -o $@
$(BUILD)/tests/api-race/%: $(TEST_OBJ)/api-race/%.o \
		$(patsubst tests/api/%.c,$(TEST_OBJ)/api-race/%.o,$(call HELPERS_C,api)) $(SUPPORT) $(RACED)/goro.o
	@mkdir -p $(@D); echo "  LD   $@"
	@$(CC) $(filter %.o,$^) $(SUPPORT) $(CRITERION) $(LIBS) -lm -o $@

# Before anything is compiled for them, what it takes is there; and tests, which look at the clock, run alone.
deps:
	@tools/deps.sh $(if $(filter test,$(MAKECMDGOALS)),test,build)
ifneq ($(filter test demo,$(MAKECMDGOALS)),)
$(MADE): | deps
endif
ifneq ($(filter check,$(MAKECMDGOALS)),)
test demo: | check
endif
ifneq ($(filter demo,$(MAKECMDGOALS)),)
test: | demo
endif

tests: all $(TEST_BIN)

# What lives as long as the process (caches, the scheduler's tables) is no leak.
test: deps tests
	@$(if $(SANITIZE),ASAN_OPTIONS=detect_leaks=0:$$ASAN_OPTIONS) TEST_TIMEOUT=$(TEST_TIMEOUT) tools/run-tests.sh $(BUILD)/tests "$(ARGS)" $(TEST_BIN)

stress: all $(filter $(BUILD)/tests/stress/% $(BUILD)/tests/model/% $(BUILD)/tests/bounded/% $(BUILD)/tests/cases/%,$(TEST_BIN)) \
		$(BUILD)/tests/api/many_test
	@GORO_STRESS=$(STRESS) TEST_TIMEOUT=$(shell expr $(TEST_TIMEOUT) \* $(STRESS)) \
		tools/run-tests.sh $(BUILD)/tests "$(ARGS)" $(filter $(BUILD)/tests/stress/% $(BUILD)/tests/model/% $(BUILD)/tests/bounded/%,$(TEST_BIN))
	@GORO_STRESS=$(STRESS) TEST_TIMEOUT=700 \
		tools/run-tests.sh $(BUILD)/tests "$(ARGS) -j1" $(BUILD)/tests/api/many_test; rc=$$?; \
		grep -a '^many:' $(BUILD)/tests/api/many_test.log; exit $$rc
	@GORO_FAR=1 GORO_CASES="gcc -O2" GORO_SUBJECTS=distance,readers TEST_TIMEOUT=7200 \
		tools/run-tests.sh $(BUILD)/tests "$(ARGS) --timeout 7200 -j1" $(filter $(BUILD)/tests/cases/%,$(TEST_BIN))

# Shrunk counters, ids and thresholds: what overflows once in a year does so here.
hard-test:
	@GORO_CASES="$(or $(GORO_CASES),gcc -O2)" MODEL_PROGRAMS=$(or $(MODEL_PROGRAMS),30) \
		$(MAKE) HARD=1 TESTS="cases model" test

nightly: all $(filter $(BUILD)/tests/model/%,$(TEST_BIN))
	@MODEL_PROGRAMS=10000 MODEL_SEED=$(or $(MODEL_SEED),$(shell date +%Y%m%d)00000) TEST_TIMEOUT=36000 \
		tools/run-tests.sh $(BUILD)/tests "$(ARGS)" $(filter $(BUILD)/tests/model/%,$(TEST_BIN))

soak: all $(BUILD)/tests/stress/torture_test
	@GORO_STRESS=$(SOAK) TEST_TIMEOUT=$(shell expr $(SOAK) \* 3 + 300) \
		tools/run-tests.sh $(BUILD)/tests "$(ARGS)" $(BUILD)/tests/stress/torture_test; rc=$$?; \
		grep '^torture:' $(BUILD)/tests/stress/torture_test.log; exit $$rc

# ---- benchmarks: tests/bench/NAME/run.sh BUILD builds, runs, and prints its table; recall's has no times ----

bench: all
	@for b in $(or $(BENCH),$(filter-out recall,$(patsubst tests/bench/%/run.sh,%,$(wildcard tests/bench/*/run.sh)))); do \
		bash tests/bench/$$b/run.sh $(BUILD_ABS) $(ARGS) || exit 1; done

bench-race: all
	@bash tests/bench/race/run.sh $(BUILD_ABS) $(ARGS)

bench-recall: all
	@bash tests/bench/recall/run.sh $(BUILD_ABS) $(ARGS)

# ---- the rest ----

demo: deps all
	@tools/demo.sh $(BUILD_ABS) docs/examples

check: all
	@tools/deps.sh check
	@tools/check-layers.sh
	@tools/check-exports.sh $(BUILD)
	@tools/check-source.sh
	@tools/check-hot.sh $(BUILD_ABS)
	@tests/spin/run.sh $(BUILD_ABS)

# Lay the source out; goro.h is laid by hand.
format:
	@tools/deps.sh check
	@clang-format -i $(filter-out runtime/goro.h,$(wildcard runtime/*.[ch] runtime/*/*.[ch] race/*.[ch] race/*/*.[ch] tools/*/*.[ch]))

D := $(DESTDIR)$(PREFIX)
install: all
	install -d $D/bin $D/include $D/lib/pkgconfig $D/lib/goro/no-libtsan $D/share/man/man1 $D/share/goro/gdb
	install -m 755 $(TOOLS:%=$(BUILD)/bin/%) $D/bin
	ln -sf goro-cc $D/bin/goro-c++
	install -m 644 $(HEADERS) $D/include
	install -m 644 $(BUILD)/lib/libgoro.a $(BUILD)/lib/libgoro-race.a $D/lib
	install -m 644 $(NOTSAN)/libtsan.a $(NOTSAN)/libtsan_preinit.o $D/lib/goro/no-libtsan
	install -m 644 $(PKGCONFIG) $D/lib/pkgconfig
	install -m 644 tools/gdb/goro-gdb.py $D/share/goro/gdb
	for m in $(wildcard docs/man/*.1); do install -m 644 $$m $D/share/man/man1 || exit 1; done
	ln -sf goro-cc.1 $D/share/man/man1/goro-c++.1

uninstall:
	rm -f $(TOOLS:%=$D/bin/%) $D/bin/goro-c++ $D/include/goro.h $D/include/goro_cxx.h $D/include/goro_race.h
	rm -f $D/lib/libgoro.a $D/lib/libgoro-race.a $(PKGCONFIG:$(BUILD)/lib/%=$D/lib/%)
	rm -f $D/share/man/man1/goro-c++.1 $(patsubst docs/man/%,$D/share/man/man1/%,$(wildcard docs/man/*.1))
	rm -rf $D/lib/goro $D/share/goro

clean:
	rm -rf $(BUILD)

help:
	@sed -n '2,/^$$/s/^# \{0,1\}//p' Makefile

# A link to a test's or tool's object keeps it; make would otherwise delete what only chains.
.SECONDARY:
-include $(shell [ -d $(BUILD)/obj ] && find $(BUILD)/obj -name '*.d')
