/*
 * order.c: the order of locks. A cycle in it is reported where a deadlock could have been: also where
 * the locks are of different kinds, the cycle is long, or a reader waits for a writer. Silent: gates,
 * readers among themselves, locks that were only tried, another lock at an old one's address.
 */
#include "case.h"

#include <pthread.h>

static goro_mutex a, b, c, gate;
static goro_rwmutex ra, rb;
static pthread_mutex_t pa = PTHREAD_MUTEX_INITIALIZER, pb = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t pra = PTHREAD_RWLOCK_INITIALIZER, prb = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;

ACCESS(lock_a, goro_mutex_lock(&a))
ACCESS(lock_b, goro_mutex_lock(&b))
ACCESS(lock_c, goro_mutex_lock(&c))
ACCESS(lock_pa, pthread_mutex_lock(&pa))
ACCESS(lock_pb, pthread_mutex_lock(&pb))
ACCESS(write_lock_ra, goro_rwmutex_lock(&ra))
ACCESS(write_lock_rb, goro_rwmutex_lock(&rb))
ACCESS(read_lock_ra, goro_rwmutex_rlock(&ra))
ACCESS(read_lock_rb, goro_rwmutex_rlock(&rb))
ACCESS(write_lock_pra, pthread_rwlock_wrlock(&pra))
ACCESS(write_lock_prb, pthread_rwlock_wrlock(&prb))
ACCESS(read_lock_pra, pthread_rwlock_rdlock(&pra))
ACCESS(read_lock_prb, pthread_rwlock_rdlock(&prb))
ACCESS(lock_spin, pthread_spin_lock(&spin))

/* One after the other, so that nothing hangs. */
static void in_turn(void (*f)(void), void (*g)(void))
{
	go(f);
	arrived(1);
	go(g);
	arrived(2);
}

static void a_then_b(void)
{
	lock_a();
	lock_b();
	goro_mutex_unlock(&b);
	goro_mutex_unlock(&a);
	arrive();
}
static void b_then_a(void)
{
	lock_b();
	lock_a();
	goro_mutex_unlock(&a);
	goro_mutex_unlock(&b);
	arrive();
}
static void race_order_two_mutexes(void)
{
	in_turn(a_then_b, b_then_a);
}
static void norace_order_always_the_same(void)
{
	in_turn(a_then_b, a_then_b);
	a_then_b();
}
/* The order is a property of the code: another run may have them done by two. */
static void race_order_by_one_goroutine(void)
{
	a_then_b();
	b_then_a();
}
/* Said once, however often it comes about. */
static void race_order_again_and_again(void)
{
	for (volatile int i = 0; i < 100; i++) {
		a_then_b();
		b_then_a();
	}
}

/* ---- longer ones ---- */

static void b_then_c(void)
{
	lock_b();
	lock_c();
	goro_mutex_unlock(&c);
	goro_mutex_unlock(&b);
	arrive();
}
static void c_then_a(void)
{
	lock_c();
	lock_a();
	goro_mutex_unlock(&a);
	goro_mutex_unlock(&c);
	arrive();
}
static void race_order_three_mutexes(void)
{
	in_turn(a_then_b, b_then_c);
	go(c_then_a);
	arrived(3);
}

