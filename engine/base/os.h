/* SPDX-License-Identifier: MIT */
/*
 * os.h - every system call and the clock, behind one table.
 *
 * The engine reaches the kernel only through the table it was created with, so
 * that a test can fail the n-th call, count calls, or stop the clock.  Each
 * entry returns 0 or a result, or -errno; none sets errno.  Addresses and
 * lengths are page aligned; nothing here is retried.
 *
 * Who may run with whom: all entries are thread-safe.  mmap, madvise and the
 * like take the kernel's mmap_lock: no progress is promised across them.
 */
#ifndef LFV_BASE_OS_H
#define LFV_BASE_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct iovec;

/* What one vector of the kernel's may hold. */
enum { OS_GUARD_RANGES_MAX = 1024 };

struct os {
	const char *name;

	/* Anonymous, private, NORESERVE, zero, read-write; NULL: refused. */
	void *(*mmap_anon)(size_t bytes);
	void (*munmap_anon)(void *base, size_t bytes);

	/* A PROT_NONE NORESERVE mapping at exactly `base`, if it is free. */
	int (*reserve)(void *base, size_t bytes);
	/* Give a whole reservation back (destroy only). */
	int (*unreserve)(void *base, size_t bytes);
	/* Replace what is mapped by PROT_NONE again, in one call. */
	int (*remap_none)(void *base, size_t bytes);
	/* Map `bytes` of `fd` from `offset` over what is there; as mmap. */
	int (*map_file)(void *base, size_t bytes, int prot, int fd,
			off_t offset);
	/* A linear mapping of a whole file wherever the kernel likes. */
	int (*map_linear)(void **base, size_t bytes, int fd);

	int (*guard_install)(void *base, size_t bytes);
	int (*guard_remove)(void *base, size_t bytes);
	/*
	 * Install guards over up to OS_GUARD_RANGES_MAX ranges in one call, or
	 * in one call each where the kernel refuses that.  After an error any
	 * number of them, from the first on, may hold guards.
	 */
	int (*guard_install_many)(const struct iovec *ranges, size_t count);

	int (*memfd_create)(const char *name); /* CLOEXEC, sealable; fd */
	int (*ftruncate)(int fd, off_t bytes);
	int (*seal)(int fd); /* neither shrink nor grow, for good */
	int (*punch_hole)(int fd, off_t offset, off_t bytes);
	int (*close)(int fd);
	int (*fstat_bytes)(int fd, off_t *bytes);

	/* RLIMIT_FSIZE, in bytes; UINT64_MAX for none. */
	uint64_t (*file_size_limit)(void);
	/* vm.max_map_count, or 0 where it cannot be read. */
	size_t (*max_map_count)(void);
	/* Mappings of this process now: what that limit is about; slow. */
	size_t (*map_count)(void);
	/* RLIMIT_AS, in bytes; UINT64_MAX for none. */
	uint64_t (*address_limit)(void);
	/* Address space in use by this process: what that limit is about. */
	uint64_t (*address_bytes)(void);
	/* The begin of a small text file, 0-terminated in `text`; 0 or -errno.
	 */
	int (*read_text)(const char *path, char *text, size_t bytes);
	/* The machine's memory in bytes. */
	uint64_t (*memory_bytes)(void);
	/* TLB shoot-downs of the machine so far; false where not told. */
	bool (*tlb_shootdowns)(uint64_t *count);

	/*
	 * membarrier(2) for restartable sequences: once registered, a fence
	 * aborts the section that a thread of this process is inside of on that
	 * CPU, if any, and orders what the two threads did before it.  A CPU
	 * that is not there is at rest.
	 */
	int (*fence_register)(void);
	int (*fence_cpu)(unsigned cpu);
	/* Let the calling thread run on this CPU only. */
	int (*pin_thread)(unsigned cpu);
	void (*sleep_ns)(uint64_t ns);

	int (*random)(void *buffer, size_t bytes);
	uint64_t (*now_ns)(void); /* CLOCK_MONOTONIC */
	pid_t (*pid)(void);
};

/* os_linux - the real thing. */
extern const struct os os_linux;

#endif
