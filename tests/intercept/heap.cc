/*
 * heap.cc: the allocator as a program may ask of it, and C++'s on top: limits, alignments, failures,
 * exceptions out of new, replaced operators. Silent, exit code 0; with an argument, one error to report.
 */
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <future>
#include <malloc.h>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <shared_mutex>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

static void must(bool ok, int line)
{
	if (!ok) {
		std::fprintf(stderr, "heap.cc:%d\n", line);
		std::_Exit(1);
	}
}
#define MUST(x) must(x, __LINE__)

static volatile size_t huge = SIZE_MAX;

static void limits()
{
	errno = 0;
	MUST(!malloc(huge) && errno == ENOMEM);
	errno = 0;
	MUST(!malloc(huge - 8) && errno == ENOMEM);
	errno = 0;
	MUST(!calloc(huge / 2, 3) && errno == ENOMEM);
	errno = 0;
	MUST(!reallocarray(nullptr, huge / 2, 3) && errno == ENOMEM);
	char *p = static_cast<char *>(malloc(3));
	p[2] = 5;
	MUST(!realloc(p, huge - 8) && p[2] == 5);
	free(p);
	p = static_cast<char *>(malloc(0));
	MUST(p != nullptr);
	free(p);
	free(nullptr);
	MUST(realloc(malloc(5), 0) == nullptr);
	void *q = nullptr;
	MUST(posix_memalign(&q, 3, 8) == EINVAL);
	MUST(posix_memalign(&q, 8, huge - 100) == ENOMEM);
}

static void alignments()
{
	for (size_t a = 1; a <= size_t(1) << 20; a *= 2) {
		void *p = memalign(a, a / 2 + 1);
		MUST(reinterpret_cast<uintptr_t>(p) % a == 0);
		memset(p, 1, a / 2 + 1);
		free(p);
		p = aligned_alloc(a, a);
		MUST(reinterpret_cast<uintptr_t>(p) % a == 0);
		free(p);
		if (a >= sizeof p) {
			MUST(posix_memalign(&p, a, 100) == 0);
			MUST(reinterpret_cast<uintptr_t>(p) % a == 0);
			free(p);
		}
	}
	void *p = pvalloc(10);
	MUST(reinterpret_cast<uintptr_t>(p) % 4096 == 0 && malloc_usable_size(p) >= 4096);
	free(p);
}

static void contents()
{
	char *p = static_cast<char *>(calloc(100, 7));
	for (int i = 0; i < 700; i++)
		MUST(p[i] == 0);
	memset(p, 1, malloc_usable_size(p));
	p = static_cast<char *>(realloc(p, 1 << 24));
	MUST(p[699] == 1);
	p[(1 << 24) - 1] = 2;
	p = static_cast<char *>(realloc(p, 1 << 25));
	MUST(p[(1 << 24) - 1] == 2);
	free(p);
}

struct alignas(64) Wide {
	char c[64];
};

static void operators()
{
	Wide *w = new Wide;
	MUST(reinterpret_cast<uintptr_t>(w) % 64 == 0);
	delete w;
	w = new Wide[3];
	delete[] w;
	int *q = new (std::nothrow) int[5];
	delete[] q;
	bool thrown = false;
	try {
		static_cast<char *>(operator new(huge - 20))[0] = 1;
	} catch (std::bad_alloc &) {
		thrown = true;
	}
	MUST(thrown);
	MUST(operator new(huge - 20, std::nothrow) == nullptr);
}

static int slow_static()
{
	struct Slow {
		int a;
		Slow() : a(3)
		{
			usleep(1000);
		}
	};
	static Slow s;
	return s.a;
}

static void threads()
{
	std::mutex mutex;
	std::condition_variable cond;
	int v = 0;
	bool flag = false;
	std::thread first([&] {
		std::lock_guard<std::mutex> l(mutex);
		v = 1;
		flag = true;
		cond.notify_one();
	});
	{
		std::unique_lock<std::mutex> l(mutex);
		cond.wait(l, [&] { return flag; });
		v++;
	}
	first.join();
	std::vector<std::thread> all;
	for (int i = 0; i < 4; i++)
		all.emplace_back([&] {
			for (int j = 0; j < 100; j++) {
				std::lock_guard<std::mutex> l(mutex);
				std::map<std::string, int> m;
				v += slow_static();
				m["a string that takes memory of its own " + std::to_string(j)] = j;
			}
		});
	for (auto &t : all)
		t.join();
	MUST(v == 2 + 4 * 100 * 3);
	std::promise<int> promise;
	std::thread second([&] {
		v = 9;
		promise.set_value(1);
	});
	promise.get_future().get();
	v++;
	second.join();
	MUST(std::async(std::launch::async, [] { return std::string(100, 'x'); }).get().size() ==
	     100);
	std::once_flag once;
	std::call_once(once, [&] { v = 4; });
	auto shared = std::make_shared<int>(4);
	std::thread third([shared] { MUST(*shared == 4); });
	shared.reset();
	third.join();
	std::thread fourth([&] {
		try {
			throw 5;
		} catch (int) {
			v = 7;
		}
	});
	fourth.join();
}

int main(int argc, char **argv)
{
	std::string what = argc > 1 ? argv[1] : "";
	if (what == "race") {
		int *p = new int(3);
		std::thread t([p] { *p = 4; });
		*p = 5;
		t.join();
		delete p;
	} else if (what == "use-after-free") {
		volatile int *p = new int(3);
		delete p;
		*p = 3;
	} else if (what == "double-free") {
		int *volatile p = new int(3);
		delete p;
		delete p;
	} else {
		limits();
		alignments();
		contents();
		operators();
		threads();
	}
	return 0;
}
