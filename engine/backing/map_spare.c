/* SPDX-License-Identifier: MIT */
/*
 * map_spare.c - nine pages, every other one PROT_NONE.
 *
 * Their neighbours may merge with the outer two, but not with what lies between
 * them: seven kernel mappings of their own wherever they lie.  One would not
 * do: to lay out bare what is bare already cuts a mapping in three before it is
 * one again, and a call that the kernel refuses may leave it cut.
 */
#include "backing/map_spare.h"

#include <errno.h>

#include "base/page.h"

enum { SPARE_PAGES = 9 };

#define SPARE_BYTES (SPARE_PAGES * PAGE_SIZE)

/* spare_make - pages that are at least seven mappings, or NULL. */
static void *spare_make(const struct os *os)
{
	unsigned char *const base = os->mmap_anon(SPARE_BYTES);

	if (base == NULL)
		return NULL;
	for (size_t page = 1; page < SPARE_PAGES; page += 2) {
		if (os->remap_none(base + page * PAGE_SIZE, PAGE_SIZE) != 0) {
			os->munmap_anon(base, SPARE_BYTES);
			return NULL;
		}
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

bool spare_hold(struct spare *spare, const struct os *os)
{
	spare_fill(spare, os);
	/* relaxed: addresses of pages that nobody reads or writes. */
	return load_relaxed(&spare->mapping) != NULL;
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

int spare_cut(struct spare *spare, const struct os *os, void *base,
	      size_t bytes)
{
	return spare_hold(spare, os) ? os->remap_none(base, bytes) : -ENOMEM;
}
