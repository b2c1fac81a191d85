/* SPDX-License-Identifier: MIT */
/*
 * anon_os.h - the real system calls, of which the nth anonymous mapping fails,
 * and a count of those that were not given back.
 */
#ifndef TESTS_UNIT_ANON_OS_H
#define TESTS_UNIT_ANON_OS_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/os.h"

static unsigned anon_fail_at; /* 0: never */
static unsigned anon_calls;
static long anon_mapped; /* not given back */

static inline void *anon_map(size_t bytes)
{
	if (++anon_calls == anon_fail_at)
		return NULL;

	void *const base = os_linux.mmap_anon(bytes);

	anon_mapped += base != NULL;
	return base;
}

static inline void anon_unmap(void *base, size_t bytes)
{
	anon_mapped--;
	os_linux.munmap_anon(base, bytes);
}

/* anon_os - counts from now on. */
static inline struct os anon_os(void)
{
	struct os os = os_linux;

	os.mmap_anon = anon_map;
	os.munmap_anon = anon_unmap;
	anon_fail_at = 0;
	anon_calls = 0;
	anon_mapped = 0;
	return os;
}

/*
 * anon_sweep - make and unmake, with each mapping of make() failing in turn:
 * each time an error with a message, and nothing left behind.  How many
 * mappings a make() takes.
 */
static inline unsigned anon_sweep(int (*make)(void *context),
				  void (*unmake)(void *context), void *context)
{
	for (unsigned nth = 1;; nth++) {
		anon_fail_at = nth;
		anon_calls = 0;
		anon_mapped = 0;
		(void)error_set(0, "nothing was said");

		const int error = make(context);

		if (error == 0)
			unmake(context);
		assert_int_equal(anon_mapped, 0);
		if (anon_calls < nth) {
			assert_int_equal(error, 0);
			return nth - 1;
		}
		assert_int_equal(error, -ENOMEM);
		assert_string_not_equal(error_text(), "nothing was said");
	}
}

#endif
