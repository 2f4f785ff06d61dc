/*
 * misuse_test.c: each kind of finding that is no race: its text, its JSON, and the key that turns it off. The
 * programs are those of tests/cases.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support/scratch.h"

#define VALIDATE "/usr/bin/python3 $S/tests/support/validate.py "

static void build(const char *subject, const char *compiler)
{
	scratch_enter(GORO_BUILD_DIR, GORO_SOURCE_DIR);
	cr_assert(sh_is(0, "gcc -O2 -c $S/tests/support/invisible.c && ar rcs libinvisible.a invisible.o && D=$PWD && "
			   "cd $S/tests/cases && %s -race -g -O1 -w %s $D/libinvisible.a -o $D/p -pthread", compiler, subject));
}

/* Addresses are the run's own. Ids are each processor's own (taken sixteen at a time): on one they are those of the creation. */
#define SAME_ADDRESSES "2>&1 | sed 's/0x[0-9a-f]\\{6,\\}/ADDR/g; s/+0x[0-9a-f]*/+OFF/g; s/ (order+OFF)//; s/order\\.c:[0-9]*/order.c:N/g' "

Test(misuse, text_of_a_lock_order_inversion)
{
	static const char text[] =
	    "==================\n"
	    "WARNING: LOCK ORDER INVERSION (POTENTIAL DEADLOCK)\n"
	    "Cycle of locks: 'b' ADDR => 'a' ADDR => 'b' ADDR\n"
	    "\n"
	    "Lock of mutex 'a' at ADDR by goroutine 3 (holding mutex ADDR locked at order.c:N):\n"
	    "  lock_a()\n"
	    "      order.c:N +OFF\n"
	    "  b_then_a()\n"
	    "      order.c:N +OFF\n"
	    "\n"
	    "Previous lock of mutex 'b' at ADDR by goroutine 3:\n"
	    "  lock_b()\n"
	    "      order.c:N +OFF\n"
	    "  b_then_a()\n"
	    "      order.c:N +OFF\n"
	    "\n"
	    "Previous lock of mutex 'b' at ADDR by goroutine 2 (holding mutex ADDR locked at order.c:N):\n"
	    "  lock_b()\n"
	    "      order.c:N +OFF\n"
	    "  a_then_b()\n"
	    "      order.c:N +OFF\n"
	    "\n"
	    "Previous lock of mutex 'a' at ADDR by goroutine 2:\n"
	    "  lock_a()\n"
	    "      order.c:N +OFF\n"
	    "  a_then_b()\n"
	    "      order.c:N +OFF\n"
	    "\n"
	    "Location is global 'a' of size 4 at ADDR defined at order.c:N";

	build("order.c", "$CC");
	cr_assert(sh_is(0, "GOMAXPROCS=1 GORACE=source=0 ./p race_order_two_mutexes " SAME_ADDRESSES));
	cr_assert(out_has(text));
	cr_assert(out_has("\nFound 0 data race(s), 1 misuse(s)\n"));
}

typedef struct Kind {
	const char *subject, *compiler, *name, *id, *key;
} Kind;

Test(misuse, each_kind_has_an_id_and_a_key, .timeout = 280)
{
	static const Kind kinds[] = {
	    {"order.c", "$CC", "race_order_pthreads", "lock-order-inversion", "detect_deadlocks"},
	    {"rworder.c", "$CC", "race_rworder_reads_again_after_a_writer", "recursive-read-lock", "detect_deadlocks"},
	    {"rworder.c", "$CC", "race_rworder_annotated_read_unlock_of_write_locked", "read-unlock-of-write-locked", "report_mutex_bugs"},
	    {"rworder.c", "$CC", "race_rworder_annotated_write_unlock_of_read_locked", "write-unlock-of-read-locked", "report_mutex_bugs"},
	    {"misuse.c", "$CC", "race_misuse_write_lock_twice", "double-lock", "report_mutex_bugs"},
	    {"misuse.c", "$CC", "race_misuse_read_lock_of_write_locked", "read-lock-of-write-locked", "report_mutex_bugs"},
	    {"misuse.c", "$CC", "race_misuse_unlock_of_unlocked", "unlock-of-unlocked", "report_mutex_bugs"},
	    {"misuse.c", "$CC", "race_misuse_unlock_by_another_thread", "unlock-by-wrong-thread", "report_mutex_bugs"},
	    {"misuse.c", "$CC", "race_misuse_lock_of_destroyed", "use-of-destroyed", "report_mutex_bugs"},
	    {"misuse.c", "$CC", "race_misuse_destroy_locked", "destroy-of-locked", "report_destroy_locked"},
	    {"leak.c", "$CC", "race_leak_many_of_one_place", "thread-leak", "report_thread_leaks"},
	    {"handler.c", "$CC", "race_handler_malloc", "signal-unsafe-call", "report_signal_unsafe"},
	    {"handler.c", "$CC", "race_handler_errno", "signal-errno", "report_signal_errno"},
	    {"heap.c", "$CC", "race_heap_free_then_read", "use-after-free", "report_use_after_free"},
	    {"cxx.cc", "$CXX", "race_cxx_call_and_destructor", "vptr-race", "report_vptr_races"},
	};
	const char *built = "";

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		const Kind *k = &kinds[i];
		char id[64];
		if (strcmp(built, k->subject) != 0)
			build(built = k->subject, k->compiler);
		snprintf(id, sizeof id, "{\"kind\":\"%s\",", k->id);
		cr_assert(sh_is(66, "rm -f j.*; GORACE='format=json log_path=j' ./p %s", k->name), "%s", k->name);
		cr_assert(sh_is(0, "cat j.*"));
		cr_assert(out_has(id));
		cr_assert(sh_is(0, VALIDATE "--lines $S/docs/report-schema.json j.*"));
		cr_assert(sh_is(0, "GORACE=%s=0 ./p %s", k->key, k->name), "%s", k->key);
		cr_assert_str_empty(last_run()->err, "%s: %s", k->key, last_run()->err);
	}
}
