/* SPDX-License-Identifier: MIT */
/*
 * cached_fit.h - what a request asks for, beside what lies in the cache.
 *
 * The cache tells areas apart by their size alone.  Nearly all requests take
 * any; one that is aligned, or wants a part of the window, takes the area that
 * it meets or leaves it.  All are pure.
 */
#ifndef LFV_VA_CACHED_FIT_H
#define LFV_VA_CACHED_FIT_H

#include "va/cached.h"

/* has_class - the cache may have an area for it. */
static inline bool has_class(const struct va *va,
			     const struct va_request *request)
{
	const struct cached *const self = va->state;

	return !request->is_exact &&
	       request->size <= pages_to_bytes(CLASS_PAGES_MAX) &&
	       (va->config.address_plane ||
		request->vm.flags == self->whole_flags);
}

/* fits_anywhere - wherever that area lies. */
static inline bool fits_anywhere(const struct va *va,
				 const struct va_request *request)
{
	return request->align <= PAGE_SIZE &&
	       request->vstart == va->config.start &&
	       request->vend == va->config.end;
}

/* lies_well - an area of the request's size that begins at `start` will do. */
static inline bool lies_well(const struct va_request *request, uintptr_t start)
{
	return (start & (request->align - 1)) == 0 &&
	       start >= request->vstart && start < request->vend &&
	       request->vend - start >= request->size;
}

#endif
