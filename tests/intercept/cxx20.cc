/*
 * cxx20.cc: the C++ standard library's threads and what is built on them, to C++20, as a plain program uses
 * them; part of it lies in a library that is not instrumented. The frame is pair.h's, in C++.
 *
 * Not std::atomic<std::shared_ptr>: libstdc++ 12 lets go of its lock in load() by a relaxed store, so that
 * the next store does race, as every detector says.
 */
#include "pair.h"

#include <atomic>
#include <barrier>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <iostream>
#include <latch>
#include <memory>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <sstream>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

static std::mutex mutex;
static std::timed_mutex timed;
static std::recursive_mutex recursive;
static std::shared_mutex shared;
static std::shared_timed_mutex shared_timed;
static std::condition_variable condition;
static std::condition_variable_any any;
static std::once_flag once;
static std::atomic<int> word;
static std::atomic_flag lit;
static std::latch latch(1);
static std::barrier both(2);
static std::counting_semaphore<5> semaphore(0);
static std::promise<int> promise;
static std::future<int> future = promise.get_future();
static std::shared_future<int> several;
static std::packaged_task<int()> task([] { put(); return 3; });
static std::shared_ptr<int> pointer = std::make_shared<int>(0);
static bool flag;

static int &made_once()
{
	static int *made = [] { put(); return new int(7); }();
	return *made;
}

struct Base {
	virtual ~Base() {}
	virtual int get() { return 1; }
};
struct Derived : Base {
	int get() override { return 2; }
};
static std::shared_ptr<Base> object = std::make_shared<Derived>();

static void throws(int n)
{
	std::string text = "thrown";

	if (n == 0)
		throw std::runtime_error(text);
	throws(n - 1);
}

static void catches()
{
	for (int i = 0; i < 50; i++) {
		try {
			throws(20);
		} catch (const std::exception &e) {
			must(strcmp(e.what(), "thrown") == 0);
		}
	}
}

static void holds_and_leaves(std::shared_ptr<int> p)
{
	for (int i = 0; i < 100; i++)
		p = std::shared_ptr<int>(p);
	sink = *p;
}

