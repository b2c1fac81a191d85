/* SPDX-License-Identifier: MIT */
/*
 * os_linux.c - the table of system calls as Linux has them.
 *
 * Thin on purpose: each entry is one call and says what it means.  Nothing is
 * remembered from one call to the next, so the table needs no set-up.
 *
 * The constants below are newer than the C library's headers of the oldest
 * distribution that the engine is built on; a kernel that does not know them
 * answers EINVAL or EBADF, and the callers probe.
 */
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/os_proc.h"
#include "base/page.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* Linux 6.13; files since 6.15 */
#endif
#ifndef MADV_GUARD_REMOVE
#define MADV_GUARD_REMOVE 103
#endif
#ifndef PIDFD_SELF_THREAD_GROUP
#define PIDFD_SELF_THREAD_GROUP (-10001) /* Linux 6.14 */
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

/* Of membarrier(2); headers before Linux 5.10 lack these. */
enum {
	MEMBARRIER_ON_CPU = 1 << 0,
	MEMBARRIER_FENCE_RSEQ = 1 << 7,
	MEMBARRIER_REGISTER_RSEQ = 1 << 8,
};

enum { NS_PER_S = 1000000000 };

/* result - 0 or -errno from a call that returns -1 on failure. */
static int result(int outcome)
{
	return outcome == 0 ? 0 : -errno;
}

static int mapping_result(const void *mapping)
{
	return mapping == MAP_FAILED ? -errno : 0;
}

static void *linux_mmap_anon(size_t bytes)
{
	void *const base =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return base == MAP_FAILED ? NULL : base;
}

/*
 * At vm.max_map_count the kernel cannot cut a piece out of a mapping that has
 * merged with its neighbours.  Then the memory goes back and the addresses
 * stay taken.
 */
static void linux_munmap_anon(void *base, size_t bytes)
{
	if (munmap(base, bytes) != 0)
		(void)madvise(base, bytes, MADV_DONTNEED);
}

static int linux_reserve(void *base, size_t bytes)
{
	void *const got = mmap(base, bytes, PROT_NONE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
				       MAP_FIXED_NOREPLACE,
			       -1, 0);

	if (got == MAP_FAILED)
		return -errno;
	if (got != base) { /* before Linux 4.17 the address is a hint */
		(void)munmap(got, bytes);
		return -EEXIST;
	}
	return 0;
}

static int linux_unreserve(void *base, size_t bytes)
{
	return result(munmap(base, bytes));
}

static int linux_remap_none(void *base, size_t bytes)
{
	return mapping_result(
		mmap(base, bytes, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
		     -1, 0));
}

static int linux_map_file(void *base, size_t bytes, int prot, int fd,
			  off_t offset)
{
	return mapping_result(
		mmap(base, bytes, prot, MAP_SHARED | MAP_FIXED, fd, offset));
}

static int linux_map_linear(void **base, size_t bytes, int fd)
{
	void *const got =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (got == MAP_FAILED)
		return -errno;
	*base = got;
	return 0;
}

static int linux_guard_install(void *base, size_t bytes)
{
	return result(madvise(base, bytes, MADV_GUARD_INSTALL));
}

static int linux_guard_remove(void *base, size_t bytes)
{
	return result(madvise(base, bytes, MADV_GUARD_REMOVE));
}

/* is_refusal - the call as such is not allowed, whatever the ranges. */
static bool is_refusal(int error)
{
	return error == -EINVAL || error == -EBADF || error == -EPERM ||
	       error == -ENOSYS;
}

static size_t total_bytes(const struct iovec *ranges, size_t count)
{
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += ranges[i].iov_len;
	return bytes;
}

/*
 * A kernel with markers on files (6.15) knows the name of this process without
 * a descriptor (6.14), so none is opened, kept, or inherited by mistake.
 */
static int linux_guard_install_many(const struct iovec *ranges, size_t count)
{
	const long advised =
		syscall(SYS_process_madvise, PIDFD_SELF_THREAD_GROUP, ranges,
			count, MADV_GUARD_INSTALL, 0);
	int error = advised < 0 ? -errno : 0;

	if (error == 0 && (size_t)advised == total_bytes(ranges, count))
		return 0;
	if (error != 0 && !is_refusal(error))
		return error;

	/* Refused, or cut short: one call each tells the range that fails. */
	error = 0;
	for (size_t i = 0; i < count && error == 0; i++)
		error = linux_guard_install(ranges[i].iov_base,
					    ranges[i].iov_len);
	return error;
}

static int linux_memfd_create(const char *name)
{
	const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
		fd = memfd_create(name, flags);
	return fd < 0 ? -errno : fd;
}

static int linux_ftruncate(int fd, off_t bytes)
{
	return result(ftruncate(fd, bytes));
}

static int linux_seal(int fd)
{
	return result(fcntl(fd, F_ADD_SEALS,
			    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL));
}

