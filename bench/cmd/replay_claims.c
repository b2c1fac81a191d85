/* SPDX-License-Identifier: MIT */
#include "cmd/replay_claims.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/atomic.h"

int replay_claims_init(struct replay_claims *claims, uint64_t pages)
{
	void *owners = mmap(NULL, pages * sizeof(*claims->owners),
			    PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (owners == MAP_FAILED)
		return -errno;
	*claims = (struct replay_claims){ pages, owners };
	return 0;
}

void replay_claims_fini(struct replay_claims *claims)
{
	munmap(claims->owners, claims->pages * sizeof(*claims->owners));
	*claims = (struct replay_claims){ 0 };
}

bool replay_claims_try_add(struct replay_claims *claims,
			   const struct replay_run *run, uint32_t slot,
			   struct replay_clash *clash)
{
	bool alone = true;

	for (uint64_t i = 0; i < run->pages; i++) {
		const uint64_t page = run->first_page + i;
		uint32_t owner = 0;

		/*
		 * relaxed: the engine orders a free before the next allocation
		 * of the page, and C2 lies outside both: who was freed before
		 * is never met here.  Each word speaks for itself.
		 */
		if (cas_relaxed(&claims->owners[page], &owner, slot + 1) ||
		    !alone)
			continue;
		alone = false;
		*clash = (struct replay_clash){ page, owner - 1 };
	}
	return alone;
}

void replay_claims_remove(struct replay_claims *claims,
			  const struct replay_run *run, uint32_t slot)
{
	for (uint64_t i = 0; i < run->pages; i++) {
		uint32_t owner = slot + 1;

		/* relaxed: as above; another's page stays another's. */
		(void)cas_relaxed(&claims->owners[run->first_page + i], &owner,
				  0);
	}
}

bool replay_claims_find(const struct replay_claims *claims, uint64_t page,
			uint32_t *slot)
{
	/* relaxed: asked only while nobody allocates. */
	const uint32_t owner = load_relaxed(&claims->owners[page]);

	if (owner != 0)
		*slot = owner - 1;
	return owner != 0;
}