static goro_mutex many[40];
static APART void lock_two(int i, int k)
{
	goro_mutex_lock(&many[i]);
	goro_mutex_lock(&many[k]);
	goro_mutex_unlock(&many[k]);
	goro_mutex_unlock(&many[i]);
}
static void race_order_forty_mutexes(void)
{
	for (volatile int i = 0; i < 40; i++)
		lock_two(i, (i + 1) % 40);
}
static void norace_order_forty_mutexes_but_the_last(void)
{
	for (volatile int i = 0; i < 39; i++)
		lock_two(i, i + 1);
	lock_two(0, 39);
}
/* golang-like lists of held locks have no end either: TSan stopped at 64 (sanitizers#950). */
static goro_mutex heap_of_locks[100];
static void hold_a_hundred(void)
{
	for (volatile int i = 0; i < 100; i++)
		goro_mutex_lock(&heap_of_locks[i]);
	for (volatile int i = 0; i < 100; i++)
		goro_mutex_unlock(&heap_of_locks[i]);
}
static void norace_order_a_hundred_held(void)
{
	hold_a_hundred();
	hold_a_hundred();
}
ACCESS(lock_first, goro_mutex_lock(&heap_of_locks[0]))
ACCESS(lock_last, goro_mutex_lock(&heap_of_locks[99]))
static void race_order_a_hundred_held(void)
{
	hold_a_hundred();
	lock_last();
	lock_first();
	goro_mutex_unlock(&heap_of_locks[0]);
	goro_mutex_unlock(&heap_of_locks[99]);
}

/* ---- of several kinds ---- */

static void a_then_pa(void)
{
	lock_a();
	lock_pa();
	pthread_mutex_unlock(&pa);
	goro_mutex_unlock(&a);
	arrive();
}
static void pa_then_a(void)
{
	lock_pa();
	lock_a();
	goro_mutex_unlock(&a);
	pthread_mutex_unlock(&pa);
	arrive();
}
static void race_order_goro_and_pthread(void)
{
	in_turn(a_then_pa, pa_then_a);
}

static void *pa_then_pb(void *arg)
{
	lock_pa();
	lock_pb();
	pthread_mutex_unlock(&pb);
	pthread_mutex_unlock(&pa);
	return arg;
}
static void *pb_then_pa(void *arg)
{
	lock_pb();
	lock_pa();
	pthread_mutex_unlock(&pa);
	pthread_mutex_unlock(&pb);
	return arg;
}
static void threads_in_turn(void *(*f)(void *), void *(*g)(void *))
{
	pthread_t th;
	pthread_create(&th, NULL, f, NULL);
	pthread_join(th, NULL);
	pthread_create(&th, NULL, g, NULL);
	pthread_join(th, NULL);
}
static void race_order_pthreads(void)
{
	threads_in_turn(pa_then_pb, pb_then_pa);
}
static void norace_order_pthreads(void)
{
	threads_in_turn(pa_then_pb, pa_then_pb);
}

static void *pa_then_spin(void *arg)
{
	lock_pa();
	lock_spin();
	pthread_spin_unlock(&spin);
	pthread_mutex_unlock(&pa);
	return arg;
}
static void *spin_then_pa(void *arg)
{
	lock_spin();
	lock_pa();
	pthread_mutex_unlock(&pa);
	pthread_spin_unlock(&spin);
	return arg;
}
static void race_order_spin_lock(void)
{
	pthread_spin_init(&spin, 0);
	threads_in_turn(pa_then_spin, spin_then_pa);
}

/* ---- readers ---- */

