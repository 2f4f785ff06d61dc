/* data.c: structures: a sharded hash map, merge sort, word count, binary trees, a graph search. */
#include "work.h"

/* ---- shmap: a hash map of 64 shards, each under its mutex ---- */
enum { SHARDS = 64, BUCKETS = 1024, MAP_OPS = 3000000, KEYS = 100000 };
struct entry {
	struct entry *next;
	uint64_t key, value;
};
static struct shard {
	pthread_mutex_t lock;
	struct entry *bucket[BUCKETS];
	char pad[64];
} shards[SHARDS];
static void *shmap_thread(void *arg)
{
	uint64_t seed = 77 + (uint64_t)(intptr_t)arg;
	for (int i = 0; i < MAP_OPS; i++) {
		uint64_t key = next_random(&seed) % KEYS, h = key * UINT64_C(0x9e3779b97f4a7c15);
		struct shard *s = &shards[h >> 58];
		pthread_mutex_lock(&s->lock);
		struct entry **b = &s->bucket[(h >> 40) % BUCKETS], *e = *b;
		while (e != NULL && e->key != key)
			e = e->next;
		if (e == NULL) {
			e = malloc(sizeof *e);
			*e = (struct entry){*b, key, 0};
			*b = e;
		}
		e->value++;
		pthread_mutex_unlock(&s->lock);
	}
	return NULL;
}
uint64_t work_shmap(void)
{
	for (int i = 0; i < SHARDS; i++)
		pthread_mutex_init(&shards[i].lock, NULL);
	on_threads(shmap_thread);
	uint64_t sum = 0;
	for (int i = 0; i < SHARDS; i++)
		for (int b = 0; b < BUCKETS; b++)
			for (struct entry *e = shards[i].bucket[b]; e != NULL; e = e->next)
				sum += e->value;
	return sum;
}

/* ---- msort: halves sorted by two threads, then merged ---- */
enum { ELEMENTS = 2200000 };
static int *sort_a, *sort_tmp;
static void merge(int *a, int *tmp, size_t mid, size_t n)
{
	size_t i = 0, j = mid, o = 0;
	while (i < mid && j < n)
		tmp[o++] = a[i] <= a[j] ? a[i++] : a[j++];
	while (i < mid)
		tmp[o++] = a[i++];
	while (j < n)
		tmp[o++] = a[j++];
	memcpy(a, tmp, n * sizeof *a);
}
static void msort(int *a, int *tmp, size_t n)
{
	if (n < 2)
		return;
	msort(a, tmp, n / 2);
	msort(a + n / 2, tmp + n / 2, n - n / 2);
	merge(a, tmp, n / 2, n);
}
static void *msort_half(void *arg)
{
	size_t at = (size_t)(intptr_t)arg * (ELEMENTS / 2);
	msort(sort_a + at, sort_tmp + at, ELEMENTS / 2);
	return NULL;
}
uint64_t work_msort(void)
{
	uint64_t seed = 5, sum = 0;
	sort_a = malloc(ELEMENTS * sizeof *sort_a);
	sort_tmp = malloc(ELEMENTS * sizeof *sort_tmp);
	for (size_t i = 0; i < ELEMENTS; i++)
		sort_a[i] = (int)(next_random(&seed) >> 33);
	on_threads(msort_half);
	merge(sort_a, sort_tmp, ELEMENTS / 2, ELEMENTS);
	for (size_t i = 1; i < ELEMENTS; i++) {
		if (sort_a[i - 1] > sort_a[i])
			abort();
		sum += (uint64_t)sort_a[i] * i;
	}
	return sum;
}

