/*
 * leak.c: GORACE=leaks=1: goroutines that wait for ever, when the program ends (docs/race.md).
 *
 * A goroutine waits for ever when nothing that still runs can reach what it waits for. Reaching is guessed
 * conservatively, as LeakSanitizer and Go's goroutine leak profile (Saioc et al., GOLF) do:
 *
 *	roots: writable memory of all modules; mappings of the program's own; the stack of whoever ends the
 *	       process, of the thread that called goro_run, and of goroutines that can run, sleep, or wait for
 *	       a descriptor; registers of those in system calls; armed timers
 *	a word that points into a block of the heap: the block is reached, and all that it points to
 *	a goroutine that waits for something reached: it may run again; its stack is a root from then on
 *
 * Who is left when nothing changes any more leaks. Guessing too much costs a report, never invents one. What
 * would invent one is something that runs and moves pointers meanwhile, or that we cannot see. So Ms are
 * frozen (sched.ended), idle Ps and those in system calls are taken away for the time, and where a goroutine
 * computes on, or the program has threads of its own, nothing is looked for; one line says so.
 *
 * Heap blocks are those that the detector knows (hook_block). Memory of malloc that it does not (goro's own,
 * libc's) is believed to be a block where the words before look like malloc's header.
 */
#include "debug.h"

#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "../os/interrupt.h"
#include "../sched/internal.h"
#include "../symbol/symbol.h"

#define OBJECT     ((uintptr_t)64) /* a pointer so far into one still means it */
#define FRAMES     48
#define FREEZE_NS  INT64_C(200000000)
#define ARENA      ((uintptr_t)64 << 20) /* glibc's heaps of threads are aligned to that */
#define BLOCK_MOST ((size_t)1 << 40)

typedef struct Range {
	uintptr_t lo, hi;
} Range;

typedef struct Ranges {
	Range *at;
	size_t n, cap;
} Ranges;

typedef struct Blocked {
	G *g;
	uint32_t first, count; /* its objects */
	bool runs;             /* again, perhaps */
} Blocked;

/* What one waits for. Not in a block: an address that must be met in memory. */
typedef struct Object {
	uintptr_t addr;
	uintptr_t block;
	bool reached;
} Object;

static struct {
	Ranges todo;
	Ranges heaps;      /* where malloc's blocks may lie that the detector does not know */
	uintptr_t *marked; /* starts of blocks: open addressing, 0 empty */
	size_t nmarked, marked_cap;
	Blocked *blocked;
	size_t nblocked, blocked_cap;
	Object *objects;
	size_t nobjects, objects_cap;
	uintptr_t least, most; /* of the objects outside of blocks */
	const G *self;
	bool failed; /* no memory */
} leak;              /* by the one goroutine that ends the process */

/* ---- memory of its own ---- */

static bool grow(void **p, size_t *cap, size_t n, size_t each)
{
	if (n < *cap)
		return true;
	size_t more = *cap ? 2 * *cap : 4096;
	void *q = os_map(more * each);
	if (!q) {
		leak.failed = true;
		return false;
	}
	if (*p) {
		memcpy(q, *p, *cap * each);
		os_unmap(*p, *cap * each);
	}
	*p = q;
	*cap = more;
	return true;
}

static void add_range(Ranges *r, uintptr_t lo, uintptr_t hi)
{
	lo = (lo + 7) & ~(uintptr_t)7;
	if (lo < hi && grow((void **)&r->at, &r->cap, r->n, sizeof *r->at))
		r->at[r->n++] = (Range){lo, hi};
}