static void read_ra_then_write_rb(void)
{
	read_lock_ra();
	write_lock_rb();
	goro_rwmutex_unlock(&rb);
	goro_rwmutex_runlock(&ra);
	arrive();
}
static void read_rb_then_write_ra(void)
{
	read_lock_rb();
	write_lock_ra();
	goro_rwmutex_unlock(&ra);
	goro_rwmutex_runlock(&rb);
	arrive();
}
static void race_order_readers_then_writers(void)
{
	in_turn(read_ra_then_write_rb, read_rb_then_write_ra);
}
static void read_both(void)
{
	read_lock_ra();
	read_lock_rb();
	goro_rwmutex_runlock(&rb);
	goro_rwmutex_runlock(&ra);
	arrive();
}
static void read_both_backwards(void)
{
	read_lock_rb();
	read_lock_ra();
	goro_rwmutex_runlock(&ra);
	goro_rwmutex_runlock(&rb);
	arrive();
}
static void norace_order_readers_only(void)
{
	in_turn(read_both, read_both_backwards);
}
static void write_ra_then_read_rb(void)
{
	write_lock_ra();
	read_lock_rb();
	goro_rwmutex_runlock(&rb);
	goro_rwmutex_unlock(&ra);
	arrive();
}
static void write_rb_then_read_ra(void)
{
	write_lock_rb();
	read_lock_ra();
	goro_rwmutex_runlock(&ra);
	goro_rwmutex_unlock(&rb);
	arrive();
}
static void race_order_writers_then_readers(void)
{
	in_turn(write_ra_then_read_rb, write_rb_then_read_ra);
}
/* One link of two is among readers: no deadlock. */
static void norace_order_one_link_of_readers(void)
{
	in_turn(write_ra_then_read_rb, read_both_backwards);
}
static void *read_pra_then_write_prb(void *arg)
{
	read_lock_pra();
	write_lock_prb();
	pthread_rwlock_unlock(&prb);
	pthread_rwlock_unlock(&pra);
	return arg;
}
static void *read_prb_then_write_pra(void *arg)
{
	read_lock_prb();
	write_lock_pra();
	pthread_rwlock_unlock(&pra);
	pthread_rwlock_unlock(&prb);
	return arg;
}
static void race_order_pthread_rwlocks(void)
{
	threads_in_turn(read_pra_then_write_prb, read_prb_then_write_pra);
}
static void *read_prb_then_read_pra(void *arg)
{
	read_lock_prb();
	read_lock_pra();
	pthread_rwlock_unlock(&pra);
	pthread_rwlock_unlock(&prb);
	return arg;
}
static void *read_pra_then_read_prb(void *arg)
{
	read_lock_pra();
	read_lock_prb();
	pthread_rwlock_unlock(&prb);
	pthread_rwlock_unlock(&pra);
	return arg;
}
static void norace_order_pthread_readers_only(void)
{
	threads_in_turn(read_prb_then_read_pra, read_pra_then_read_prb);
}

/* ---- gates ---- */

static void gate_a_then_b(void)
{
	goro_mutex_lock(&gate);
	a_then_b();
	goro_mutex_unlock(&gate);
}
static void gate_b_then_a(void)
{
	goro_mutex_lock(&gate);
	b_then_a();
	goro_mutex_unlock(&gate);
}
static void norace_order_behind_a_gate(void)
{
	in_turn(gate_a_then_b, gate_b_then_a);
}
static void race_order_one_comes_without_the_gate(void)
{
	in_turn(gate_a_then_b, b_then_a);
}
/* The gate first, and then without: what was no deadlock becomes one. */
static void race_order_gate_left_out_later(void)
{
	in_turn(gate_a_then_b, gate_b_then_a);
	go(a_then_b);
	arrived(3);
	go(b_then_a);
	arrived(4);
}
static void read_gate_a_then_b(void)
{
	goro_rwmutex_rlock(&ra);
	a_then_b();
	goro_rwmutex_runlock(&ra);
}
static void read_gate_b_then_a(void)
{
	goro_rwmutex_rlock(&ra);
	b_then_a();
	goro_rwmutex_runlock(&ra);
}
static void race_order_readers_pass_a_gate_together(void)
{
	in_turn(read_gate_a_then_b, read_gate_b_then_a);
}

/* ---- tried only ---- */

static void b_then_try_a(void)
{
	lock_b();
	if (goro_mutex_trylock(&a))
		goro_mutex_unlock(&a);
	goro_mutex_unlock(&b);
	arrive();
}
static void norace_order_trylock(void)
{
	in_turn(a_then_b, b_then_try_a);
}
static void *pb_then_try_pa(void *arg)
{
	struct timespec soon;
	lock_pb();
	if (pthread_mutex_trylock(&pa) == 0)
		pthread_mutex_unlock(&pa);
	clock_gettime(CLOCK_REALTIME, &soon);
	if (pthread_mutex_timedlock(&pa, &soon) == 0)
		pthread_mutex_unlock(&pa);
	pthread_mutex_unlock(&pb);
	return arg;
}
static void norace_order_pthread_trylock(void)
{
	threads_in_turn(pa_then_pb, pb_then_try_pa);
}
/* What was tried is held, and others wait for it. */
static void try_b_then_a(void)
{
	if (!goro_mutex_trylock(&b))
		abort();
	lock_a();
	goro_mutex_unlock(&a);
	goro_mutex_unlock(&b);
	arrive();
}
static void race_order_holding_what_was_tried(void)
{
	in_turn(a_then_b, try_b_then_a);
}

