/*
 * symbol.h: from an address to names and lines, by elfutils libdw in process. Shared by the runtime's
 * tracebacks and the detector's reports; includes only os/ and base/.
 *
 * Slow and heap-hungry (libdw parses DWARF into malloc'd memory): call it on a stack of 64 KiB or more,
 * never from a signal handler, never under a runtime lock. Thread-safe by its own lock (rank PRINT).
 */
#ifndef GORO_SYMBOL_H
#define GORO_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Strings live as long as the process. */
typedef struct SymFrame {
	const char *func; /* NULL when unknown; demangled for C++ */
	const char *file; /* NULL when unknown: then module and module_off say where */
	const char *dir;  /* what a relative file is relative to; NULL when unknown or not needed */
	int line, column; /* 0 when unknown */
	bool inlined;     /* this frame was inlined into the next one */
	const char *module; /* path of the executable or shared object; NULL for none */
	uintptr_t module_off;
	uintptr_t func_off; /* pc minus the function's entry: Go's +0x4c; 0 when unknown */
	bool own;           /* goro's own code (runtime or detector), not the program's */
} SymFrame;

/* This thread is inside libdw, or prints a report: its calls of malloc, memcpy, ... are goro's, not the
 * program's. The detector's interceptors ask it and pass straight through. Own thread only. */
extern __thread uint32_t sym_busy __attribute__((tls_model("initial-exec")));

/* The frames at pc, innermost (inlined) first, at most `max`; returns how many, at least 1 where max
 * >= 1. `is_return`: pc is a return address (the call before it is looked up). */
int sym_frames(uintptr_t pc, bool is_return, SymFrame *out, int max);

/* Around calls of libc, made with locks held, that are points where a thread may be cancelled: it is not there. What
 * sym_shield answers goes to sym_unshield, after the locks were given up: a thread that may be cancelled
 * anywhere, asked to meanwhile, is at that moment. */
int sym_shield(void);
void sym_unshield(int was);

#define SYM_PATH_MAX 256

typedef struct SymData {
	const char *name; /* "counter" */
	const char
	    *field; /* the part accessed: "counter.hits", "table[3].next"; NULL: all, or unknown */
	uintptr_t start; /* its address in this process */
	size_t size;
	const char *file; /* where defined, by DWARF; NULL when unknown */
	const char *dir;  /* as in SymFrame */
	int line;
	const char *module;
	uintptr_t module_off; /* of start */
} SymData;

/* The global or static variable that covers addr; false when there is none. `field` is for an access of
 * `size` bytes. */
bool sym_data(uintptr_t addr, size_t size, SymData *out);

/* The thread-local variable at `offset` in the thread-local storage of the module that `module` lies in; `start` is
 * its offset there, module_off nothing. */
bool sym_thread_local(uintptr_t module, size_t offset, size_t size, SymData *out);

/* The local variable or parameter of the function containing pc that covers addr, given the frame's
 * canonical frame address (CFA); false when unknown (it lives in a register, or somewhere that changes). */
bool sym_local(uintptr_t pc, uintptr_t cfa, uintptr_t addr, size_t size, SymData *out);

#endif