/* name, first thread, second thread */
#define CASES(C)                                                                                   \
	C(norace_thread, std::thread t(put); t.join(); see(), (void)0)                             \
	C(race_thread, std::thread t([] { put(); step(1); }); after(1); see(); t.join(), (void)0)  \
	C(norace_jthread, { std::jthread t(put); } see(), (void)0)                                 \
	C(norace_stop_token, std::jthread t([](std::stop_token s) {                                \
		while (!s.stop_requested()) std::this_thread::yield(); see(); });                  \
	    put(); t.request_stop(), (void)0)                                                      \
	C(norace_mutex, { std::lock_guard l(mutex); put(); } step(1), after(1);                    \
	    std::unique_lock l(mutex); see())                                                      \
	C(race_mutex, { std::lock_guard l(mutex); put(); } step(1), after(1); see())               \
	C(norace_scoped_lock, { std::scoped_lock l(mutex, recursive); put(); } step(1), after(1);  \
	    std::scoped_lock l(recursive, mutex); see())                                           \
	C(norace_timed_mutex, must(timed.try_lock_for(5s)); put(); timed.unlock(); step(1),        \
	    after(1); must(timed.try_lock_until(std::chrono::system_clock::now() + 5s)); see();    \
	    timed.unlock())                                                                        \
	C(norace_shared_mutex, { std::unique_lock l(shared); put(); } step(1), after(1);           \
	    std::shared_lock l(shared); see())                                                     \
	C(race_shared_mutex, { std::shared_lock l(shared); put(); } step(1), after(1);             \
	    std::shared_lock l(shared); see())                                                     \
	C(norace_shared_timed, must(shared_timed.try_lock_for(5s)); put(); shared_timed.unlock();  \
	    step(1), after(1); must(shared_timed.try_lock_shared_for(5s)); see();                  \
	    shared_timed.unlock_shared())                                                          \
	C(norace_condition, { std::lock_guard l(mutex); put(); flag = true; }                      \
	    condition.notify_one(), std::unique_lock l(mutex);                                     \
	    condition.wait(l, [] { return flag; }); see())                                         \
	C(norace_condition_for, { std::lock_guard l(mutex); put(); flag = true; }                  \
	    condition.notify_all(), std::unique_lock l(mutex);                                     \
	    must(condition.wait_for(l, 9s, [] { return flag; })); see())                           \
	C(norace_condition_any, { std::lock_guard l(shared); put(); flag = true; }                 \
	    any.notify_all(), std::shared_lock l(shared);                                          \
	    any.wait(l, [] { return flag; }); see())                                               \
	C(norace_call_once, std::call_once(once, put); step(1), after(1);                          \
	    std::call_once(once, put); see())                                                      \
	C(race_call_once, std::call_once(once, [] {}); put(); step(1), after(1);                   \
	    std::call_once(once, [] {}); see())                                                    \
	C(norace_static, must(made_once() == 7), must(made_once() == 7); see())                     \
	C(norace_atomic_wait, put(); word.store(1); word.notify_one(), word.wait(0); see())        \
	C(race_atomic_relaxed_wait, put(); word.store(1, std::memory_order_relaxed);               \
	    word.notify_one(), word.wait(0, std::memory_order_relaxed); see())                     \
	C(norace_atomic_flag, put(); lit.test_and_set(); lit.notify_all(), lit.wait(false); see()) \
	C(norace_atomic_ref, put(); std::atomic_ref<bool>(flag).store(true); step(1), after(1);         \
	    must(std::atomic_ref<bool>(flag).load()); see())                                       \
	C(norace_latch, put(); latch.count_down(), latch.wait(); see())                            \
	C(norace_barrier, put(); both.arrive_and_wait(), both.arrive_and_wait(); see())            \
	C(race_barrier, both.arrive_and_wait(); put(); step(1), both.arrive_and_wait(); after(1);  \
	    see())                                                                                 \
	C(norace_semaphore, put(); semaphore.release(), semaphore.acquire(); see())                \
	C(norace_semaphore_for, put(); semaphore.release(),                                        \
	    must(semaphore.try_acquire_for(9s)); see())                                            \
	C(race_semaphore, semaphore.release(); put(); step(1), semaphore.acquire(); after(1);      \
	    see())                                                                                 \
	C(norace_future, put(); promise.set_value(3), must(future.get() == 3); see())              \
	C(norace_future_for, put(); promise.set_value(3),                                          \
	    must(future.wait_for(9s) == std::future_status::ready); see())                         \
	C(race_future, promise.set_value(3); put(); step(1), must(future.get() == 3); after(1);    \
	    see())                                                                                 \
	C(norace_future_exception, put();                                                          \
	    promise.set_exception(std::make_exception_ptr(std::runtime_error("x"))),               \
	    try { future.get(); must(0); } catch (std::runtime_error &e) { see(); })               \
	C(norace_async, auto f = std::async(std::launch::async, [] { put(); return 5; });          \
	    must(f.get() == 5); see(), (void)0)                                                    \
	C(norace_packaged_task, task(), auto f = task.get_future(); must(f.get() == 3); see())     \
	C(norace_shared_ptr, holds_and_leaves(pointer), holds_and_leaves(pointer))                 \
	C(norace_shared_ptr_last, { std::shared_ptr<int> p = std::move(pointer); *p = 1;           \
	    std::thread t([p] { sink = *p; }); p.reset(); t.join(); }, (void)0)                    \
	C(norace_virtual, must(object->get() == 2), must(object->get() == 2))                       \
	C(norace_exceptions, catches(), catches())                                                 \
	C(race_after_exceptions, catches(); put(); step(1), catches(); after(1); see())            \
	C(norace_strings, std::ostringstream s; for (int i = 0; i < 100; i++) s << i << "text";    \
	    must(s.str().size() > 100), std::string s; for (int i = 0; i < 100; i++)               \
	    s += std::to_string(i); must(s.size() > 100))                                          \
	C(norace_cout, std::cerr << "", std::cerr << "")                                           \
	C(norace_thread_local, thread_local std::vector<int> mine; mine.push_back(1),              \
	    thread_local std::vector<int> mine; mine.push_back(2))                                 \
	C(norace_sleep, std::this_thread::sleep_for(1us); put(), std::this_thread::sleep_for(1us))

static void prepare(void)
{
}

#include "pair_main.h"
