/* SPDX-License-Identifier: MIT */
/*
 * lock.c - the lock kinds by name, and what all of them have in common.
 */
#include "lock/lock.h"

#include <assert.h>
#include <string.h>

#include "base/check.h"
#include "lock/lock_kinds.h"

/* qspin is the default: it is what guards vmalloc in Linux since 4.2. */
static const struct lock_ops *const kinds[] = {
	&lock_qspin,
	&lock_fas,
	&lock_ticket,
	&lock_mcs,
	&lock_pthread_mutex,
	&lock_pthread_spin,
	&lock_pthread_rwlock,
	&lock_busted,
	NULL,
};

static_assert(sizeof(struct lock_turn) == LOCK_TURN_BYTES,
	      "a turn is its bytes");
static_assert(offsetof(struct lock, state) % LOCK_STATE_ALIGN == 0,
	      "the kinds' state is aligned for them");
static_assert(offsetof(struct lock, state) / CACHE_LINE_BYTES ==
		      offsetof(struct lock, entered) / CACHE_LINE_BYTES,
	      "the holder counts on the line that it holds");
static_assert(sizeof(struct lock) % FALSE_SHARING_BYTES == 0,
	      "neighbours share no line");

int lock_init(struct lock *lock, const struct lock_ops *ops, bool yield)
{
	*lock = (struct lock){
		.ops = ops,
		.yield = yield,
	};
	return ops->init(lock);
}

void lock_fini(struct lock *lock)
{
	lock->ops->fini(lock);
}

const struct lock_ops *lock_find(const char *name)
{
	for (size_t i = 0; kinds[i] != NULL; i++) {
		if (strcmp(kinds[i]->name, name) == 0)
			return kinds[i];
	}
	return NULL;
}

const struct lock_ops *const *lock_kinds(void)
{
	return kinds;
}
