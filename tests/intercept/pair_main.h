/*
 * pair_main.h: the end of a program of pair.h.
 */
#define DEFINE(name, first, ...)                                                                   \
	static void *name##_first(void *arg)                                                       \
	{                                                                                          \
		(void)arg;                                                                         \
		first;                                                                             \
		return NULL;                                                                       \
	}                                                                                          \
	static void *name##_second(void *arg)                                                      \
	{                                                                                          \
		(void)arg;                                                                         \
		__VA_ARGS__;                                                                       \
		return NULL;                                                                       \
	}
CASES(DEFINE)

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void *(*first)(void *), *(*second)(void *);
	} cases[] = {
#define ENTRY(name, ...) {#name, name##_first, name##_second},
	    CASES(ENTRY)};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		if (argc < 2) {
			puts(cases[i].name);
		} else if (strcmp(argv[1], cases[i].name) == 0) {
			prepare();
			must(pthread_create(&second_thread, NULL, cases[i].second, NULL) == 0);
			must(pthread_create(&first_thread, NULL, cases[i].first, NULL) == 0);
			pthread_join(first_thread, NULL);
			pthread_join(second_thread, NULL);
			return 0;
		}
	}
	return argc < 2 ? 0 : 3;
}
