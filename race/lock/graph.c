/*
 * graph.c: see graph.h. Plain lists and one hash table of edges; nothing here knows what an edge means.
 *
 * Bounds: NODES_MAX locks that were ever held together with others and live now, EDGES_MAX pairs of them
 * (each 64 bytes, and 8 for each further lock that was held). What does not fit is left out and counted (lost_locks): a deadlock may be missed.
 */
#include "graph.h"

#include <string.h>

#include "../pool.h"

#define CHUNK_BITS 8
#define CHUNK      (1u << CHUNK_BITS)
#define BUCKETS    (1u << 14)
#ifdef GORO_HARD
#define NODES_MAX 512u
#define EDGES_MAX 8192u /* a hundred locks held at once make 4950 */
#else
#define NODES_MAX (1u << 20)
#define EDGES_MAX (1u << 18)
#endif

static struct {
	uint32_t nodes, edges; /* ids in use are 1 .. */
	uint32_t free_node, free_edge;
	uint32_t serials;
	Node *node[NODES_MAX / CHUNK + 1];
	Edge *edge[EDGES_MAX / CHUNK + 1];
	uint32_t *bucket; /* BUCKETS */
} graph;

/* Gates by fours, eights, and so on. */
#define GATE_CLASSES 7
static Pool gate_pools[GATE_CLASSES] = {POOL_INIT(4 * sizeof(Gate)), POOL_INIT(8 * sizeof(Gate)),
    POOL_INIT(16 * sizeof(Gate)), POOL_INIT(32 * sizeof(Gate)), POOL_INIT(64 * sizeof(Gate)),
    POOL_INIT(128 * sizeof(Gate)), POOL_INIT(256 * sizeof(Gate))};

_Static_assert(4 << (GATE_CLASSES - 1) == GATES_MAX, "the last class holds all");

static Pool *gate_pool(uint32_t n)
{
	int c = 0;
	while (4u << c < n)
		c++;
	return &gate_pools[c];
}

Node *graph_node(uint32_t id)
{
	return &graph.node[id >> CHUNK_BITS][id & (CHUNK - 1)];
}

Edge *graph_edge(uint32_t id)
{
	return &graph.edge[id >> CHUNK_BITS][id & (CHUNK - 1)];
}

uint32_t graph_node_end(void)
{
	return graph.nodes + 1;
}

uint32_t graph_edge_end(void)
{
	return graph.edges + 1;
}

uint32_t graph_node_new(uintptr_t addr, uint64_t birth)
{
	uint32_t id = graph.free_node;
	if (id) {
		graph.free_node = graph_node(id)->out;
	} else if (graph.nodes + 1 < NODES_MAX) {
		id = ++graph.nodes;
		Node **chunk = &graph.node[id >> CHUNK_BITS];
		if (!*chunk)
			*chunk = race_alloc(CHUNK * sizeof **chunk);
	} else {
		race_count(lost_locks);
		return 0;
	}
	*graph_node(id) = (Node){.addr = addr, .birth = birth, .serial = ++graph.serials};
	return id;
}

static uint32_t *bucket_of(uint32_t from, uint32_t to)
{
	if (!graph.bucket)
		graph.bucket = race_alloc(BUCKETS * sizeof *graph.bucket);
	uint64_t h = ((uint64_t)from << 32 | to) * 0x9e3779b97f4a7c15u;
	return &graph.bucket[h >> 50];
}

_Static_assert(BUCKETS == 1u << (64 - 50), "bucket_of takes that many bits");

uint32_t graph_between(uint32_t from, uint32_t to)
{
	uint32_t id = *bucket_of(from, to);
	while (id && (graph_edge(id)->from != from || graph_edge(id)->to != to))
		id = graph_edge(id)->next_same;
	return id;
}

uint32_t graph_between_next(uint32_t edge)
{
	const Edge *e = graph_edge(edge);
	uint32_t id = e->next_same;
	while (id && (graph_edge(id)->from != e->from || graph_edge(id)->to != e->to))
		id = graph_edge(id)->next_same;
	return id;
}

uint32_t graph_edge_new(const Edge *new)
{
	uint32_t id = graph.free_edge;
	if (id) {
		graph.free_edge = graph_edge(id)->next_out;
	} else if (graph.edges + 1 < EDGES_MAX) {
		id = ++graph.edges;
		Edge **chunk = &graph.edge[id >> CHUNK_BITS];
		if (!*chunk)
			*chunk = race_alloc(CHUNK * sizeof **chunk);
	} else {
		race_count(lost_locks);
		return 0;
	}
	Edge *e = graph_edge(id);
	Node *from = graph_node(new->from), *to = graph_node(new->to);
	uint32_t *bucket = bucket_of(new->from, new->to);
	*e = *new;
	if (e->ngates) {
		e->gates = pool_get(gate_pool(e->ngates));
		memcpy(e->gates, new->gates, e->ngates * sizeof *e->gates);
	}
	e->prev_out = e->prev_in = 0;
	e->next_out = from->out;
	e->next_in = to->in;
	e->next_same = *bucket;
	if (from->out)
		graph_edge(from->out)->prev_out = id;
	if (to->in)
		graph_edge(to->in)->prev_in = id;
	from->out = to->in = *bucket = id;
	return id;
}

void graph_edge_free(uint32_t id)
{
	Edge *e = graph_edge(id);
	if (e->prev_out)
		graph_edge(e->prev_out)->next_out = e->next_out;
	else
		graph_node(e->from)->out = e->next_out;
	if (e->next_out)
		graph_edge(e->next_out)->prev_out = e->prev_out;
	if (e->prev_in)
		graph_edge(e->prev_in)->next_in = e->next_in;
	else
		graph_node(e->to)->in = e->next_in;
	if (e->next_in)
		graph_edge(e->next_in)->prev_in = e->prev_in;
	uint32_t *link = bucket_of(e->from, e->to);
	while (*link != id)
		link = &graph_edge(*link)->next_same;
	*link = e->next_same;
	if (e->ngates)
		pool_put(gate_pool(e->ngates), e->gates);
	e->from = 0;
	e->next_out = graph.free_edge;
	graph.free_edge = id;
}

void graph_cut(uint32_t id)
{
	Node *n = graph_node(id);
	while (n->out)
		graph_edge_free(n->out);
	while (n->in)
		graph_edge_free(n->in);
}

void graph_node_free(uint32_t id)
{
	graph_cut(id);
	Node *n = graph_node(id);
	n->addr = 0;
	n->out = graph.free_node;
	graph.free_node = id;
}