/* ---- is it the same lock? ---- */

static APART void lock_both(goro_mutex *p, goro_mutex *q)
{
	goro_mutex_lock(p);
	goro_mutex_lock(q);
	goro_mutex_unlock(q);
	goro_mutex_unlock(p);
}
/* The next round's blocks are the last one's, the other way about. */
static void norace_order_freed_and_reused(void)
{
	goro_mutex *p = calloc(1, sizeof *p), *q = calloc(1, sizeof *q);
	for (int i = 0; i < 20; i++) {
		lock_both(p, q);
		free(p);
		free(q);
		goro_mutex *was = p;
		p = calloc(1, sizeof *p);
		q = calloc(1, sizeof *q);
		if (p == was) {
			was = p;
			p = q;
			q = was;
		}
	}
}
static APART void locals_forth(void)
{
	goro_mutex locals[2] = {{0}, {0}};
	lock_both(&locals[0], &locals[1]);
}
static APART void locals_back(void)
{
	goro_mutex locals[2] = {{0}, {0}};
	lock_both(&locals[1], &locals[0]);
}
static void norace_order_other_locals(void)
{
	for (volatile int i = 0; i < 20; i++) {
		locals_forth();
		locals_back();
	}
}
static void race_order_of_locals(void)
{
	goro_mutex locals[2] = {{0}, {0}};
	lock_both(&locals[0], &locals[1]);
	lock_both(&locals[1], &locals[0]);
}
static void norace_order_destroyed_and_made_anew(void)
{
	pthread_mutex_t m[2];
	for (volatile int i = 0; i < 6; i++) {
		pthread_mutex_init(&m[0], NULL);
		pthread_mutex_init(&m[1], NULL);
		pthread_mutex_lock(&m[i % 2]);
		pthread_mutex_lock(&m[1 - i % 2]);
		pthread_mutex_unlock(&m[0]);
		pthread_mutex_unlock(&m[1]);
		pthread_mutex_destroy(&m[0]);
		pthread_mutex_destroy(&m[1]);
	}
}
/* A pool that zeroes what it gives out again. */
static struct {
	goro_mutex m;
	int n;
} pooled[2];
static void norace_order_zeroed_and_reused(void)
{
	for (volatile int i = 0; i < 6; i++) {
		memset(pooled, 0, sizeof pooled);
		lock_both(&pooled[i % 2].m, &pooled[1 - i % 2].m);
	}
}
/* But a write to its neighbour is none to the lock. */
static void race_order_neighbours_are_written(void)
{
	pooled[0].n = 1;
	lock_both(&pooled[0].m, &pooled[1].m);
	pooled[0].n = 2;
	pooled[1].n = 3;
	lock_both(&pooled[1].m, &pooled[0].m);
}

/* ---- unlocked by another: a semaphore, not a lock ---- */

static void locks_a_for_ever(void)
{
	goro_mutex_lock(&a);
	step(1);
	after(2);
	goro_mutex_lock(&b); /* does not hold a any more */
	goro_mutex_unlock(&b);
	step(3);
}
static void unlocks_a_for_the_other(void)
{
	after(1);
	goro_mutex_unlock(&a);
	step(2);
	after(3);
	goro_mutex_lock(&b);
	goro_mutex_lock(&a);
	goro_mutex_unlock(&a);
	goro_mutex_unlock(&b);
	step(4);
}
static void norace_order_unlocked_by_another(void)
{
	go(locks_a_for_ever);
	go(unlocks_a_for_the_other);
	after(4);
}

