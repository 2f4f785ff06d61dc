/*
 * interface.c: what clang's common_interface_defs.h and allocator_interface.h offer to programs that are built
 * for ThreadSanitizer, and what they may define. Each case's name says what to expect; prints only where something
 * is not so.
 */
#include <pthread.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/tsan_interface.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* gcc's headers have no word of these. */
void __tsan_check_no_mutexes_held(void);
size_t __sanitizer_get_estimated_allocated_size(size_t size);
int __sanitizer_get_ownership(const volatile void *p);
size_t __sanitizer_get_allocated_size(const volatile void *p);
size_t __sanitizer_get_current_allocated_bytes(void);
size_t __sanitizer_get_heap_size(void);
void __sanitizer_symbolize_pc(void *pc, const char *fmt, char *out_buf, size_t out_buf_size);
void __sanitizer_symbolize_global(void *data, const char *fmt, char *out_buf, size_t out_buf_size);
int __sanitizer_get_module_and_offset_for_pc(void *pc, char *module, size_t size, void **offset);
const char *__sanitizer_get_report_path(void);
int __sanitizer_acquire_crash_state(void);

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static char buffer[64];
static int shared;

#define must(x) ((x) ? (void)0 : (void)printf("interface.c:%d: not so: %s\n", __LINE__, #x))

static void *beside(void *arg)
{
	((void (*)(void))arg)();
	return NULL;
}
/* f in another thread; then main, by an order that the detector does not see. */
static int turn;
__attribute__((no_sanitize("thread"), noinline)) static void step(void)
{
	*(volatile int *)&turn = 1;
}
__attribute__((no_sanitize("thread"), noinline)) static void after(void)
{
	while (!*(volatile int *)&turn)
		usleep(100);
}
static void two(void (*f)(void), void (*g)(void))
{
	pthread_t t;
	pthread_create(&t, NULL, beside, (void *)f);
	after();
	g();
	pthread_join(t, NULL);
}
static void stores(void)
{
	__sanitizer_unaligned_store32(buffer + 3, 7);
	step();
}
static void loads(void)
{
	must(__sanitizer_unaligned_load32(buffer + 3) == 7);
}
static void race_unaligned(void)
{
	two(stores, loads);
}
static void norace_unaligned(void)
{
	__sanitizer_unaligned_store16(buffer + 1, 0x1234);
	must(__sanitizer_unaligned_load16(buffer + 1) == 0x1234);
	__sanitizer_unaligned_store64(buffer + 5, 0x123456789abcdef0);
	must(__sanitizer_unaligned_load64(buffer + 5) == 0x123456789abcdef0);
	must(__sanitizer_acquire_crash_state() == 1);
	must(__sanitizer_acquire_crash_state() == 0);
	__sanitizer_sandbox_on_notify(NULL);
}

static void race_lock_held(void)
{
	pthread_mutex_lock(&first);
	pthread_mutex_lock(&second);
	__tsan_check_no_mutexes_held();
	pthread_mutex_unlock(&second);
	pthread_mutex_unlock(&first);
}
static void norace_no_lock_held(void)
{
	pthread_mutex_lock(&first);
	pthread_mutex_unlock(&first);
	__tsan_check_no_mutexes_held();
}

__attribute__((noinline)) static void *here(void)
{
	return __builtin_return_address(0);
}
static void norace_symbols(void)
{
	char text[300], all[2];
	void *pc = here(), *off = NULL;

	__sanitizer_symbolize_pc(pc, "%f|%s|%l|%n|%%|%p", text, sizeof text);
	char *file = strchr(text, '|'), *line = file ? strstr(file, ".c|") : NULL;
	must(!strncmp(text, "norace_symbols|", 15));
	must(line && atoi(line + 3) > 50 && strstr(line, "|0|%|0x"));
	must(text[strlen(text) + 1] == 0);
	__sanitizer_symbolize_global(&shared, "%g at %s:%l", text, sizeof text);
	must(!strncmp(text, "shared at ", 10) && strstr(text, "interface.c:"));
	__sanitizer_symbolize_pc(pc, "%f", text, 5);
	must(!strcmp(text, "nor"));
	memset(all, 'x', sizeof all);
	__sanitizer_symbolize_pc(pc, "%f", all, 1);
	must(all[0] == 0 && all[1] == 'x');
	must(__sanitizer_get_module_and_offset_for_pc(pc, text, sizeof text, &off) == 1);
	must(strrchr(text, '/') && !strcmp(strrchr(text, '/'), "/p") && off);
	must(__sanitizer_get_module_and_offset_for_pc((void *)8, text, sizeof text, &off) == 0);
}

static void norace_heap(void)
{
	char *p = malloc(1000);
	size_t all = __sanitizer_get_current_allocated_bytes();
	must(__sanitizer_get_ownership(p) == 1);
	must(__sanitizer_get_ownership(p + 1) == 0);
	must(__sanitizer_get_ownership(&shared) == 0);
	must(__sanitizer_get_allocated_size(p) == 1000);
	must(all >= 1000 && __sanitizer_get_heap_size() >= all);
	must(__sanitizer_get_estimated_allocated_size(33) >= 33);
	char *volatile large = malloc(1 << 20);
	must(__sanitizer_get_current_allocated_bytes() >= all + (1 << 20));
	free(large);
	free(p);
	must(__sanitizer_get_ownership(p) == 0);
}

/* ---- where reports go ---- */

static void writes(void)
{
	shared++;
	step();
}
static void writes_too(void)
{
	shared++;
}
static void race_into_a_file(void)
{
	__sanitizer_set_report_path("moved");
	two(writes, writes_too);
	printf("%d", strncmp(__sanitizer_get_report_path(), "moved.", 6));
}
static void race_into_a_descriptor(void)
{
	must(!strcmp(__sanitizer_get_report_path(), "stderr"));
	__sanitizer_set_report_fd((void *)(intptr_t)dup(1));
	two(writes, writes_too);
}
static void dies(void)
{
	static const char text[] = "dies\n";
	if (write(1, text, sizeof text - 1) < 0)
		abort();
}
static void race_with_a_death_callback(void)
{
	__sanitizer_set_death_callback(dies);
	two(writes, writes_too);
}
static void norace_with_a_death_callback(void)
{
	__sanitizer_set_death_callback(dies);
}
static void prints_its_stack(void)
{
	__sanitizer_print_stack_trace();
}

#ifdef DEFINES
void __sanitizer_report_error_summary(const char *text)
{
	printf("[%s]\n", text);
}
void __sanitizer_on_print(const char *text)
{
	printf("[printed: %d]\n", strstr(text, "WARNING: DATA RACE") != NULL);
}
#endif

#define CASE(f) {#f, f}
static const struct {
	const char *name;
	void (*f)(void);
} cases[] = {CASE(race_unaligned), CASE(norace_unaligned), CASE(race_lock_held), CASE(norace_no_lock_held),
    CASE(norace_symbols), CASE(norace_heap), CASE(race_into_a_file), CASE(race_into_a_descriptor),
    CASE(race_with_a_death_callback), CASE(norace_with_a_death_callback), CASE(prints_its_stack)};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof *cases; i++)
		if (!strcmp(argv[1], cases[i].name))
			return cases[i].f(), 0;
	return 99;
}
