/*
 * cxx.cc: C++: std::thread's and std::mutex's edges, containers, static locals, virtual tables, goroutines
 * from C++.
 */
#include "case.h"

#include <atomic>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <vector>

static std::mutex mutex;
static std::atomic<int> flag;
static std::vector<int> &numbers = *new std::vector<int>; /* never destroyed: that would be a race as well */

static void norace_cxx_thread(void)
{
	write_x();
	std::thread t([] { read_x(); write_x_too(); });
	t.join();
	read_x();
}
static void write_step(void)
{
	write_x();
	step(1);
}
static void race_cxx_thread(void)
{
	std::thread t(write_step);
	after(1);
	read_x();
	t.join();
}
static void norace_cxx_mutex(void)
{
	std::thread t([] {
		for (int i = 0; i < 100; i++) {
			std::lock_guard<std::mutex> hold(mutex);
			write_x();
		}
	});
	for (int i = 0; i < 100; i++) {
		std::lock_guard<std::mutex> hold(mutex);
		write_x_too();
	}
	t.join();
}
static void write_release(void)
{
	write_x();
	flag.store(1, std::memory_order_release);
	step(1);
}
static void acquire_read(void)
{
	after(1);
	USE(flag.load(std::memory_order_acquire));
	read_x();
	step(2);
}
static void relaxed_read(void)
{
	after(1);
	USE(flag.load(std::memory_order_relaxed));
	read_x();
	step(2);
}
static void norace_cxx_atomic(void)
{
	go(write_release);
	go(acquire_read);
	after(2);
}
static void race_cxx_atomic_relaxed(void)
{
	go(write_release);
	go(relaxed_read);
	after(2);
}

static int set_up(void)
{
	write_x();
	return 7;
}
static int instance(void)
{
	static int once = set_up();
	return once;
}
static void use_instance(void)
{
	USE(instance());
	read_x();
	arrive();
}
static void norace_cxx_static_local(void)
{
	for (int i = 0; i < 4; i++)
		go(use_instance);
	arrived(4);
}

static void push(void)
{
	numbers.push_back(1);
	step(1);
}
static APART void count(void)
{
	USE(numbers.size());
}
static void read_count(void)
{
	after(1);
	count();
	step(2);
}
static void norace_cxx_goroutine_and_string(void)
{
	chan(std::string *) c = chan_make(std::string *);
	static goro_chan *shared;
	shared = GORO_CHAN_PTR_(c);
	goro_go([](void *) {
		std::string *s = new std::string("made over there, and long enough for the heap");
		goro_chan_send(shared, &s);
	}, nullptr);
	std::string *s = chan_recv(c);
	*s += "!";
	delete s;
}
static void race_cxx_vector(void)
{
	numbers.reserve(4);
	numbers.push_back(0);
	numbers.pop_back();
	go(push);
	go(read_count);
	after(2);
}

struct Shape {
	virtual ~Shape() {}
	virtual int sides() const { return 0; }
};
struct Square : Shape {
	int sides() const override { return 4; }
};
static Shape *shape;
static void use_shape(void)
{
	USE(shape->sides());
	arrive();
}
static void norace_cxx_virtual(void)
{
	shape = new Square;
	go(use_shape);
	go(use_shape);
	arrived(2);
}

/* An object in destruction becomes one of its base class: a call meanwhile gets either's function. */
struct Base;
static APART void look_at(Base *b);
struct Base {
	virtual ~Base() { look_at(this); }
	virtual int which() const { return 0; }
};
struct Derived : Base {
	virtual ~Derived() { look_at(this); }
	int which() const override { return 1; }
};
static void look_at(Base *b)
{
	__asm__ volatile("" : "+r"(b) : : "memory");
}
alignas(16) static char place[64];
static APART void call_which(void) { USE(((Base *)place)->which()); }
static APART void destroy_it(void) { ((Base *)place)->~Base(); }
static void call_step(void)
{
	call_which();
	step(1);
}
static void destroy_late(void)
{
	after(1);
	destroy_it();
	step(2);
}
static void race_cxx_call_and_destructor(void)
{
	new (place) Derived;
	go(call_step);
	go(destroy_late);
	after(2);
}
/* The table stays the same: nothing is written. */
static void norace_cxx_call_and_destructor_of_that_class(void)
{
	new (place) Base;
	go(call_step);
	go(destroy_late);
	after(2);
}
static void norace_cxx_call_before_destructor(void)
{
	new (place) Derived;
	std::thread t(call_step);
	t.join();
	destroy_it();
}

/* An exception unwinds within its goroutine; the frames it left are gone from later reports. */
static APART void thrower(void)
{
	throw 5;
}
static void throw_then_write(void)
{
	try {
		thrower();
	} catch (int) {
		goro_gosched();
	}
	write_x();
	step(1);
}
static void read_late(void)
{
	after(1);
	read_x();
	step(2);
}
static void race_cxx_after_exception(void)
{
	go(throw_then_write);
	go(read_late);
	after(2);
}

CASES(
    NORACE(norace_cxx_thread)
    RACE(race_cxx_thread, "read read_x<race_cxx_thread / write write_x<write_step / global x")
    NORACE(norace_cxx_mutex)
    NORACE(norace_cxx_atomic)
    RACE(race_cxx_atomic_relaxed, "read read_x<relaxed_read / write write_x<write_release / global x")
    NORACE(norace_cxx_static_local)
    NORACE(norace_cxx_goroutine_and_string)
    RACE(race_cxx_vector, "read * / write * / heap")
    NORACE(norace_cxx_virtual)
    RACE(race_cxx_call_and_destructor,
	"write * / read call_which<call_step / global place / says WARNING: DATA RACE ON VPTR (CONSTRUCTOR OR DESTRUCTOR VS VIRTUAL CALL)")
    NORACE(norace_cxx_call_and_destructor_of_that_class)
    NORACE(norace_cxx_call_before_destructor)
    RACE(race_cxx_after_exception, "read read_x<read_late / write write_x<throw_then_write / global x")
)
