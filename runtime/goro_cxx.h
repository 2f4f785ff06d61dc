/*
 * goro_cxx.h: the C++17 face of goro.h, which includes it; programs include <goro.h> alone.
 *
 * The same names with the same meaning, as templates under the same macros. Elements must be trivially
 * copyable (a channel copies bytes); `go` copies its arguments as std::thread does, so any copyable or
 * movable type travels. A wrong count or type is a compile error.
 */
#ifndef GORO_CXX_H
#define GORO_CXX_H

#ifndef GORO_H
#error "include <goro.h>"
#endif

#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

namespace goro_detail
{
template <class T> using chan_of = T (*)(goro_chan *);
template <class T> struct same {
	using type = T;
};
template <class T> using same_t = typename same<T>::type; /* not deduced: converted to T */

template <class T> inline goro_chan *ptr(chan_of<T> c)
{
	static_assert(
	    std::is_trivially_copyable<T>::value, "goro: channel elements are copied as bytes");
	return reinterpret_cast<goro_chan *>(c);
}
template <class T> inline void send(chan_of<T> c, const same_t<T> &v)
{
	goro_chan_send(ptr(c), &v);
}
template <class T> inline bool try_send(chan_of<T> c, const same_t<T> &v)
{
	return goro_chan_try_send(ptr(c), &v);
}
template <class T> inline T recv(chan_of<T> c)
{
	T v;
	(void)goro_chan_recv(ptr(c), &v);
	return v;
}
template <class T> inline bool recv_ok(chan_of<T> c, same_t<T> *p)
{
	return goro_chan_recv(ptr(c), p);
}
template <class T> inline bool try_recv(chan_of<T> c, same_t<T> *p)
{
	return goro_chan_try_recv(ptr(c), p);
}
template <class T> inline goro_case recv_case(chan_of<T> c, same_t<T> *p, bool *ok = nullptr)
{
	return goro_case{ptr(c), false, p, false, ok};
}
/* Holds the value until the end of the select expression. */
template <class T> struct send_case {
	goro_chan *c;
	T v;
	operator goro_case()
	{
		return goro_case{c, true, &v, false, nullptr};
	}
};
template <class T> inline send_case<T> send_to(chan_of<T> c, const same_t<T> &v)
{
	return send_case<T>{ptr(c), v};
}
template <bool block, class... C> inline int select_of(C &&...c)
{
	goro_case cases[] = {goro_case(c)..., goro_case{nullptr, false, nullptr, false, nullptr}};
	return goro_select(cases, static_cast<int>(sizeof...(C)), block);
}

template <class F, class... A> struct call {
	F f;
	std::tuple<A...> args;
	static void run(void *p)
	{
		call *self = static_cast<call *>(p);
		call mine(std::move(*self));
		delete self;
		std::apply(std::move(mine.f), std::move(mine.args));
	}
};
template <class F, class... A> inline void start(F &&f, A &&...a)
{
	static_assert(sizeof...(A) <= 8, "goro: go takes at most eight arguments");
	static_assert(std::is_invocable<std::decay_t<F>, std::decay_t<A>...>::value,
	    "goro: go f(args...): f cannot be called with these arguments");
	using C = call<std::decay_t<F>, std::decay_t<A>...>;
	C *c = new C{std::forward<F>(f), std::tuple<std::decay_t<A>...>(std::forward<A>(a)...)};
	if (goro_go(&C::run, c) != 0) {
		delete c;
		goro_panic("go: out of memory for a goroutine");
	}
}
} // namespace goro_detail

#define GORO_CHAN_MAKE1_(T) (reinterpret_cast<GORO_CHAN(T)>(goro_chan_make(sizeof(T), 0)))
#define GORO_CHAN_MAKE2_(T, n)                                                                     \
	(reinterpret_cast<GORO_CHAN(T)>(goro_chan_make(sizeof(T), (size_t)(n))))
#define GORO_CHAN_MAKE(...)                                                                        \
	GORO_CAT_(GORO_CHAN_MAKE, GORO_CAT_(GORO_COUNT_(__VA_ARGS__), _))(__VA_ARGS__)
#define GORO_CHAN_FREE(c)        goro_chan_free(goro_detail::ptr(c))
#define GORO_CHAN_CLOSE(c)       goro_chan_close(goro_detail::ptr(c))
#define GORO_CHAN_LEN(c)         goro_chan_len(goro_detail::ptr(c))
#define GORO_CHAN_CAP(c)         goro_chan_cap(goro_detail::ptr(c))
#define GORO_CHAN_SEND(c, v)     goro_detail::send((c), v)
#define GORO_CHAN_TRY_SEND(c, v) goro_detail::try_send((c), v)
#define GORO_CHAN_RECV(c)        goro_detail::recv(c)
#define GORO_CHAN_RECV_OK(c, p)  goro_detail::recv_ok((c), (p))
#define GORO_CHAN_TRY_RECV(c, p) goro_detail::try_recv((c), (p))
#define GORO_CHAN_RANGE(v, c)    GORO_CHAN_RANGE_ID_(v, c, __COUNTER__)
#define GORO_CHAN_RANGE_ID_(v, c, id)                                                              \
	GORO_CHAN_RANGE_AS_(v, c, GORO_CAT_(goro_r, id), GORO_CAT_(goro_o, id))
#define GORO_CHAN_RANGE_AS_(v, c, r, o)                                                            \
	for (goro_chan *r = goro_detail::ptr(c), **o = &r; o; o = nullptr)                         \
		for (decltype((c)(nullptr)) v; goro_chan_recv(r, &v);)
#define GORO_ON_RECV(c, p)       goro_detail::recv_case((c), (p))
#define GORO_ON_RECV_OK(c, p, k) goro_detail::recv_case((c), (p), (k))
#define GORO_ON_SEND(c, v)       goro_detail::send_to((c), v)
#define GORO_SELECT(...)         goro_detail::select_of<true>(__VA_ARGS__)
#define GORO_SELECT_DEFAULT(...) goro_detail::select_of<false>(__VA_ARGS__)
#define GORO_GO(...)             goro_detail::start(__VA_ARGS__)

#endif