static size_t mark_slot(const uintptr_t *set, size_t cap, uintptr_t start)
{
	size_t i = (start * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (cap - 1);
	while (set[i] && set[i] != start)
		i = (i + 1) & (cap - 1);
	return i;
}

static bool is_marked(uintptr_t start)
{
	return leak.marked_cap && leak.marked[mark_slot(leak.marked, leak.marked_cap, start)];
}

/* False: it was. */
static bool mark(uintptr_t start)
{
	if (2 * (leak.nmarked + 1) > leak.marked_cap) {
		size_t cap = leak.marked_cap ? 2 * leak.marked_cap : 8192;
		uintptr_t *set = os_map(cap * sizeof *set);
		if (!set) {
			leak.failed = true;
			return false;
		}
		for (size_t i = 0; i < leak.marked_cap; i++)
			if (leak.marked[i])
				set[mark_slot(set, cap, leak.marked[i])] = leak.marked[i];
		if (leak.marked)
			os_unmap(leak.marked, leak.marked_cap * sizeof *set);
		leak.marked = set;
		leak.marked_cap = cap;
	}
	size_t i = mark_slot(leak.marked, leak.marked_cap, start);
	if (leak.marked[i])
		return false;
	leak.marked[i] = start;
	leak.nmarked++;
	return true;
}

/* ---- reaching ---- */

/* Of malloc's, by the look of its header: size and flags, and the next one's that says it is in use. */
static bool looks_like_block(uintptr_t p, size_t *size)
{
	for (size_t i = 0; i < leak.heaps.n; i++) {
		Range h = leak.heaps.at[i];
		if (p < h.lo + 16 || p >= h.hi)
			continue;
		size_t n = *(const size_t *)(p - 8) & ~(size_t)7;
		if (n < 32 || n & 15 || n > h.hi - p || p - 16 + n + 16 > h.hi)
			return false;
		*size = n - 8;
		return *(const size_t *)(p - 8 + n) & 1;
	}
	return false;
}

static void reach(uintptr_t w)
{
	uintptr_t start;
	size_t size;
	if (hook_block(w, &start, &size)) {
		if (size < BLOCK_MOST && mark(start))
			add_range(&leak.todo, start, start + size);
	} else if (!(w & 15) && looks_like_block(w, &size) && mark(w)) {
		add_range(&leak.todo, w, w + size);
	}
	if (w < leak.least || w >= leak.most + OBJECT)
		return;
	for (size_t i = 0; i < leak.nobjects; i++)
		if (!leak.objects[i].block && w - leak.objects[i].addr < OBJECT)
			leak.objects[i].reached = true;
}

__attribute__((no_sanitize_address)) static void drain(void)
{
	while (leak.todo.n) {
		Range r = leak.todo.at[--leak.todo.n];
		if (r.lo <= leak.most && r.hi > leak.least) /* what lies there is at hand */
			for (size_t i = 0; i < leak.nobjects; i++)
				if (leak.objects[i].addr - r.lo < r.hi - r.lo)
					leak.objects[i].reached = true;
		for (uintptr_t at = r.lo; at + sizeof(uintptr_t) <= r.hi; at += sizeof(uintptr_t)) {
			uintptr_t w = *(const volatile uintptr_t *)at;
			if (w >= 4096)
				reach(w);
		}
	}
}

static bool any_reached(const Blocked *b)
{
	for (uint32_t i = b->first; i < b->first + b->count; i++) {
		Object *o = &leak.objects[i];
		if (o->reached || (o->block && is_marked(o->block)))
			return true;
	}
	return false;
}

/* ---- goroutines ---- */

static void add_object(Blocked *b, const void *on)
{
	if (!grow((void **)&leak.objects, &leak.objects_cap, leak.nobjects, sizeof *leak.objects))
		return;
	Object *o = &leak.objects[leak.nobjects++];
	size_t size;
	*o = (Object){.addr = (uintptr_t)on};
	if (!hook_block(o->addr, &o->block, &size)) {
		o->block = 0;
		leak.least = o->addr < leak.least ? o->addr : leak.least;
		leak.most = o->addr > leak.most ? o->addr : leak.most;
	}
	b->count++;
}

/* Only others can wake it, by what it waits for. */
static bool waits_for_others(const G *g)
{
	switch ((WaitReason)load_rlx(&g->wait_reason)) {
	case WAIT_CHAN_RECV_NIL:
	case WAIT_CHAN_SEND_NIL:
	case WAIT_SELECT_NONE:
		return true;
	case WAIT_SELECT:
		return g->waiter != NULL;
	case WAIT_CHAN_RECV:
	case WAIT_CHAN_SEND:
	case WAIT_SEMACQUIRE:
	case WAIT_MUTEX:
	case WAIT_RWMUTEX_R:
	case WAIT_RWMUTEX_W:
	case WAIT_WAITGROUP:
	case WAIT_COND:
	case WAIT_ONCE:
		return g->wait_on != NULL;
	default:
		return false;
	}
}

static void registers(void *uc, void *arg)
{
	const mcontext_t *r = &((const ucontext_t *)uc)->uc_mcontext;
	const G *g = arg;
	for (size_t i = 0; i + sizeof(uintptr_t) <= sizeof *r; i += sizeof(uintptr_t)) {
		uintptr_t w;
		memcpy(&w, (const char *)r + i, sizeof w);
		reach(w);
	}
	uintptr_t sp = trace_sp(uc);
	add_range(
	    &leak.todo, sp >= g->stack_lo && sp < g->stack_hi ? sp : g->stack_lo, g->stack_hi);
}

static const G *asked;

static bool runs_asked(void)
{
	return g_self() == asked;
}

/* First all objects are known, then roots are read. */
static void note_blocked(G *g, void *unused)
{
	(void)unused;
	if (g == leak.self || g->foreign || load_rlx(&g->state) != G_WAITING ||
	    !waits_for_others(g))
		return;
	if (!grow((void **)&leak.blocked, &leak.blocked_cap, leak.nblocked, sizeof *leak.blocked))
		return;
	Blocked *b = &leak.blocked[leak.nblocked++];
	*b = (Blocked){.g = g, .first = (uint32_t)leak.nobjects};
	if (load_rlx(&g->wait_reason) == WAIT_SELECT)
		for (const Waiter *w = g->waiter; w; w = w->link)
			add_object(b, w->object);
	else if (g->wait_on)
		add_object(b, g->wait_on);
}

static void root_stack(G *g, void *unused)
{
	(void)unused;
	uint32_t state = load_rlx(&g->state);
	if (g == leak.self || g->foreign || (state == G_WAITING && waits_for_others(g)))
		return;
	void *stopped = load_acq(&g->stopped); /* pairs with store_rel in preempt.c */
	if (stopped) {
		registers(stopped, g);
		return;
	}
	if (state == G_SYSCALL || state == G_RUNNING) {
		const M *m = load_acq(&g->m);
		asked = g;
		if (!m || !os_interrupt(m->tid, runs_asked, registers, g))
			leak.failed = true;
		return;
	}
	uintptr_t sp = (uintptr_t)load_rlx(&g->sp);
	add_range(&leak.todo, sp, g->stack_hi);
}

/* ---- other roots ---- */

static int module_data(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size, (void)arg;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		if (p->p_type == PT_LOAD && (p->p_flags & PF_W))
			add_range(&leak.todo, info->dlpi_addr + p->p_vaddr,
			    info->dlpi_addr + p->p_vaddr + p->p_memsz);
	}
	return 0;
}

