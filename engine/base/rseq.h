/* SPDX-License-Identifier: MIT */
/*
 * rseq.h - the words that the kernel keeps for each thread (rseq(2)).
 *
 * glibc (2.35 and later) registers an area for every thread, at one distance
 * from every thread pointer.  The kernel writes there on which CPU the thread
 * runs, and reads there which section it is in (base/percpu_section.h).  Only
 * what is documented is used: cpu_id is read, rseq_cs is written.
 *
 *   R1  cpu_id is the CPU of this thread whenever this thread reads it;
 *       negative where the area is not registered.
 *
 * The area is missing under another libc, an older one, valgrind, and with
 * GLIBC_TUNABLES=glibc.pthread.rseq=0.  The symbols are weak, so that a library
 * that was built with glibc 2.35 starts without it.
 *
 * Who may run with whom: each thread has its own area.
 */
#ifndef LFV_BASE_RSEQ_H
#define LFV_BASE_RSEQ_H

#include <stdbool.h>
#include <stddef.h>

/* Where the kernel's ABI has them. */
enum { RSEQ_CPU_ID = 4, RSEQ_CS = 8 };

extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

/* rseq_is_registered - of this process's threads; then rseq_offset() counts. */
static inline bool rseq_is_registered(void)
{
	return &__rseq_size != NULL && &__rseq_offset != NULL &&
	       __rseq_size != 0;
}

/* rseq_offset - from a thread's pointer to its area; 0 without one. */
static inline ptrdiff_t rseq_offset(void)
{
	return &__rseq_offset != NULL ? __rseq_offset : 0;
}

/* rseq_area - this thread's. */
static inline void *rseq_area(ptrdiff_t offset)
{
	return (char *)__builtin_thread_pointer() + offset;
}

#endif