static int linux_punch_hole(int fd, off_t offset, off_t bytes)
{
	return result(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				offset, bytes));
}

static int linux_close(int fd)
{
	return result(close(fd));
}

static int linux_fstat_bytes(int fd, off_t *bytes)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return -errno;
	*bytes = status.st_size;
	return 0;
}

/* limit_bytes - the soft limit that getrlimit(2) told, if it told one. */
static uint64_t limit_bytes(int outcome, const struct rlimit *limit)
{
	return outcome != 0 || limit->rlim_cur == RLIM_INFINITY
		       ? UINT64_MAX
		       : limit->rlim_cur;
}

static uint64_t linux_file_size_limit(void)
{
	struct rlimit limit;
	const int outcome = getrlimit(RLIMIT_FSIZE, &limit);

	return limit_bytes(outcome, &limit);
}

static uint64_t linux_address_limit(void)
{
	struct rlimit limit;
	const int outcome = getrlimit(RLIMIT_AS, &limit);

	return limit_bytes(outcome, &limit);
}

static uint64_t linux_address_bytes(void)
{
	uint64_t pages = 0;

	(void)proc_first_number("/proc/self/statm", &pages);
	return pages << PAGE_SHIFT;
}

static size_t linux_max_map_count(void)
{
	uint64_t count = 0;

	(void)proc_first_number("/proc/sys/vm/max_map_count", &count);
	return (size_t)count;
}

static size_t linux_map_count(void)
{
	return proc_line_count("/proc/self/maps");
}

static uint64_t linux_memory_bytes(void)
{
	const long pages = sysconf(_SC_PHYS_PAGES);
	const long bytes = sysconf(_SC_PAGESIZE);

	return pages > 0 && bytes > 0 ? (uint64_t)pages * (uint64_t)bytes : 0;
}

static bool linux_tlb_shootdowns(uint64_t *count)
{
	return proc_row_sum("/proc/interrupts", "TLB:", count);
}

static int linux_fence_register(void)
{
	return result(
		(int)syscall(SYS_membarrier, MEMBARRIER_REGISTER_RSEQ, 0, 0));
}

static int linux_fence_cpu(unsigned cpu)
{
	return result((int)syscall(SYS_membarrier, MEMBARRIER_FENCE_RSEQ,
				   MEMBARRIER_ON_CPU, cpu));
}

static int linux_pin_thread(unsigned cpu)
{
	enum { WORD_BITS = 8 * sizeof(unsigned long) };
	unsigned long only[CPU_IDS_MAX / WORD_BITS] = { 0 };

	if (cpu >= CPU_IDS_MAX)
		return -EINVAL;
	only[cpu / WORD_BITS] = 1UL << cpu % WORD_BITS;
	return result(
		(int)syscall(SYS_sched_setaffinity, 0, sizeof(only), only));
}

static void linux_sleep_ns(uint64_t ns)
{
	const struct timespec time = {
		.tv_sec = (time_t)(ns / NS_PER_S),
		.tv_nsec = (long)(ns % NS_PER_S),
	};

	/* A signal ends it early: all that is promised is a pause. */
	(void)nanosleep(&time, NULL);
}

static int linux_random(void *buffer, size_t bytes)
{
	const ssize_t got = getrandom(buffer, bytes, 0);

	if (got < 0)
		return -errno;
	return (size_t)got == bytes ? 0 : -EAGAIN;
}

static uint64_t linux_now_ns(void)
{
	struct timespec now;

	/* Cannot fail: the clock exists and the pointer is ours. */
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

const struct os os_linux = {
	.name = "linux",
	.mmap_anon = linux_mmap_anon,
	.munmap_anon = linux_munmap_anon,
	.reserve = linux_reserve,
	.unreserve = linux_unreserve,
	.remap_none = linux_remap_none,
	.map_file = linux_map_file,
	.map_linear = linux_map_linear,
	.guard_install = linux_guard_install,
	.guard_remove = linux_guard_remove,
	.guard_install_many = linux_guard_install_many,
	.memfd_create = linux_memfd_create,
	.ftruncate = linux_ftruncate,
	.seal = linux_seal,
	.punch_hole = linux_punch_hole,
	.close = linux_close,
	.fstat_bytes = linux_fstat_bytes,
	.file_size_limit = linux_file_size_limit,
	.max_map_count = linux_max_map_count,
	.map_count = linux_map_count,
	.address_limit = linux_address_limit,
	.address_bytes = linux_address_bytes,
	.memory_bytes = linux_memory_bytes,
	.read_text = proc_read_text,
	.tlb_shootdowns = linux_tlb_shootdowns,
	.fence_register = linux_fence_register,
	.fence_cpu = linux_fence_cpu,
	.pin_thread = linux_pin_thread,
	.sleep_ns = linux_sleep_ns,
	.random = linux_random,
	.now_ns = linux_now_ns,
	.pid = getpid,
};
