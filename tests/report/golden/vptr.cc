// vptr.cc: a virtual call beside the object's destructor. See kinds.c.
#include <goro.h>

#include <new>

struct Shape {
	virtual ~Shape();
	virtual int corners();
};
struct Square : Shape {
	~Square() override;
	int corners() override;
};
static void *volatile last; // clang leaves the table alone where nobody could look
__attribute__((noinline)) Shape::~Shape() { last = this; }
__attribute__((noinline)) int Shape::corners() { return 0; }
__attribute__((noinline)) Square::~Square() {}
__attribute__((noinline)) int Square::corners() { return 4; }

alignas(16) static char place[64];
static volatile int done;

static void calls(void *)
{
	((Shape *)place)->corners();
	done = 1;
}

__attribute__((no_sanitize("thread"))) static void wait_unseen()
{
	while (!done)
		goro_gosched();
}

int main()
{
	new (place) Square;
	goro_go(calls, nullptr);
	wait_unseen();
	((Shape *)place)->~Shape();
	return 0;
}
