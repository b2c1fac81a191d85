/* SPDX-License-Identifier: MIT */
/*
 * trace_input.h - recordings written in the test itself.
 */
#ifndef LFV_TEST_TRACE_INPUT_H
#define LFV_TEST_TRACE_INPUT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "trace/trace.h"

#define WINDOW_START UINT64_C(0xffffc90000000000)
#define WINDOW       "vstart=0xffffc90000000000 vend=0xffffe8ffffffffff"
#define MODULES      "vstart=0xffffffffa0000000 vend=0xffffffffff000000"

/* Areas A, B, C: pages 0, 2 and 16 of the window. */
#define A_DECIMAL "18446683600570023936"
#define A_HEX     "0xffffc90000000000"
#define B_DECIMAL "18446683600570032128"
#define B_HEX     "0xffffc90000002000"
#define C_DECIMAL "18446683600570089472"
#define C_HEX     "0xffffc90000010000"

/* A line of tracefs: command and id, CPU, time in seconds. */
#define HEAD(pid, cpu, time) " task-" pid " [" cpu "] d..2. " time ": "
#define ALLOC_IN(window, va, size)                                        \
	"alloc_vmap_area: va_start: " va " size=" size " align=1 " window \
	" failed=0\n"
#define ALLOC(va, size) ALLOC_IN(WINDOW, va, size)
#define ALLOC_FAIL(size)                                             \
	"alloc_vmap_area: va_start: 18446744073709551604 size=" size \
	" align=1 " WINDOW " failed=1\n"
#define FREE(va) \
	"free_vmap_area_noflush: va_start=" va " nr_lazy=5 nr_lazy_max=9\n"

/* input_file - a descriptor on a file with these bytes. */
static inline int input_file(const void *bytes, size_t size)
{
	const int fd = memfd_create("input", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, size, 0), (ssize_t)size);
	return fd;
}

static inline int input_read_bytes(const void *bytes, size_t size,
				   struct trace_why *why, struct trace *trace)
{
	const int fd = input_file(bytes, size);
	const int error = trace_read_fd(fd, "input", why, trace);

	close(fd);
	return error;
}

static inline int input_read(const char *text, struct trace_why *why,
			     struct trace *trace)
{
	return input_read_bytes(text, strlen(text), why, trace);
}

static inline int input_snapshot(const char *text, struct trace_why *why,
				 struct trace_snapshot *snapshot)
{
	const int fd = input_file(text, strlen(text));
	const int error = trace_snapshot_read_fd(fd, "info", why, snapshot);

	close(fd);
	return error;
}

#define assert_says(why, part)                                                \
	do {                                                                  \
		if (!strstr((why).text, part))                                \
			fail_msg("'%s' does not say '%s'", (why).text, part); \
	} while (0)

#endif
