/*
 * api_cxx_test.cc: the same names in C++17: typed channels, go with any callable, select.
 */
#include <criterion/criterion.h>
#include <goro.h>

#include <memory>
#include <string>

namespace
{
struct Point {
	int x, y;
};

int run(int (*body)(void *))
{
	return goro_run(body, nullptr);
}

int channels(void *)
{
	chan(int) c = chan_make(int, 2);
	chan(Point) p = chan_make(Point, 1);
	chan_send(c, 1);
	chan_send(c, 'A'); /* converted to the element type */
	chan_send(p, Point{3, 4});
	cr_assert_eq(chan_recv(c), 1);
	cr_assert_eq(chan_recv(c), 'A');
	cr_assert_eq(chan_recv(p).y, 4);
	cr_assert_not(chan_try_recv(p, nullptr));
	cr_assert(chan_try_send(c, 5));
	chan_close(c);
	int sum = 0, v = 1;
	chan_range(x, c) sum += x;
	cr_assert_eq(sum, 5);
	cr_assert_not(chan_recv_ok(c, &v));
	cr_assert_eq(v, 0);
	chan_free(c);
	chan_free(p);
	return 0;
}

void add(int *to, int a, std::string text, goro_waitgroup *wg)
{
	*to = a + static_cast<int>(text.size());
	goro_waitgroup_done(wg);
}

int starting(void *)
{
	goro_waitgroup wg = {};
	int a = 0, b = 0, c = 0;
	std::string text = "four";
	goro_waitgroup_add(&wg, 3);
	go(add, &a, 1, text, &wg);
	go([&b, &wg] {
		b = 2;
		goro_waitgroup_done(&wg);
	});
	go(
	    [&c, &wg](std::unique_ptr<int> p) {
		    c = *p;
		    goro_waitgroup_done(&wg);
	    },
	    std::make_unique<int>(3));
	goro_waitgroup_wait(&wg);
	cr_assert_eq(a, 5);
	cr_assert_eq(b, 2);
	cr_assert_eq(c, 3);
	return 0;
}

int selecting(void *)
{
	chan(int) a = chan_make(int), b = chan_make(int, 1), nil = nullptr;
	int v = 0, got = 0;
	bool ok = false;
	cr_assert_eq(chan_select_default(on_recv(a, &v), on_recv(nil, &v)), -1);
	switch (chan_select(on_recv(a, &v), on_send(b, 6))) {
	case 1:
		got = 1;
		break;
	default:
		break;
	}
	cr_assert_eq(got, 1);
	cr_assert_eq(chan_select(on_recv(a, &v), on_recv_ok(b, &v, &ok)), 1);
	cr_assert(ok);
	cr_assert_eq(v, 6);
	chan(int64_t) t = goro_after(GORO_MILLISECOND);
	int64_t at;
	cr_assert_eq(chan_select(on_recv(a, &v), on_recv(t, &at)), 1);
	chan_free(t);
	chan_free(a);
	chan_free(b);
	return 0;
}

int throwing(void *)
{
	chan(int) c = chan_make(int);
	goro_waitgroup wg = {};
	goro_waitgroup_add(&wg, 4);
	for (int i = 0; i < 4; i++)
		go([c, i, &wg] {
			for (int k = 0; k < 50; k++) {
				try {
					chan_send(c, i);
					throw std::string("caught here");
				} catch (const std::string &s) {
					goro_gosched(); /* others throw and catch meanwhile */
					cr_assert_eq(s, "caught here");
				}
			}
			goro_waitgroup_done(&wg);
		});
	for (int k = 0; k < 200; k++)
		chan_recv(c);
	goro_waitgroup_wait(&wg);
	chan_free(c);
	return 0;
}
} // namespace

Test(cxx, channels)
{
	cr_assert_eq(run(channels), 0);
}

Test(cxx, go_takes_callables)
{
	cr_assert_eq(run(starting), 0);
}

Test(cxx, select)
{
	cr_assert_eq(run(selecting), 0);
}

Test(cxx, exceptions_stay_within_a_goroutine)
{
	cr_assert_eq(run(throwing), 0);
}
