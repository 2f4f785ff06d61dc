/*
 * interleaving.c: the steps of a seeded run as a list to read (docs/schedules.md, 5).
 *
 * Every step goes into a ring, the plain accesses too: which of them are worth a line is known at the end,
 * when the reports have said which memory they name. Names are looked up then, on a stack of its own, once
 * for each place.
 */
#include "../sched/seed.h"

#include <fcntl.h>
#include <string.h>

#include "../base/buf.h"
#include "../os/onstack.h"
#include "../symbol/symbol.h"

#define STEPS       200000
#define FOUND_MAX   64
#define PLACES      4096 /* cached; a power of two */
#define STACK_BYTES ((size_t)1 << 20)

typedef struct Step {
	uint64_t step, g;
	uintptr_t on;
	uintptr_t pc;
	uint32_t what;
	bool leaves; /* another goroutine goes on before it */
} Step;

typedef struct Range {
	uintptr_t lo, hi;
} Range;

bool interleaving_on;

static struct {
	int fd;
	Step *ring;
	uint64_t n;
	Range found[FOUND_MAX];
	uint32_t nfound; /* atomic */
	struct {
		uintptr_t pc;
		char text[160];
	} * places;
} list = {.fd = -1};

void interleaving_init(void)
{
	char path[4096];
	if (!*seed.o.interleaving)
		return;
	list.fd = schedule_path(seed.o.interleaving, path, sizeof path)
		      ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)
		      : -1;
	list.ring = os_map(STEPS * sizeof *list.ring);
	list.places = os_map(PLACES * sizeof *list.places);
	interleaving_on = list.fd >= 0 && list.ring && list.places;
	if (!interleaving_on)
		print_fd(2, "goro: GORACE: cannot write %s: there will be no list of steps\n",
		    seed.o.interleaving);
}

void interleaving_step(const G *g, SeedPoint what, const void *on, const void *pc)
{
	list.ring[list.n++ % STEPS] = (Step){
	    .step = seed.step, .g = g->id, .on = (uintptr_t)on, .pc = (uintptr_t)pc, .what = what};
}

void interleaving_switch(uint64_t to)
{
	if (list.n)
		list.ring[(list.n - 1) % STEPS].leaves = true;
	list.ring[list.n++ % STEPS] = (Step){.g = to, .what = POINT_COUNT, .step = seed.step};
}

void interleaving_found(uintptr_t addr, size_t size)
{
	if (!interleaving_on)
		return;
	uint32_t i = add_rlx(&list.nfound, 1);
	if (i < FOUND_MAX)
		list.found[i] = (Range){addr, addr + size};
}

/* ---- the text ---- */

static bool is_access(const Step *s)
{
	return s->what == POINT_READ || s->what == POINT_WRITE;
}

static bool shown(const Step *s)
{
	if (!is_access(s) || s->leaves)
		return true;
	uint32_t n = load_rlx(&list.nfound);
	for (uint32_t i = 0; i < n && i < FOUND_MAX; i++)
		if (s->on < list.found[i].hi && list.found[i].lo < s->on + 8)
			return true;
	return false;
}

static const char *place(uintptr_t pc)
{
	size_t i = (pc * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (PLACES - 1);
	if (list.places[i].pc == pc)
		return list.places[i].text;
	SymFrame f[16];
	int n = sym_frames(pc, true, f, 16), at = 0;
	while (at + 1 < n && f[at].own)
		at++;
	Buf b = {0};
	const char *file = n > 0 && f[at].file ? strrchr(f[at].file, '/') : NULL;
	if (n > 0 && f[at].file)
		buf_fmt(&b, "%s() %s:%d", f[at].func ? f[at].func : "?",
		    file ? file + 1 : f[at].file, f[at].line);
	else if (n > 0 && f[at].module)
		buf_fmt(&b, "%s+0x%zx", f[at].module, (size_t)f[at].module_off);
	else
		buf_fmt(&b, "0x%zx", (size_t)pc);
	list.places[i].pc = pc;
	strncpy(list.places[i].text, buf_text(&b), sizeof list.places[i].text - 1);
	buf_free(&b);
	return list.places[i].text;
}

static void find_main(G *g, void *id)
{
	if (g->is_main)
		*(uint64_t *)id = g->id;
}

static void add_step(Buf *b, const Step *s, uint64_t before, uint64_t main)
{
	static const char *const text[] = {
#define TEXT_(name, words) words,
	    SEED_POINTS(TEXT_)
#undef TEXT_
	};
	if (s->what == POINT_COUNT) {
		if (before != s->g) {
			if (before)
				buf_fmt(b, "          --- %llu -> %llu\n",
				    (unsigned long long)before, (unsigned long long)s->g);
			else
				buf_fmt(b, "          --- %llu\n", (unsigned long long)s->g);
		}
		return;
	}
	buf_fmt(b, "%8llu  %6llu%s  %s", (unsigned long long)s->step, (unsigned long long)s->g,
	    s->g == main ? " main" : "     ", text[s->what]);
	if (s->on)
		buf_fmt(b, s->what == POINT_GO ? " %zu" : " 0x%zx", (size_t)s->on);
	if (s->pc)
		buf_fmt(b, "  %s", place(s->pc));
	buf_str(b, "\n");
}

static void write_all(void *unused)
{
	Buf b = {0};
	(void)unused;
	uint64_t main = 0;
	stack_each_g(find_main, &main);
	uint64_t first = list.n > STEPS ? list.n - STEPS : 0, before = 0;
	buf_str(&b, "#   step  goroutine    operation  where\n");
	if (first)
		buf_fmt(&b, "# %llu steps before are left out\n", (unsigned long long)first);
	for (uint64_t i = first; i < list.n; i++) {
		const Step *s = &list.ring[i % STEPS];
		if (shown(s))
			add_step(&b, s, before, main);
		before = s->g;
		if (b.n > 65536)
			buf_write(&b, list.fd);
	}
	buf_write(&b, list.fd);
	buf_free(&b);
}

void interleaving_end(void)
{
	char *stack = os_map(STACK_BYTES);
	interleaving_on = false;
	if (!stack)
		return;
	sym_busy++; /* libdw's accesses are not the program's */
	os_call_on_stack(stack + STACK_BYTES, write_all, NULL);
	sym_busy--;
	os_unmap(stack, STACK_BYTES);
}
