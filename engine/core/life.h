/* SPDX-License-Identifier: MIT */
/*
 * life.h - what a strategy calls back while an area comes and goes; see the
 * hooks of va/va.h.
 */
#ifndef LFV_CORE_LIFE_H
#define LFV_CORE_LIFE_H

#include "va/va.h"

/* life_map - map a struct source in the range; -errno, nothing mapped. */
int life_map(void *context, const struct va_range *range,
	     const struct va_request *request, const void *source);

/* life_unmap - with `strict`, unmap the range now; else leave it to a purge. */
int life_unmap(void *context, const struct va_range *range);

#endif
