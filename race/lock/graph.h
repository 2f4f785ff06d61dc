/*
 * graph.h: the nodes and edges behind order.h, for order.c alone. All under order.c's lock.
 *
 * Nodes and edges live in chunks that never move, are named by ids from 1, and go back to free lists.
 */
#ifndef GORO_RACE_LOCK_GRAPH_H
#define GORO_RACE_LOCK_GRAPH_H

#include "order.h"

#define GATES_MAX 256

/* A lock that was held besides: serial of its node, and mode. */
typedef struct Gate {
	uint32_t serial;
	uint32_t mode;
} Gate;

typedef struct Edge {
	uint32_t from, to;           /* nodes; from 0: free */
	uint32_t next_out, prev_out; /* of from's; next_out is the free list's link, too */
	uint32_t next_in, prev_in;   /* of to's */
	uint32_t next_same;          /* in the hash's chain */
	StackId from_at, to_at;      /* where each was locked */
	uint32_t ginfo;
	uint8_t from_mode, to_mode;
	uint16_t ngates;
	Gate *gates; /* of the graph's own memory */
} Edge;

/* Who locked it for writing while holding nothing else. */
typedef struct Writer {
	StackId at; /* 0: nobody */
	uint32_t ginfo;
} Writer;

typedef struct Node {
	uintptr_t addr;   /* 0: free */
	uint64_t birth;   /* of its memory's last plain write: see order.c */
	uint32_t serial;  /* never the same again */
	uint32_t out, in; /* first edges; out is the free list's link, too */
	uint32_t seen;    /* by which search */
	uint32_t came_by; /* edge, of that search */
	bool fair;        /* a writer that waits keeps new readers out */
	Writer writer[2]; /* by different ones, the first that were */
} Node;

Node *graph_node(uint32_t id);
Edge *graph_edge(uint32_t id);
/* 0 where there is no room. */
uint32_t graph_node_new(uintptr_t addr, uint64_t birth);
void graph_node_free(uint32_t id);
/* Take all edges of the node away. */
void graph_cut(uint32_t id);
/* Make a copy of `e`, gates included, the newest edge of its two nodes; 0 where there is no room. */
uint32_t graph_edge_new(const Edge *e);
void graph_edge_free(uint32_t id);
/* The edges between two nodes: the first, and the next one after. */
uint32_t graph_between(uint32_t from, uint32_t to);
uint32_t graph_between_next(uint32_t edge);
/* Every id in use lies below. */
uint32_t graph_node_end(void);
uint32_t graph_edge_end(void);

#endif