/* ---- told before it happens ---- */

static void a_then_b_meets(void)
{
	goro_mutex_lock(&a);
	step(1);
	after(2);
	goro_mutex_lock(&b);
}
static void b_then_a_meets(void)
{
	after(1);
	goro_mutex_lock(&b);
	step(2);
	goro_mutex_lock(&a);
}
/* Main sleeps, too: the runtime ends the process with its own words, after the detector's. */
static void race_order_the_deadlock_itself(void)
{
	go(a_then_b_meets);
	go(b_then_a_meets);
	after(2);
	goro_mutex_lock(&gate);
	goro_mutex_lock(&gate);
}

/* ---- annotated locks ---- */

void __tsan_mutex_pre_lock(void *addr, unsigned flags);
void __tsan_mutex_post_lock(void *addr, unsigned flags, int recursion);
int __tsan_mutex_pre_unlock(void *addr, unsigned flags);
void __tsan_mutex_post_unlock(void *addr, unsigned flags);
static char own[2];
static APART void own_lock(int i, unsigned flags)
{
	__tsan_mutex_pre_lock(&own[i], flags);
	__tsan_mutex_post_lock(&own[i], flags, 1);
}
static APART void own_unlock(int i)
{
	__tsan_mutex_pre_unlock(&own[i], 0);
	__tsan_mutex_post_unlock(&own[i], 0);
}
static void own_both(int first, unsigned flags)
{
	own_lock(first, 0);
	own_lock(1 - first, flags);
	own_unlock(1 - first);
	own_unlock(first);
}
static void race_order_annotated(void)
{
	own_both(0, 0);
	own_both(1, 0);
}
static void norace_order_annotated_trylock(void)
{
	own_both(0, 0);
	own_both(1, 0x10);
}
static void norace_order_annotated_recursive(void)
{
	own_lock(0, 0);
	own_both(1, 0);
	own_unlock(0);
	own_lock(0, 0);
	own_lock(1, 0);
	own_lock(0, 0);
	own_unlock(0);
	own_unlock(1);
	own_unlock(0);
}

/* Waiting for a condition takes its mutex again, while another lock is held. */
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static void *pa_then_wait_with_pb(void *arg)
{
	struct timespec soon;
	lock_pb();
	lock_pa();
	clock_gettime(CLOCK_REALTIME, &soon);
	pthread_cond_timedwait(&cond, &pb, &soon);
	pthread_mutex_unlock(&pa);
	pthread_mutex_unlock(&pb);
	return arg;
}
static void race_order_condition(void)
{
	threads_in_turn(pa_then_wait_with_pb, pa_then_wait_with_pb);
}