static uintptr_t hex(const char **s)
{
	uintptr_t v = 0;
	for (;; ++*s) {
		char c = **s;
		if (c >= '0' && c <= '9')
			v = v * 16 + (uintptr_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v * 16 + (uintptr_t)(c - 'a' + 10);
		else
			return v;
	}
}

/* A mapping is over: what was it? goro's own have no swap reserved ("nr"), as have malloc's for threads. */
static void mapping(Range r, const char *name, bool noreserve)
{
	if (!r.lo)
		return;
	if (!strcmp(name, "[heap]") || (noreserve && !(r.lo & (ARENA - 1))))
		add_range(&leak.heaps, r.lo, r.hi);
	else if (!noreserve && !*name)
		add_range(&leak.todo, r.lo, r.hi);
}

/* Lines of /proc/self/smaps: "lo-hi rw-p ... name", and for each mapping "VmFlags: rd wr ...". */
static bool mappings(void)
{
	char buf[4096], name[16] = "";
	size_t n = 0;
	Range now = {0, 0};
	int fd = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	for (bool more = true; more || n;) {
		ssize_t r = more ? read(fd, buf + n, sizeof buf - 1 - n) : 0;
		more = r > 0;
		n += r > 0 ? (size_t)r : 0;
		buf[n] = 0;
		char *nl = memchr(buf, '\n', n);
		size_t len = nl ? (size_t)(nl - buf) + 1 : n;
		if (nl)
			*nl = 0;
		const char *s = buf;
		if ((buf[0] >= '0' && buf[0] <= '9') || (buf[0] >= 'a' && buf[0] <= 'f')) {
			uintptr_t lo = hex(&s);
			s += *s == '-';
			uintptr_t hi = hex(&s);
			const char *last = strrchr(s, ' ');
			strncpy(name, last ? last + 1 : "", sizeof name - 1);
			now = strncmp(s, " rw-p", 5) ? (Range){0, 0} : (Range){lo, hi};
		} else if (!strncmp(buf, "VmFlags:", 8)) {
			mapping(now, name, strstr(buf, " nr") != NULL);
		}
		memmove(buf, buf + len, n - len);
		n -= len;
	}
	close(fd);
	return true;
}

static void timers(void)
{
	for (uint32_t i = 0; i < sched.nall_p; i++)
		timer_each(sched.all_p[i], reach);
}

/* ---- nobody moves ---- */

typedef struct Stopped {
	P *idle;
	uint32_t nidle, ntaken;
	P *taken[PROCS_MAX];
	bool ended; /* before */
} Stopped;

/* sched.lock held: idle Ps and those in system calls off; is any left that runs? */
static bool take_ps(Stopped *s)
{
	bool runs = false;
	const P *mine = leak.self->m->p;
	for (P *p; (p = sched.idle_p) != NULL; s->nidle++) {
		sched.idle_p = p->idle_next;
		p->idle_next = s->idle;
		s->idle = p;
	}
	store_rlx(&sched.nidle_p, 0);
	for (uint32_t i = 0; i < sched.nall_p; i++) {
		P *p = sched.all_p[i];
		if (p == mine)
			continue;
		if (cas_acq(&p->status, P_SYSCALL, P_DEAD)) { /* as sysmon's retake */
			s->taken[s->ntaken++] = p;
		} else if (load_acq(&p->status) == P_RUNNING) {
			M *m = load_acq(&p->m); /* pairs with store_rel in p_own */
			G *g = m ? load_acq(&m->g) : NULL;
			bool frozen = m && load_acq(&m->frozen); /* pairs with sched_loop's */
			runs |= !frozen;
			if (g && !frozen)
				store_rlx(&g->preempt, 1);
		}
	}
	return runs;
}

/* True: everything else stands still, and a system call that returns finds no P. */
static bool stop(Stopped *s)
{
	int64_t until = os_now() + FREEZE_NS;
	s->ended = load_rlx(&sched.ended);
	store_rel(&sched.ended, 1); /* pairs with load_acq in sched_loop */
	for (;;) {
		procs_attention();
		lock(&sched.lock);
		bool runs = take_ps(s);
		unlock(&sched.lock);
		if (!runs)
			return true;
		if (os_now() > until)
			return false;
		os_sleep(100000);
	}
}

static void go_on(Stopped *s)
{
	lock(&sched.lock);
	for (uint32_t i = 0; i < s->ntaken; i++) {
		store_rlx(&s->taken[i]->m, NULL);
		store_rel(&s->taken[i]->status, P_IDLE);
		s->taken[i]->idle_next = s->idle;
		s->idle = s->taken[i];
		s->nidle++;
	}
	for (P *p; (p = s->idle) != NULL;) {
		s->idle = p->idle_next;
		p->idle_next = sched.idle_p;
		sched.idle_p = p;
	}
	store_rlx(&sched.nidle_p, sched.nidle_p + s->nidle);
	unlock(&sched.lock);
	if (!s->ended) { /* exit: the others run beside it */
		store_rel(&sched.ended, 0);
		os_futex_wake(&sched.ended, INT32_MAX);
	}
	sched_wakep();
}

/* ---- telling ---- */

static void tell(G *g)
{
	uintptr_t pcs[FRAMES];
	int n = 0, from = 0;
	unw_context_t regs;
	unw_cursor_t at;
	SymFrame f[8];
	trace_saved_regs(load_rlx(&g->sp), &regs);
	if (unw_init_local2(&at, &regs, 0) == 0)
		do {
			unw_word_t pc = 0;
			if (unw_get_reg(&at, UNW_REG_IP, &pc) || !pc)
				break;
			pcs[n++] = pc;
		} while (n < FRAMES && unw_step(&at) > 0);
	/* goro's own at both ends say nothing */
	while (from < n && f[sym_frames(pcs[from], true, f, 8) - 1].own)
		from++;
	while (n > from && f[sym_frames(pcs[n - 1], true, f, 8) - 1].own)
		n--;
	const void *on = g->wait_on;
	if (load_rlx(&g->wait_reason) == WAIT_SELECT)
		on = g->waiter && !g->waiter->link ? g->waiter->object : NULL;
	hook_leak(g->race, wait_reason_text((WaitReason)load_rlx(&g->wait_reason)), on, pcs + from,
	    n - from);
}

static void look(void *frame)
{
	leak.least = UINTPTR_MAX;
	stack_each_g(note_blocked, NULL);
	if (!leak.nblocked)
		return;
	if (!mappings())
		leak.failed = true;
	dl_iterate_phdr(module_data, NULL);
	add_range(&leak.todo, (uintptr_t)frame, leak.self->stack_hi);
	for (const M *m = sched.all_m; m; m = m->all_next)
		if (m->is_host)
			add_range(&leak.todo, m->host_frame, m->g0_hi);
	stack_each_g(root_stack, NULL);
	timers();
	for (bool more = true; more && !leak.failed;) {
		drain();
		more = false;
		for (size_t i = 0; i < leak.nblocked; i++) {
			Blocked *b = &leak.blocked[i];
			if (b->runs || !any_reached(b))
				continue;
			b->runs = more = true;
			add_range(&leak.todo, (uintptr_t)load_rlx(&b->g->sp), b->g->stack_hi);
		}
	}
}

static void find(void *frame)
{
	static Stopped s;
	if (os_thread_count() > os_thread_own() + (int)sched.nhosts) {
		print_fd(2, "goro: leaks: not looked for: threads of the program still run\n");
		return;
	}
	if (!stop(&s)) {
		go_on(&s);
		print_fd(2, "goro: leaks: not looked for: a goroutine still computes\n");
		return;
	}
	sym_busy++; /* malloc here is goro's */
	look(frame);
	sym_busy--;
	go_on(&s);
	if (leak.failed) {
		print_fd(2, "goro: leaks: not looked for: not all memory could be read\n");
		return;
	}
	for (size_t i = 0; i < leak.nblocked; i++)
		if (!leak.blocked[i].runs) {
			sym_busy++;
			tell(leak.blocked[i].g);
			sym_busy--;
		}
	hook_leak(NULL, NULL, NULL, NULL, 0);
}

void leaks_find(void *frame)
{
	static bool done; /* by the one goroutine that ends the process */
	if (done)
		return;
	done = true;
	leak.self = g_self();
	if (hook_leaks() && leak.self && leak.self->m->p && !fatal_in_progress())
		debug_on_stack(find, frame);
}
