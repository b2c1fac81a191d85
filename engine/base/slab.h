/* SPDX-License-Identifier: MIT */
/*
 * slab.h - caches of equal objects, for the engine's descriptors.
 *
 * A slab is a static object, one for each type, of the whole process:
 *
 *	static struct slab area_slab = SLAB("vmap_area", struct vmap_area);
 *
 * Its memory is type-stable: what was once such an object stays one until the
 * process ends, so that a late reader of a recycled object reads a wrong one,
 * never something else.  An object is all zero when it is first given out, and
 * holds what its last owner left in it from then on; give writes nothing.
 *
 *	thread:  loaded magazine, spare magazine    no atomics, no lock
 *	depot:   full magazines, empty magazines,   one pthread mutex
 *	         one partial magazine, fresh chunks
 *
 * A magazine is an array of up to 64 objects (Bonwick and Adams, "Magazines and
 * Vmem", 2001): two of them in a thread keep it from going to the depot twice
 * in a row, whatever it does.
 *
 *   S1  an object is with one owner, in one magazine, or not yet carved;
 *   S2  a thread's cache owns two magazines, the depot the rest: one, and for
 *       every chunk as many as hold all objects of that chunk;
 *   S3  therefore a give finds room and cannot fail (were every magazine of
 *       the depot full, it would hold more objects than there are);
 *   S4  taken - given is the number of objects with owners.
 *
 * A thread's cache goes back to the depot when the thread ends; a thread whose
 * cache is already gone, or could not be made, deals with the depot itself.
 *
 * Who may run with whom: everything with everything.  A fork() goes between
 * slab_fork_begin() and slab_fork_end(), so that no thread that the child does
 * not have is inside the depot; what its magazines held is lost to the child.
 *
 * Progress: take and give are wait-free while the thread's magazines last, and
 * wait for a mutex, at times for the kernel, every 64 operations at worst.
 *
 * Order: what the last owner wrote is seen by the next one: by the mutex, or
 * because they are one thread.
 *
 * A library that was unloaded must not be called when a thread ends: link the
 * shared form with -z nodelete.
 */
#ifndef LFV_BASE_SLAB_H
#define LFV_BASE_SLAB_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"

struct os;

enum {
	SLAB_MAGAZINE_OBJECTS = 64,
	SLAB_CHUNK_BYTES = 64 * 1024,
	SLAB_OBJECT_BYTES_MAX = 4096,
	SLAB_TYPES_MAX = 16, /* more types work, without threads' caches */
};

struct slab_magazine {
	struct slab_magazine *next; /* in the depot's list */
	unsigned count;
	void *objects[SLAB_MAGAZINE_OBJECTS];
};

struct slab_cache;

/*
 * slab - one type of objects; make it with SLAB().
 *
 * All but the first group is the depot, guarded by `mutex`.
 */
struct slab {
	/* constant after the first use */
	const char *name;
	size_t object_bytes; /* a multiple of the type's alignment */
	size_t align;
	_Atomic(unsigned) type; /* 1 to SLAB_TYPES_MAX, or 0: no caches */
	/* guarded by mutex */
	pthread_mutex_t mutex;
	struct slab_magazine *full;
	struct slab_magazine *empty;
	struct slab_magazine *partial;
	struct slab_magazine first_partial;
	unsigned char *fresh; /* not yet carved part of the last chunk */
	size_t fresh_objects;
	struct slab_cache *caches; /* of all threads, and those of ended ones */
	struct slab_cache *idle_caches;
	uint64_t taken; /* by threads without a cache */
	uint64_t given;
	uint64_t objects; /* in all chunks, carved or not */
	size_t bytes;
	const struct os *os; /* of the last caller; give maps caches by it */
};

#define SLAB(type_name, object_type)                                      \
	{                                                                 \
		.name = (type_name), .object_bytes = sizeof(object_type), \
		.align = _Alignof(object_type),                           \
		.mutex = PTHREAD_MUTEX_INITIALIZER,                       \
	}

struct slab_stats {
	uint64_t live;   /* objects with owners: taken - given */
	uint64_t cached; /* objects in magazines and uncarved: ready to take */
	size_t bytes;    /* mapped, for good */
};

/*
 * slab_take - an object, or NULL when the kernel has no memory for more.
 *
 * Memory comes from `os`, which the slab remembers: it must stay valid.
 */
__attribute__((warn_unused_result)) void *slab_take(struct slab *slab,
						    const struct os *os);

/* slab_give - hand back what slab_take() gave, by any thread; cannot fail. */
void slab_give(struct slab *slab, void *object);

/*
 * slab_fork_begin - nobody is in the depot until slab_fork_end(), which parent
 * and child both call.
 */
void slab_fork_begin(struct slab *slab);
void slab_fork_end(struct slab *slab);

/*
 * slab_stats - exact when nobody takes or gives; else `live` may be late, but
 * never counts a give whose take it missed.
 */
void slab_stats(struct slab *slab, struct slab_stats *stats);

#endif
