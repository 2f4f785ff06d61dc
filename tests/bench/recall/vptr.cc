/* vptr.cc: recall.c's program in C++: a virtual call, and a destructor that nothing orders after it. */
#include <cstdio>
#include <cstring>
#include <pthread.h>

#include "../../support/invisible.h"

static __attribute__((noinline)) void look_at(void *p)
{
	__asm__ volatile("" : : "r"(p) : "memory");
}
struct Base {
	virtual ~Base() { look_at(this); }
	virtual int which() const { return 0; }
};
struct Derived : Base {
	~Derived() override { look_at(this); }
	int which() const override { return 1; }
};
static Base *volatile object;

static __attribute__((noinline)) int call_which(Base *p)
{
	return p->which();
}
static void *caller(void *arg)
{
	call_which(object);
	step(1);
	return arg;
}
int main(int argc, char **argv)
{
	pthread_t th;
	if (argc > 1 && strcmp(argv[1], "--list") == 0)
		return puts("vptr") < 0;
	object = new Derived;
	pthread_create(&th, nullptr, caller, nullptr);
	after(1);
	delete object;
	pthread_join(th, nullptr);
	return 0;
}
