/* SPDX-License-Identifier: MIT */
/*
 * frames.c - the memory itself: a sealed memfd, and what is known of its
 * frames.  Who gets which frame is the allocator's affair; frame_lend.c is
 * about blocks that users of frames hold.
 *
 * The memfd is sealed against shrinking and growing, so that no frame can be
 * cut off under a mapping (that would be SIGBUS at the next touch), and it is
 * not inherited by programs that this one starts.  It is sparse: a frame costs
 * memory from its first touch on.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "backing/frame.h"
#include "backing/frame_kinds.h"
#include "base/error.h"
#include "base/page.h"

static const struct frame_ops *const allocators[] = {
	&frame_buddy,
	&frame_bitmap,
	&frame_paired,
	NULL,
};

const struct frame_ops *const *frame_allocators(void)
{
	return allocators;
}

const struct frame_ops *frame_find_ops(const char *name)
{
	for (size_t i = 0; allocators[i] != NULL; i++)
		if (strcmp(allocators[i]->name, name) == 0)
			return allocators[i];
	return NULL;
}

int frames_refuse_take(const struct frames *frames)
{
	return error_set(-ENOMEM,
			 "of %" PRIu64 " frames none is free: free areas, or "
			 "create the engine with a larger memory_bytes",
			 frames->config.nr_frames);
}

int frames_refuse_order(unsigned order)
{
	if (order > FRAME_ORDER_MAX)
		return error_set(-EINVAL, "order %u: at most %d", order,
				 FRAME_ORDER_MAX);
	return error_set(-ENOMEM,
			 "no %u contiguous frames are free: ask for a lower "
			 "order, or make the engine with more memory "
			 "(memory_bytes)",
			 1U << order);
}

static size_t memory_bytes(const struct frames *frames)
{
	return pages_to_bytes(frames->config.nr_frames);
}

static size_t pages_bytes(const struct frames *frames)
{
	return align_up(frames->config.nr_frames * sizeof(struct page),
			PAGE_SIZE);
}

static size_t state_bytes(const struct frames *frames)
{
	return align_up(frames->ops->state_bytes, PAGE_SIZE);
}

static int config_check(const struct frame_ops *ops,
			const struct frame_config *config)
{
	const uint64_t limit = config->os->file_size_limit();
	const uint64_t bytes = pages_to_bytes(config->nr_frames);

	if (config->nr_frames == 0)
		return error_set(-EINVAL, "a memory of 0 frames: ask for one "
					  "page at least (memory_bytes)");
	if (!ops->fixed && config->nr_frames > FRAMES_MAX)
		return error_set(-EINVAL,
				 "a memory of %" PRIu64 " frames: at most "
				 "%" PRIu64 " can be told apart (memory_bytes)",
				 config->nr_frames, FRAMES_MAX);
	/* Passing this limit would be a signal that kills, not an error. */
	if (bytes > limit)
		return error_set(-EFBIG,
				 "a memory of %" PRIu64 " MiB passes RLIMIT_"
				 "FSIZE (%" PRIu64 " MiB): raise the limit "
				 "(ulimit -f) or ask for less (memory_bytes)",
				 bytes / MIB, limit / MIB);
	return 0;
}

/* memory_init - the memfd, at its size and sealed. */
static int memory_init(struct frames *frames)
{
	const struct os *const os = frames->config.os;
	const int fd = os->memfd_create("lfv");

	if (fd < 0)
		return error_set(fd, "memfd_create failed: %s%s", strerror(-fd),
				 fd == -EMFILE ? ": raise RLIMIT_NOFILE" : "");

	int error = os->ftruncate(fd, (off_t)memory_bytes(frames));

	if (error == 0)
		error = os->seal(fd);
	if (error != 0) {
		(void)os->close(fd); /* nothing was written to it */
		return error_set(error,
				 "a memory of %zu MiB could not be made: %s",
				 memory_bytes(frames) / MIB, strerror(-error));
	}
	frames->fd = fd;
	return 0;
}

static void memory_fini(struct frames *frames)
{
	(void)frames->config.os->close(frames->fd); /* nobody reads it again */
	frames->fd = -1;
}

static void arrays_fini(struct frames *frames)
{
	const struct os *const os = frames->config.os;

	if (frames->pages != NULL)
		os->munmap_anon(frames->pages, pages_bytes(frames));
	if (frames->state != NULL)
		os->munmap_anon(frames->state, state_bytes(frames));
	frames->pages = NULL;
	frames->state = NULL;
}

static int arrays_init(struct frames *frames)
{
	const struct os *const os = frames->config.os;

	frames->state = os->mmap_anon(state_bytes(frames));
	if (!frames->ops->fixed)
		frames->pages = os->mmap_anon(pages_bytes(frames));
	if (frames->state == NULL ||
	    (!frames->ops->fixed && frames->pages == NULL)) {
		arrays_fini(frames);
		return error_set(-ENOMEM,
				 "no address space for the descriptors of "
				 "%" PRIu64 " frames: ask for less "
				 "(memory_bytes), or raise RLIMIT_AS "
				 "(ulimit -v)",
				 frames->config.nr_frames);
	}
	return 0;
}

int frames_init(struct frames *frames, const struct frame_ops *ops,
		const struct frame_config *config)
{
	int error = config_check(ops, config);

	if (error != 0)
		return error;

	*frames = (struct frames){ .ops = ops, .config = *config, .fd = -1 };
	error = memory_init(frames);
	if (error != 0)
		return error;
	error = arrays_init(frames);
	if (error != 0)
		goto undo_memory;
	error = ops->init(frames);
	if (error != 0)
		goto undo_arrays;
	return 0;

undo_arrays:
	arrays_fini(frames);
undo_memory:
	memory_fini(frames);
	return error;
}

void frames_fini(struct frames *frames)
{
	/* relaxed: fini runs alone. */
	void *const linear = load_relaxed(&frames->linear);

	if (linear != NULL)
		frames->config.os->munmap_anon(linear, memory_bytes(frames));
	frames->ops->fini(frames);
	arrays_fini(frames);
	memory_fini(frames);
}

/*
 * frames_linear - the first caller maps all of the memory; of two that do so
 * at once, one takes his mapping back.
 */
int frames_linear(struct frames *frames, void **base)
{
	const struct os *const os = frames->config.os;
	/* acquire [frames-linear]: the mapping is there. */
	void *linear = load_acquire(&frames->linear);

	if (linear != NULL) {
		*base = linear;
		return 0;
	}

	void *mine;
	const int error =
		os->map_linear(&mine, memory_bytes(frames), frames->fd);

	if (error != 0)
		return error_set(error,
				 "no linear mapping of %zu MiB: %s (RLIMIT_AS, "
				 "vm.max_map_count)",
				 memory_bytes(frames) / MIB, strerror(-error));
	/* release [frames-linear]: whoever finds it may use it. */
	if (!cas_release(&frames->linear, &linear, mine)) {
		os->munmap_anon(mine, memory_bytes(frames));
		/* acquire [frames-linear]: the winner's. */
		mine = load_acquire(&frames->linear);
	}
	*base = mine;
	return 0;
}
