/* SPDX-License-Identifier: MIT */
/*
 * tsan.h - tell ThreadSanitizer of an order that it cannot see.
 *
 * Concurrency Kit's operations are inline assembly: without a word from us
 * every access that they order would be reported as a race.  A note stands
 * beside the operation that makes the order, on the same address, and says no
 * more than that operation does.  In other builds a note is nothing.
 */
#ifndef LFV_BASE_TSAN_H
#define LFV_BASE_TSAN_H

#include <stddef.h>

#if defined(__SANITIZE_THREAD__)
#define TSAN_ENABLED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TSAN_ENABLED 1
#endif
#endif
#ifndef TSAN_ENABLED
#define TSAN_ENABLED 0
#endif

#if TSAN_ENABLED
#include <sanitizer/tsan_interface.h>

/* tsan_release - what this thread did so far is handed over at `address`. */
static inline void tsan_release(void *address)
{
	__tsan_release(address);
}

/* tsan_acquire - this thread has seen what was handed over at `address`. */
static inline void tsan_acquire(void *address)
{
	__tsan_acquire(address);
}

/* Not in the interface's header, as it is meant for compilers. */
void __tsan_write_range(void *address, unsigned long bytes);

/*
 * tsan_write_range - these bytes change, by no store that is to be seen here:
 * the kernel is about to map something else at their addresses.
 */
static inline void tsan_write_range(void *address, size_t bytes)
{
	__tsan_write_range(address, bytes);
}

/* As above. */
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);

/*
 * tsan_begin_foreign - until tsan_end_foreign() this thread is inside of a
 * library that was not built for the sanitizer: of what it allocates there, and
 * lets another thread free, only the two ends would be seen.
 */
static inline void tsan_begin_foreign(void)
{
	AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
}

static inline void tsan_end_foreign(void)
{
	AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
}
#else
static inline void tsan_release(void *address)
{
	(void)address;
}

static inline void tsan_acquire(void *address)
{
	(void)address;
}

static inline void tsan_write_range(void *address, size_t bytes)
{
	(void)address;
	(void)bytes;
}

static inline void tsan_begin_foreign(void)
{
}

static inline void tsan_end_foreign(void)
{
}
#endif

#endif