CASES(
    RACE(race_order_two_mutexes,
	"lock lock_a<b_then_a / lock lock_b<b_then_a / global a / lock lock_b<a_then_b / lock lock_a<a_then_b / says Cycle of locks: 'b' 0x")
    NORACE(norace_order_always_the_same)
    RACE(race_order_by_one_goroutine,
	"lock lock_a<b_then_a<race_order_by_one_goroutine / lock lock_b<b_then_a / global a / lock lock_b<a_then_b / lock lock_a<a_then_b")
    RACE(race_order_again_and_again, "lock lock_a<b_then_a / lock lock_b<b_then_a / global a")
    RACE(race_order_three_mutexes,
	"lock lock_a<c_then_a / lock lock_c<c_then_a / global a / lock lock_b<a_then_b / lock lock_a<a_then_b / lock lock_c<b_then_c / lock lock_b<b_then_c")
    RACE(race_order_forty_mutexes,
	"lock lock_two<race_order_forty_mutexes / lock lock_two<race_order_forty_mutexes / global many / says (8 more) => 'many")
    NORACE(norace_order_forty_mutexes_but_the_last)
    NORACE(norace_order_a_hundred_held)
    RACE(race_order_a_hundred_held, "lock lock_first<race_order_a_hundred_held / lock lock_last / global heap_of_locks")
    RACE(race_order_goro_and_pthread, "lock lock_a<pa_then_a / lock lock_pa<pa_then_a / global a / lock lock_pa<a_then_pa / lock lock_a<a_then_pa")
    RACE(race_order_pthreads, "lock lock_pa<pb_then_pa / lock lock_pb<pb_then_pa / global pa / lock lock_pb<pa_then_pb / lock lock_pa<pa_then_pb")
    NORACE(norace_order_pthreads)
    RACE(race_order_spin_lock, "lock lock_pa<spin_then_pa / lock lock_spin<spin_then_pa / global pa / lock lock_spin<pa_then_spin / lock lock_pa<pa_then_spin")
    RACE(race_order_readers_then_writers, "lock write_lock_ra<read_rb_then_write_ra / read lock read_lock_rb<read_rb_then_write_ra / global ra / lock write_lock_rb / read lock read_lock_ra")
    NORACE(norace_order_readers_only)
    RACE(race_order_writers_then_readers, "read lock read_lock_ra<write_rb_then_read_ra / lock write_lock_rb / global ra / read lock read_lock_rb / lock write_lock_ra")
    NORACE(norace_order_one_link_of_readers)
    RACE(race_order_pthread_rwlocks, "lock write_lock_pra<read_prb_then_write_pra / read lock read_lock_prb / global pra / lock write_lock_prb / read lock read_lock_pra")
    NORACE(norace_order_pthread_readers_only)
    NORACE(norace_order_behind_a_gate)
    RACE(race_order_one_comes_without_the_gate, "lock lock_a<b_then_a / lock lock_b<b_then_a / global a / lock lock_b<a_then_b<gate_a_then_b / lock lock_a<a_then_b")
    RACE(race_order_gate_left_out_later, "lock lock_b<a_then_b / lock lock_a<a_then_b / global b / lock lock_a<b_then_a<gate_b_then_a / lock lock_b<b_then_a ; lock lock_a<b_then_a / lock lock_b<b_then_a / global a / lock lock_b<a_then_b / lock lock_a<a_then_b")
    RACE(race_order_readers_pass_a_gate_together, "lock lock_a<b_then_a / lock lock_b<b_then_a / global a / lock lock_b<a_then_b / lock lock_a<a_then_b")
    NORACE(norace_order_trylock)
    NORACE(norace_order_pthread_trylock)
    RACE(race_order_holding_what_was_tried, "lock lock_a<try_b_then_a / lock try_b_then_a / global a / lock lock_b / lock lock_a")
    NORACE(norace_order_freed_and_reused)
    NORACE(norace_order_other_locals)
    RACE(race_order_of_locals, "lock lock_both<race_order_of_locals / lock lock_both<race_order_of_locals / stack / lock lock_both<race_order_of_locals / lock lock_both<race_order_of_locals")
    NORACE(norace_order_destroyed_and_made_anew)
    NORACE(norace_order_zeroed_and_reused)
    RACE(race_order_neighbours_are_written, "lock lock_both / lock lock_both / global pooled / lock lock_both / lock lock_both / says Cycle of locks: 'pooled[1].m' 0x")
    NORACE(norace_order_unlocked_by_another)
    RACE(race_order_the_deadlock_itself, "lock * / lock * / - / lock * / lock * / says all goroutines are asleep - deadlock!")
    RACE(race_order_annotated, "lock own_lock<own_both / lock own_lock<own_both / global own / lock own_lock / lock own_lock")
    NORACE(norace_order_annotated_trylock)
    NORACE(norace_order_annotated_recursive)
    RACE(race_order_condition, "lock * / lock lock_pa<pa_then_wait_with_pb / global pb / lock lock_pa<pa_then_wait_with_pb / lock lock_pb<pa_then_wait_with_pb")
)
