/*
 * kinds.h: every kind of finding, once: its words in each format.
 *
 *	KIND(name, title, id, supp, summary)
 *	  name     REPORT_name (report.h)
 *	  title    in text, after "WARNING: "
 *	  id       in JSON ("kind") and SARIF (rule goro/id): stands in people's files, never changes
 *	  supp     the types of suppression rules that may silence it: words of suppress.c, '|' between
 *	  summary  one sentence for people who meet it for the first time: SARIF's rule
 */
#ifndef GORO_RACE_KINDS_H
#define GORO_RACE_KINDS_H

/* clang-format off */
#define REPORT_KINDS_LIST(KIND)                                                                                        \
	KIND(RACE, "DATA RACE", "data-race", "race",                                                                   \
	     "Two accesses to the same memory, at least one of them a write, which nothing orders.")                   \
	KIND(USE_AFTER_FREE, "HEAP USE AFTER FREE", "use-after-free", "race",                                          \
	     "A block of memory was accessed after it had been freed.")                                                \
	KIND(DOUBLE_FREE, "DOUBLE FREE", "double-free", "race",                                                        \
	     "A block of memory was freed twice.")                                                                     \
	KIND(VPTR_RACE, "DATA RACE ON VPTR (CONSTRUCTOR OR DESTRUCTOR VS VIRTUAL CALL)", "vptr-race", "race",          \
	     "An object changes its class, being made or destroyed, while another goroutine calls its functions.")     \
	KIND(LOCK_ORDER, "LOCK ORDER INVERSION (POTENTIAL DEADLOCK)", "lock-order-inversion", "deadlock",              \
	     "Locks are taken in orders that form a cycle: at another timing each waits for the next, for ever.")      \
	KIND(READ_AGAIN, "RECURSIVE READ LOCK (POTENTIAL DEADLOCK)", "recursive-read-lock", "deadlock",                 \
	     "A lock is locked for reading by who reads already: a writer that comes in between lets neither go on.")  \
	KIND(DOUBLE_LOCK, "DOUBLE LOCK OF A MUTEX", "double-lock", "mutex",                                            \
	     "A lock that is not recursive is locked by who holds it already, and would wait for ever.")               \
	KIND(BAD_READ_LOCK, "READ LOCK OF A WRITE LOCKED MUTEX", "read-lock-of-write-locked", "mutex",                 \
	     "A lock is locked for reading by who holds it for writing.")                                              \
	KIND(BAD_UNLOCK, "UNLOCK OF AN UNLOCKED MUTEX", "unlock-of-unlocked", "mutex",                                 \
	     "A lock is unlocked that nobody holds.")                                                                  \
	KIND(FOREIGN_UNLOCK, "UNLOCK OF A MUTEX BY A WRONG THREAD", "unlock-by-wrong-thread", "mutex",                 \
	     "A lock is unlocked by another thread than the one that holds it.")                                       \
	KIND(BAD_READ_UNLOCK, "READ UNLOCK OF A WRITE LOCKED MUTEX", "read-unlock-of-write-locked", "mutex",           \
	     "A lock that is held for writing is unlocked as if it were held for reading.")                            \
	KIND(BAD_WRITE_UNLOCK, "WRITE UNLOCK OF A READ LOCKED MUTEX", "write-unlock-of-read-locked", "mutex",          \
	     "A lock that is held for reading is unlocked as if it were held for writing.")                            \
	KIND(DESTROY_LOCKED, "DESTROY OF A LOCKED MUTEX", "destroy-of-locked", "mutex",                                \
	     "A lock is destroyed while it is held.")                                                                  \
	KIND(DEAD_MUTEX, "USE OF A DESTROYED MUTEX", "use-of-destroyed", "mutex",                                      \
	     "A lock is used after it was destroyed, or one that was never made.")                                     \
	KIND(MUTEX_HELD, "MUTEX HELD IN THE WRONG CONTEXT", "mutex-held", "mutex",                                     \
	     "A lock is held where the program says by __tsan_check_no_mutexes_held that none must be.")               \
	KIND(THREAD_LEAK, "THREAD LEAK", "thread-leak", "thread",                                                      \
	     "A thread is neither joined nor detached when the process ends.")                                         \
	KIND(GOROUTINE_LEAK, "GOROUTINE LEAK", "goroutine-leak", "thread",                                             \
	     "A goroutine waits for ever: nothing that still runs can reach what it waits for.")                       \
	KIND(SIGNAL_UNSAFE, "SIGNAL-UNSAFE CALL IN A SIGNAL HANDLER", "signal-unsafe-call", "signal",                  \
	     "A signal handler calls a function that must not be called there, as it may have been interrupted.")      \
	KIND(SIGNAL_ERRNO, "SIGNAL HANDLER SPOILS ERRNO", "signal-errno", "signal",                                    \
	     "A signal handler changes errno, which the interrupted code may be about to read.")
/* clang-format on */

#endif
