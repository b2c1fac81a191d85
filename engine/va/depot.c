/* SPDX-License-Identifier: MIT */
/*
 * depot.c - tagged stacks of batches.
 */
#include "va/depot.h"

#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "base/error.h"

struct depot_batch {
	_Atomic(uint32_t) next; /* index + 1 */
	uint32_t count;
	uint64_t values[DEPOT_BATCH];
};

/* top - the word of a stack: which batch lies on top, and a tag. */
enum { TOP_INDEX_BITS = 24 };

#define TOP_INDEX_MASK (((uint64_t)1 << TOP_INDEX_BITS) - 1)

static_assert(DEPOT_BATCHES_MAX < 1 << TOP_INDEX_BITS, "an index fits");

static uint32_t top_index(uint64_t top)
{
	return (uint32_t)(top & TOP_INDEX_MASK);
}

/* top_tag - how many batches were ever pushed. */
static uint64_t top_tag(uint64_t top)
{
	return top >> TOP_INDEX_BITS;
}

/* top_of - the word with that tag and `index` on the stack. */
static uint64_t top_of(uint64_t tag, uint32_t index)
{
	return tag << TOP_INDEX_BITS | index;
}

static size_t batches_bytes(void)
{
	return align_up(DEPOT_BATCHES_MAX * sizeof(struct depot_batch),
			PAGE_SIZE);
}

int depot_init(struct depot *depot, const struct os *os, uint64_t pages_max)
{
	memset(depot, 0, sizeof(*depot));
	depot->os = os;
	depot->pages_max = pages_max;
	depot->batches = os->mmap_anon(batches_bytes());
	if (!depot->batches)
		return error_set(-ENOMEM, "no memory for the depot"
					  " (RLIMIT_AS, vm.max_map_count)");
	return 0;
}

void depot_fini(struct depot *depot)
{
	if (depot->batches)
		depot->os->munmap_anon(depot->batches, batches_bytes());
	depot->batches = NULL;
}

static void stack_push(struct depot *depot, struct depot_stack *stack,
		       uint32_t index)
{
	struct depot_batch *const batch = &depot->batches[index - 1];
	/* relaxed: the old top is linked to, never looked into. */
	uint64_t top = load_relaxed(&stack->top);

	do {
		/* relaxed: [depot-batch] publishes it. */
		store_relaxed(&batch->next, top_index(top));
		/* release [depot-batch]: what the batch holds. */
	} while (!cas_release(&stack->top, &top,
			      top_of(top_tag(top) + 1, index)));
}

/* stack_pop - the batch on top, or 0. */
static uint32_t stack_pop(struct depot *depot, struct depot_stack *stack)
{
	for (;;) {
		/* acquire [depot-batch]: its link, and what it holds. */
		uint64_t top = load_acquire(&stack->top);
		const uint32_t index = top_index(top);

		if (index == 0)
			return 0;

		/* relaxed: if the batch has left the stack since, it is not on
		 * top, or was pushed again, and the tag has changed. */
		const uint32_t next =
			load_relaxed(&depot->batches[index - 1].next);

		/* relaxed: for the tag it is the word that was loaded above;
		 * those below are published still, by their own pushes. */
		if (cas_relaxed(&stack->top, &top, top_of(top_tag(top), next)))
			return index;
	}
}

/* batch_get - an empty batch, or 0 when all are in use. */
static uint32_t batch_get(struct depot *depot)
{
	const uint32_t used = stack_pop(depot, &depot->empty);

	if (used != 0)
		return used;
	/* relaxed: a look that keeps the count from running on. */
	if (load_relaxed(&depot->fresh) >= DEPOT_BATCHES_MAX)
		return 0;
	/* relaxed: an index is handed out, which nobody has seen before. */
	const uint32_t index = add_relaxed(&depot->fresh, 1);

	return index < DEPOT_BATCHES_MAX ? index + 1 : 0;
}

/* pages_reserve - count before they can be seen; D3. */
static bool pages_reserve(struct depot *depot, uint64_t pages)
{
	/* relaxed: a bound on a sum, it guards no data. */
	if (add_relaxed(&depot->pages, pages) + pages <= depot->pages_max)
		return true;
	/* relaxed: as above. */
	sub_relaxed(&depot->pages, pages);
	return false;
}

bool depot_put(struct depot *depot, unsigned size_class, const uint64_t *values,
	       unsigned count)
{
	const uint64_t pages = count * class_pages(size_class);

	assert(count > 0 && count <= DEPOT_BATCH); /* D2 */
	if (!pages_reserve(depot, pages))
		return false;

	const uint32_t index = batch_get(depot);

	if (index == 0) {
		/* relaxed: as in pages_reserve(). */
		sub_relaxed(&depot->pages, pages);
		return false;
	}

	struct depot_batch *const batch = &depot->batches[index - 1];

	batch->count = count;
	memcpy(batch->values, values, count * sizeof(*values));
	stack_push(depot, &depot->full[size_class], index);
	return true;
}

unsigned depot_take(struct depot *depot, unsigned size_class,
		    uint64_t values[DEPOT_BATCH])
{
	const uint32_t index = stack_pop(depot, &depot->full[size_class]);

	if (index == 0)
		return 0;

	const struct depot_batch *const batch = &depot->batches[index - 1];
	const unsigned count = batch->count;

	memcpy(values, batch->values, count * sizeof(*values));
	/* relaxed: as in pages_reserve(). */
	sub_relaxed(&depot->pages, count * class_pages(size_class));
	stack_push(depot, &depot->empty, index);
	return count;
}

unsigned depot_batches(const struct depot *depot, unsigned size_class)
{
	/* relaxed: a figure. */
	uint32_t index = top_index(load_relaxed(&depot->full[size_class].top));
	unsigned count = 0;

	/* Of a batch that has left meanwhile the link leads anywhere. */
	while (index != 0 && count < DEPOT_BATCHES_MAX) {
		/* relaxed: as above. */
		index = load_relaxed(&depot->batches[index - 1].next);
		count++;
	}
	return count;
}

uint64_t depot_puts(const struct depot *depot)
{
	uint64_t puts = 0;

	/* relaxed: each take looks at the same word, after this one or before,
	 * and acquires what was done before the pushes that it tells of. */
	for (unsigned size_class = 0; size_class < CLASSES; size_class++)
		puts += top_tag(load_relaxed(&depot->full[size_class].top));
	return puts;
}

uint64_t depot_pages(const struct depot *depot)
{
	/* relaxed: a figure. */
	return load_relaxed(&depot->pages);
}
