/* SPDX-License-Identifier: MIT */
/*
 * map_spare.c - three pages, the middle one PROT_NONE.
 *
 * Their neighbours may merge with the outer two, but not with the one between
 * them: it is a kernel mapping of its own wherever they lie.
 */
#include "backing/map_spare.h"

#include <errno.h>

#include "base/page.h"

#define SPARE_BYTES (3 * PAGE_SIZE)

/* spare_make - three pages that are at least one mapping, or NULL. */
static void *spare_make(const struct os *os)
{
	unsigned char *const base = os->mmap_anon(SPARE_BYTES);

	if (base == NULL)
		return NULL;
	if (os->remap_none(base + PAGE_SIZE, PAGE_SIZE) != 0) {
		os->munmap_anon(base, SPARE_BYTES);
		return NULL;
	}
	return base;
}

static void spare_fill(struct spare *spare, const struct os *os)
{
	void *none = NULL;

	/* relaxed: a guess that saves the calls; the CAS decides. */
	if (load_relaxed(&spare->mapping) != NULL)
		return;

	void *const made = spare_make(os);

	if (made == NULL)
		return;
	/* relaxed: addresses of pages that nobody reads or writes. */
	if (!cas_relaxed(&spare->mapping, &none, made))
		os->munmap_anon(made, SPARE_BYTES);
}

/* spare_give_up - true if there was one; N1. */
static bool spare_give_up(struct spare *spare, const struct os *os)
{
	/* relaxed: addresses of pages that nobody reads or writes. */
	void *const mapping = swap_relaxed(&spare->mapping, NULL);

	if (mapping == NULL)
		return false;
	os->munmap_anon(mapping, SPARE_BYTES);
	return true;
}

void spare_init(struct spare *spare, const struct os *os)
{
	atomic_init(&spare->mapping, NULL);
	spare_fill(spare, os);
}

void spare_fini(struct spare *spare, const struct os *os)
{
	(void)spare_give_up(spare, os);
}

int spare_remap_none(struct spare *spare, const struct os *os, void *base,
		     size_t bytes)
{
	int error = os->remap_none(base, bytes);

	if (error == -ENOMEM && spare_give_up(spare, os))
		error = os->remap_none(base, bytes);
	if (error == 0)
		spare_fill(spare, os);
	return error;
}
