/* SPDX-License-Identifier: MIT */
/*
 * fault_os.c - the table of base/os.h around the one of Linux.
 */
#include "fault/fault_os.h"

#include <errno.h>

#include "base/atomic.h"

/* What each call says when a limit of the process or the machine is met. */
static const int usual_error[FAULT_CALLS] = {
	[FAULT_MMAP_ANON] = -ENOMEM,
	[FAULT_RESERVE] = -ENOMEM,
	[FAULT_UNRESERVE] = -ENOMEM,
	[FAULT_REMAP_NONE] = -ENOMEM,
	[FAULT_MAP_FILE] = -ENOMEM,
	[FAULT_MAP_LINEAR] = -ENOMEM,
	[FAULT_GUARD_INSTALL] = -ENOMEM,
	[FAULT_GUARD_REMOVE] = -ENOMEM,
	[FAULT_GUARD_INSTALL_MANY] = -ENOMEM,
	[FAULT_MEMFD_CREATE] = -EMFILE,
	[FAULT_FTRUNCATE] = -EFBIG,
	[FAULT_SEAL] = -EPERM,
	[FAULT_PUNCH_HOLE] = -ENOMEM,
	[FAULT_FSTAT_BYTES] = -EIO,
	/* Kernels before 5.10, filters, CPUs that we may not use. */
	[FAULT_FENCE_REGISTER] = -ENOSYS,
	[FAULT_FENCE_CPU] = -EPERM,
	[FAULT_PIN_THREAD] = -EINVAL,
	[FAULT_RANDOM] = -ENOSYS,
};

/* constant while anybody works */
static enum fault_call plan_call;
static enum fault_mode plan_mode;
static uint64_t plan_nth; /* 0: nothing is planned */
static int plan_error;
static bool plan_rests;
/* shared */
static _Atomic(uint64_t) planned_calls;
static _Atomic(bool) was_hit;
static _Atomic(uint64_t) counts[FAULT_CALLS];

void fault_arm(enum fault_call call, uint64_t nth, enum fault_mode mode,
	       int error)
{
	fault_disarm();
	plan_call = call;
	plan_mode = mode;
	plan_error = error;
	plan_nth = nth;
}

void fault_disarm(void)
{
	plan_nth = 0;
	plan_rests = false;
	/* relaxed: nobody works. */
	store_relaxed(&planned_calls, 0);
	store_relaxed(&was_hit, false);
}

void fault_rest(bool at_rest)
{
	plan_rests = at_rest;
}

bool fault_was_hit(void)
{
	/* relaxed: asked when the work is done. */
	return load_relaxed(&was_hit);
}

uint64_t fault_count(enum fault_call call)
{
	uint64_t sum = 0;

	/* relaxed: figures. */
	if (call != FAULT_ANY)
		return load_relaxed(&counts[call]);
	for (int i = 0; i < FAULT_CALLS; i++)
		sum += load_relaxed(&counts[i]);
	return sum;
}

/* fault - count a call; 0, or the error it is to fail with. */
static int fault(enum fault_call call)
{
	/* relaxed: figures. */
	add_relaxed(&counts[call], 1);
	if (plan_nth == 0 || plan_rests ||
	    (plan_call != FAULT_ANY && plan_call != call))
		return 0;

	/* relaxed: only the number is asked for. */
	const uint64_t number = add_relaxed(&planned_calls, 1) + 1;

	if (number < plan_nth || (number > plan_nth && plan_mode == FAULT_ONCE))
		return 0;
	/* relaxed: asked when the work is done. */
	store_relaxed(&was_hit, true);
	return plan_error != 0 ? plan_error : usual_error[call];
}

static void *fault_mmap_anon(size_t bytes)
{
	return fault(FAULT_MMAP_ANON) != 0 ? NULL : os_linux.mmap_anon(bytes);
}

static void fault_munmap_anon(void *base, size_t bytes)
{
	os_linux.munmap_anon(base, bytes);
}

static int fault_reserve(void *base, size_t bytes)
{
	const int error = fault(FAULT_RESERVE);

	return error != 0 ? error : os_linux.reserve(base, bytes);
}

static int fault_unreserve(void *base, size_t bytes)
{
	const int error = fault(FAULT_UNRESERVE);

	return error != 0 ? error : os_linux.unreserve(base, bytes);
}

static int fault_remap_none(void *base, size_t bytes)
{
	const int error = fault(FAULT_REMAP_NONE);

	return error != 0 ? error : os_linux.remap_none(base, bytes);
}

static int fault_map_file(void *base, size_t bytes, int prot, int fd,
			  off_t offset)
{
	const int error = fault(FAULT_MAP_FILE);

	return error != 0 ? error
			  : os_linux.map_file(base, bytes, prot, fd, offset);
}

static int fault_map_linear(void **base, size_t bytes, int fd)
{
	const int error = fault(FAULT_MAP_LINEAR);

	return error != 0 ? error : os_linux.map_linear(base, bytes, fd);
}

