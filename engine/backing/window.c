/* SPDX-License-Identifier: MIT */
/*
 * window.c - where the window lies, and how it is had and given back.
 *
 * A base is drawn and asked for with MAP_FIXED_NOREPLACE until one is free.
 * Bases are drawn between WINDOW_LOWEST and WINDOW_TOP: above what programs
 * that are not position independent grow their heap into, and below the half
 * where the kernel puts programs, libraries and the stack, so that no window
 * ends up in the way of a stack.  A machine with fewer bits of address answers
 * ENOMEM to a base above its top; then the bound is halved.
 */
#include "backing/window.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/tsan.h"

#if TSAN_ENABLED
/* The only large part of the address space that its shadow leaves free. */
#define WINDOW_LOWEST ((uintptr_t)0x7e8000000000)
#define WINDOW_TOP    ((uintptr_t)0x7ff000000000)
#else
#define WINDOW_LOWEST ((uintptr_t)1 << 40)
#define WINDOW_TOP    ((uintptr_t)1 << 46)
#endif

enum { WINDOW_TRIES = 256 };

static size_t window_align(size_t bytes)
{
	const size_t largest = (size_t)1 << (fls_ulong(bytes) - 1);

	return largest < WINDOW_ALIGN_BYTES ? largest : WINDOW_ALIGN_BYTES;
}

/* base_draw - a random aligned base with `bytes` below `top`. */
static int base_draw(const struct os *os, size_t bytes, uintptr_t top,
		     uintptr_t *base)
{
	const size_t align = window_align(bytes);
	const uintptr_t places = (top - WINDOW_LOWEST - bytes) / align + 1;
	uint64_t number;
	const int error = os->random(&number, sizeof(number));

	if (error != 0)
		return error_set(error,
				 "no random number for the base of the "
				 "window: %s",
				 strerror(-error));
	*base = WINDOW_LOWEST + (number % places) * align;
	return 0;
}

static bool is_past_address_limit(const struct os *os, size_t bytes)
{
	const uint64_t limit = os->address_limit();

	return limit != UINT64_MAX && os->address_bytes() + bytes > limit;
}

/* refusal - the message for a window that could not be reserved. */
static int refusal(const struct os *os, size_t bytes, int error)
{
	if (error == -ENOMEM && is_past_address_limit(os, bytes))
		return error_set(-ENOMEM,
				 "a window of %zu MiB passes RLIMIT_AS (%ju "
				 "MiB, %ju in use): raise the limit (ulimit "
				 "-v) or ask for a smaller window",
				 bytes / MIB,
				 (uintmax_t)(os->address_limit() / MIB),
				 (uintmax_t)(os->address_bytes() / MIB));
	if (error == -EEXIST || error == -ENOMEM)
		return error_set(-ENOMEM,
				 "no free place for a window of %zu MiB in the "
				 "address space: ask for a smaller one",
				 bytes / MIB);
	return error_set(error, "reserving a window of %zu MiB failed: %s",
			 bytes / MIB, strerror(-error));
}

static int size_check(size_t bytes)
{
	if (bytes < WINDOW_BYTES_MIN || bytes > WINDOW_BYTES_MAX)
		return error_set(-EINVAL,
				 "a window of %zu bytes: the size is from %zu "
				 "MiB to %zu TiB",
				 bytes, WINDOW_BYTES_MIN / MIB,
				 WINDOW_BYTES_MAX / TIB);
	if (!is_page_aligned(bytes))
		return error_set(-EINVAL,
				 "a window of %zu bytes: the size is a "
				 "multiple of %zu",
				 bytes, (size_t)PAGE_SIZE);
	return 0;
}

int window_init(struct window *window, const struct os *os, size_t bytes)
{
	uintptr_t top = WINDOW_TOP;
	int error = size_check(bytes);

	if (error != 0)
		return error;

	error = -ENOMEM;
	for (int i = 0; i < WINDOW_TRIES && top > WINDOW_LOWEST + bytes; i++) {
		uintptr_t base = 0;
		const int draw_error = base_draw(os, bytes, top, &base);

		if (draw_error != 0)
			return draw_error;
		error = os->reserve((void *)base, bytes);
		if (error == 0) {
			*window = (struct window){ os, base, base + bytes };
			return 0;
		}
		if (error == -ENOMEM && !is_past_address_limit(os, bytes))
			top = WINDOW_LOWEST + (top - WINDOW_LOWEST) / 2;
		else if (error != -EEXIST)
			break;
	}
	return refusal(os, bytes, error);
}

/*
 * The kernel may have merged the reservation with a stranger's next to it, and
 * be out of mappings to cut it off.  Then what is mapped goes, and the bare
 * addresses stay taken: that costs nobody anything but addresses.
 */
void window_fini(struct window *window)
{
	void *const base = (void *)window->start;
	const size_t bytes = window->end - window->start;

	if (window->os->unreserve(base, bytes) != 0)
		(void)window->os->remap_none(base, bytes);
	window->start = 0;
	window->end = 0;
}