/* ---- wc: word count over a text, one table a thread, merged at the end ---- */
enum { TEXT = 32 << 20, TABLE = 1 << 14 };
struct word {
	char text[16];
	uint64_t count;
};
static char *text;
static struct word *tables[THREADS];
static void *wc_thread(void *arg)
{
	struct word *table = calloc(TABLE, sizeof *table);
	size_t lo = (size_t)(intptr_t)arg * (TEXT / THREADS), hi = lo + TEXT / THREADS;
	char word[16];
	for (size_t i = lo; i < hi;) {
		size_t n = 0;
		uint32_t h = 2166136261u;
		while (i < hi && text[i] != ' ') {
			if (n < sizeof word - 1) {
				word[n++] = text[i];
				h = (h ^ (uint8_t)text[i]) * 16777619u;
			}
			i++;
		}
		word[n] = 0;
		i++;
		if (n == 0)
			continue;
		size_t at = h % TABLE;
		while (table[at].count != 0 && strcmp(table[at].text, word) != 0)
			at = (at + 1) % TABLE;
		if (table[at].count++ == 0)
			memcpy(table[at].text, word, n + 1);
	}
	tables[(intptr_t)arg] = table;
	return NULL;
}
uint64_t work_wc(void)
{
	uint64_t seed = 9, sum = 0;
	text = malloc(TEXT);
	for (size_t i = 0; i < TEXT;) {
		uint64_t w = next_random(&seed) % 5000;
		for (int k = 0; k < 3 + (int)(w % 6) && i < TEXT; k++, w = w * 31 + 7)
			text[i++] = (char)('a' + w % 26);
		if (i < TEXT)
			text[i++] = ' ';
	}
	on_threads(wc_thread);
	for (int t = 0; t < THREADS; t++)
		for (int i = 0; i < TABLE; i++)
			sum += tables[t][i].count * (uint64_t)(1 + tables[t][i].text[0]);
	return sum;
}

/* ---- bintree: build, walk and free binary trees ---- */
enum { DEPTH = 15, TREES = 60 };
struct tree {
	struct tree *left, *right;
	int value;
};
static struct tree *tree_make(int depth)
{
	struct tree *t = malloc(sizeof *t);
	*t = (struct tree){NULL, NULL, depth};
	if (depth > 0) {
		t->left = tree_make(depth - 1);
		t->right = tree_make(depth - 1);
	}
	return t;
}
static uint64_t tree_sum(const struct tree *t)
{
	return t == NULL ? 0 : (uint64_t)t->value + tree_sum(t->left) + tree_sum(t->right);
}
static void tree_free(struct tree *t)
{
	if (t == NULL)
		return;
	tree_free(t->left);
	tree_free(t->right);
	free(t);
}
static uint64_t tree_sums[THREADS];
static void *bintree_thread(void *arg)
{
	uint64_t sum = 0;
	for (int i = 0; i < TREES; i++) {
		struct tree *t = tree_make(DEPTH);
		sum += tree_sum(t);
		tree_free(t);
	}
	tree_sums[(intptr_t)arg] = sum;
	return NULL;
}
uint64_t work_bintree(void)
{
	on_threads(bintree_thread);
	return tree_sums[0] + tree_sums[1];
}

/* ---- graph: breadth-first searches over a shared, read-only graph of linked edges ---- */
enum { NODES = 20000, EDGES = 8, SEARCHES = 200 };
struct edge {
	struct edge *next;
	int to;
};
static struct edge *heads[NODES], edges[NODES * EDGES];
static uint64_t graph_sums[THREADS];
static void *graph_thread(void *arg)
{
	int *queue = malloc(NODES * sizeof *queue), *dist = malloc(NODES * sizeof *dist);
	uint64_t sum = 0;
	for (int s = 0; s < SEARCHES; s++) {
		for (int i = 0; i < NODES; i++)
			dist[i] = -1;
		int head = 0, tail = 0, start = (int)((intptr_t)arg * 7919 + s * 104729) % NODES;
		dist[start] = 0;
		queue[tail++] = start;
		while (head < tail) {
			int n = queue[head++];
			for (struct edge *e = heads[n]; e != NULL; e = e->next)
				if (dist[e->to] < 0) {
					dist[e->to] = dist[n] + 1;
					queue[tail++] = e->to;
				}
		}
		sum += (uint64_t)dist[queue[tail - 1]] + (uint64_t)tail;
	}
	graph_sums[(intptr_t)arg] = sum;
	free(queue);
	free(dist);
	return NULL;
}
uint64_t work_graph(void)
{
	uint64_t seed = 3;
	for (int i = 0; i < NODES * EDGES; i++) {
		int from = i / EDGES;
		edges[i] = (struct edge){heads[from], (int)(next_random(&seed) % NODES)};
		heads[from] = &edges[i];
	}
	on_threads(graph_thread);
	return graph_sums[0] + graph_sums[1];
}