static int fault_guard_install(void *base, size_t bytes)
{
	const int error = fault(FAULT_GUARD_INSTALL);

	return error != 0 ? error : os_linux.guard_install(base, bytes);
}

static int fault_guard_remove(void *base, size_t bytes)
{
	const int error = fault(FAULT_GUARD_REMOVE);

	return error != 0 ? error : os_linux.guard_remove(base, bytes);
}

static int fault_guard_install_many(const struct iovec *ranges, size_t count)
{
	const int error = fault(FAULT_GUARD_INSTALL_MANY);

	return error != 0 ? error : os_linux.guard_install_many(ranges, count);
}

static int fault_memfd_create(const char *name)
{
	const int error = fault(FAULT_MEMFD_CREATE);

	return error != 0 ? error : os_linux.memfd_create(name);
}

static int fault_ftruncate(int fd, off_t bytes)
{
	const int error = fault(FAULT_FTRUNCATE);

	return error != 0 ? error : os_linux.ftruncate(fd, bytes);
}

static int fault_seal(int fd)
{
	const int error = fault(FAULT_SEAL);

	return error != 0 ? error : os_linux.seal(fd);
}

static int fault_punch_hole(int fd, off_t offset, off_t bytes)
{
	const int error = fault(FAULT_PUNCH_HOLE);

	return error != 0 ? error : os_linux.punch_hole(fd, offset, bytes);
}

static int fault_close(int fd)
{
	return os_linux.close(fd);
}

static int fault_fstat_bytes(int fd, off_t *bytes)
{
	const int error = fault(FAULT_FSTAT_BYTES);

	return error != 0 ? error : os_linux.fstat_bytes(fd, bytes);
}

static uint64_t fault_file_size_limit(void)
{
	return os_linux.file_size_limit();
}

static size_t fault_max_map_count(void)
{
	return os_linux.max_map_count();
}

static size_t fault_map_count(void)
{
	return os_linux.map_count();
}

static uint64_t fault_address_limit(void)
{
	return os_linux.address_limit();
}

static uint64_t fault_address_bytes(void)
{
	return os_linux.address_bytes();
}

static int fault_read_text(const char *path, char *text, size_t bytes)
{
	return os_linux.read_text(path, text, bytes);
}

static uint64_t fault_memory_bytes(void)
{
	return os_linux.memory_bytes();
}

static bool fault_tlb_shootdowns(uint64_t *count)
{
	return os_linux.tlb_shootdowns(count);
}

static int fault_fence_register(void)
{
	const int error = fault(FAULT_FENCE_REGISTER);

	return error != 0 ? error : os_linux.fence_register();
}

static int fault_fence_cpu(unsigned cpu)
{
	const int error = fault(FAULT_FENCE_CPU);

	return error != 0 ? error : os_linux.fence_cpu(cpu);
}

static int fault_pin_thread(unsigned cpu)
{
	const int error = fault(FAULT_PIN_THREAD);

	return error != 0 ? error : os_linux.pin_thread(cpu);
}

static void fault_sleep_ns(uint64_t ns)
{
	os_linux.sleep_ns(ns);
}

static int fault_random(void *buffer, size_t bytes)
{
	const int error = fault(FAULT_RANDOM);

	return error != 0 ? error : os_linux.random(buffer, bytes);
}

static uint64_t fault_now_ns(void)
{
	return os_linux.now_ns();
}

static pid_t fault_pid(void)
{
	return os_linux.pid();
}

const struct os fault_os = {
	.name = "fault",
	.mmap_anon = fault_mmap_anon,
	.munmap_anon = fault_munmap_anon,
	.reserve = fault_reserve,
	.unreserve = fault_unreserve,
	.remap_none = fault_remap_none,
	.map_file = fault_map_file,
	.map_linear = fault_map_linear,
	.guard_install = fault_guard_install,
	.guard_remove = fault_guard_remove,
	.guard_install_many = fault_guard_install_many,
	.memfd_create = fault_memfd_create,
	.ftruncate = fault_ftruncate,
	.seal = fault_seal,
	.punch_hole = fault_punch_hole,
	.close = fault_close,
	.fstat_bytes = fault_fstat_bytes,
	.file_size_limit = fault_file_size_limit,
	.max_map_count = fault_max_map_count,
	.map_count = fault_map_count,
	.address_limit = fault_address_limit,
	.address_bytes = fault_address_bytes,
	.memory_bytes = fault_memory_bytes,
	.read_text = fault_read_text,
	.tlb_shootdowns = fault_tlb_shootdowns,
	.fence_register = fault_fence_register,
	.fence_cpu = fault_fence_cpu,
	.pin_thread = fault_pin_thread,
	.sleep_ns = fault_sleep_ns,
	.random = fault_random,
	.now_ns = fault_now_ns,
	.pid = fault_pid,
};
