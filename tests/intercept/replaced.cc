/*
 * replaced.cc: a program's own operators new and delete serve the forms it did not replace. Exit code 0.
 */
#include <cstdlib>
#include <new>

static int news, deletes;

void *operator new(size_t n)
{
	news++;
	return std::malloc(n);
}

void operator delete(void *p) noexcept
{
	deletes++;
	std::free(p);
}

int main()
{
	int *volatile p = new int[4];
	delete[] p;
	p = new (std::nothrow) int[3];
	delete[] p;
	return news == 2 && deletes == 2 ? 0 : 1;
}
