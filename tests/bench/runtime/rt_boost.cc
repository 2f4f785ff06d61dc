// rt_boost.cc: the workloads of rt.c in Boost.Fiber, size for size, where it has the means: no select, and a tree
// of 10^6 fibers wants more memory than most machines have. With two processors the fibers are shared out by
// its work_stealing. Usage: rt WORKLOAD [PROCS]; exit code 2: no such workload here.
#include <boost/fiber/all.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

namespace fibers = boost::fibers;
using Clock = std::chrono::steady_clock;

static int procs = 1;

static double since(Clock::time_point t0)
{
	return std::chrono::duration<double, std::nano>(Clock::now() - t0).count();
}

// Run fn as a fiber, with a second thread that steals where there are two processors.
static double on_procs(double (*fn)())
{
	if (procs == 1)
		return fn();
	fibers::mutex mu;
	fibers::condition_variable cv;
	bool done = false;
	std::thread second([&] {
		fibers::use_scheduling_algorithm<fibers::algo::work_stealing>(2);
		std::unique_lock<fibers::mutex> l(mu);
		cv.wait(l, [&] { return done; });
	});
	fibers::use_scheduling_algorithm<fibers::algo::work_stealing>(2);
	double r = fn();
	{
		std::unique_lock<fibers::mutex> l(mu);
		done = true;
	}
	cv.notify_all();
	second.join();
	return r;
}

template <class F> static fibers::fiber start(F f)
{
	static thread_local boost::fibers::pooled_fixedsize_stack stacks(65536);
	return fibers::fiber(fibers::launch::post, std::allocator_arg, stacks, f);
}

static double yield_()
{
	const int n = 1000000;
	auto t0 = Clock::now();
	auto body = [] {
		for (int i = 0; i < n; i++)
			boost::this_fiber::yield();
	};
	auto a = start(body), b = start(body);
	a.join();
	b.join();
	return since(t0) / (2.0 * n);
}

static double spawn()
{
	const int batch = 10000, batches = 10;
	auto t0 = Clock::now();
	for (int b = 0; b < batches; b++) {
		std::vector<fibers::fiber> all;
		all.reserve(batch);
		for (int i = 0; i < batch; i++)
			all.push_back(start([] {}));
		for (auto &f : all)
			f.join();
	}
	return since(t0) / (batch * batches);
}

static double pingpong()
{
	const int trips = 300000;
	fibers::unbuffered_channel<int> ping, pong;
	auto t = start([&] {
		int v;
		while (ping.pop(v) == fibers::channel_op_status::success)
			pong.push(v);
	});
	auto t0 = Clock::now();
	for (int i = 0, v; i < trips; i++) {
		ping.push(i);
		pong.pop(v);
	}
	double r = since(t0) / trips;
	ping.close();
	t.join();
	return r;
}

static double through(int n)
{
	const int items = 4000000;
	fibers::buffered_channel<int> c(128);
	std::vector<fibers::fiber> in, out;
	auto t0 = Clock::now();
	for (int i = 0; i < n; i++) {
		out.push_back(start([&] {
			long sum = 0;
			int v;
			while (c.pop(v) == fibers::channel_op_status::success)
				sum += v;
		}));
		in.push_back(start([&, n] {
			for (int k = 0; k < items / n; k++)
				c.push(k);
		}));
	}
	for (auto &f : in)
		f.join();
	c.close();
	for (auto &f : out)
		f.join();
	return since(t0) / items;
}
static double spsc()
{
	return through(1);
}
static double mpmc()
{
	return through(8);
}

static double sieve()
{
	using Chan = fibers::unbuffered_channel<int>;
	auto t0 = Clock::now();
	auto c = new Chan;
	start([c] {
		for (int i = 2;; i++)
			c->push(i);
	}).detach();
	for (int i = 0; i < 2000; i++) {
		int prime;
		c->pop(prime);
		auto next = new Chan;
		start([c, next, prime] {
			for (int v;;) {
				c->pop(v);
				if (v % prime != 0)
					next->push(v);
			}
		}).detach();
		c = next;
	}
	printf("%.4g\n", since(t0) / 1e9);
	fflush(stdout);
	_Exit(0); // the filters never end
}

static double mutex()
{
	const int n = 2000000;
	fibers::mutex mu;
	long shared = 0;
	std::vector<fibers::fiber> all;
	auto t0 = Clock::now();
	for (int i = 0; i < 8; i++)
		all.push_back(start([&] {
			for (int k = 0; k < n / 8; k++) {
				std::unique_lock<fibers::mutex> l(mu);
				shared++;
			}
		}));
	for (auto &f : all)
		f.join();
	return since(t0) / n;
}

static double parked()
{
	const int n = 10000;
	auto c = new fibers::unbuffered_channel<int>;
	auto t0 = Clock::now();
	for (int i = 0; i < n; i++)
		start([c] {
			int v;
			c->pop(v);
		}).detach();
	boost::this_fiber::yield(); // all of them up to their pop, as they are lazy
	printf("%.4g\n", since(t0) / n);
	fflush(stdout);
	_Exit(0);
}

static volatile double sink;
__attribute__((noinline)) static void piece(long spins)
{
	double x = 1;
	for (long i = 0; i < spins; i++)
		sink = x = x * 1.0000001 + 1e-9;
}
static double steal()
{
	long spins = 1000;
	double ns;
	for (;; spins *= 2) {
		auto t0 = Clock::now();
		piece(spins);
		ns = since(t0);
		if (ns > 1e6)
			break;
	}
	std::vector<fibers::fiber> all;
	auto t0 = Clock::now();
	for (int i = 0; i < 1000; i++)
		all.push_back(start([spins] { piece(spins); }));
	for (auto &f : all)
		f.join();
	return since(t0) / (1000 * ns / procs);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		double (*run)();
	} workloads[] = {{"yield", yield_}, {"spawn", spawn}, {"pingpong", pingpong}, {"spsc", spsc}, {"mpmc", mpmc},
	    {"sieve", sieve}, {"mutex", mutex}, {"parked-ns", parked}, {"steal", steal}};

	if (argc > 2)
		procs = atoi(argv[2]);
	for (auto &w : workloads)
		if (argc > 1 && strcmp(argv[1], w.name) == 0) {
			printf("%.4g\n", on_procs(w.run));
			return 0;
		}
	return 2;
}
