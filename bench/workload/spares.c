/* SPDX-License-Identifier: MIT */
#include "workload/spares.h"

#include <stdlib.h>

#include "base/os.h"

struct spares *spares_make(uintptr_t start, uintptr_t stride, size_t all)
{
	const struct cpu_options machine = { 0 };
	struct spares *const spares =
		calloc(1, sizeof(*spares) + all * sizeof(spares->stack[0]));

	if (!spares)
		return NULL;
	spares->start = start;
	spares->stride = stride;
	spares->bytes = all * stride;
	spares->all = all;
	/* The lowest is on top. */
	while (spares->count < all) {
		spares->stack[spares->count] =
			start + (all - 1 - spares->count) * stride;
		spares->count++;
	}
	if (cpu_map_init(&spares->cpus, &machine, &os_linux) ||
	    percpu_init(&spares->stock, percpu_choose(PERCPU_AUTO, &os_linux),
			&spares->cpus, SPARES_STOCK, &os_linux)) {
		free(spares);
		return NULL;
	}
	return spares;
}

void spares_free(struct spares *spares)
{
	if (!spares)
		return;
	percpu_fini(&spares->stock);
	free(spares);
}

uintptr_t spares_take_slowly(struct spares *spares)
{
	if (spares->count)
		return spares->stack[--spares->count];
	return spares->start + spares->next++ % spares->all * spares->stride;
}

void spares_give_slowly(struct spares *spares, uintptr_t address)
{
	if (spares->count < spares->all)
		spares->stack[spares->count++] = address;
}
