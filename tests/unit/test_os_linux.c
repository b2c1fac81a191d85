/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "base/cpu.h"
#include "base/os.h"
#include "base/page.h"
#include "unit/map_world.h"

static void a_reservation_replaces_nothing(void **state)
{
	char *const there = os_linux.mmap_anon(PAGE_SIZE);

	(void)state;
	assert_non_null(there);
	*there = 1;
	assert_int_equal(os_linux.reserve(there, PAGE_SIZE), -EEXIST);
	assert_int_equal(*there, 1);
	os_linux.munmap_anon(there, PAGE_SIZE);
}

static void the_memory_can_be_neither_cut_nor_grown(void **state)
{
	const int fd = os_linux.memfd_create("test");
	off_t bytes = 0;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(os_linux.ftruncate(fd, 8192), 0);
	assert_int_equal(os_linux.seal(fd), 0);
	assert_int_equal(os_linux.ftruncate(fd, 4096), -EPERM);
	assert_int_equal(os_linux.ftruncate(fd, 16384), -EPERM);
	assert_int_equal(os_linux.punch_hole(fd, 0, 4096), 0);
	assert_int_equal(os_linux.fstat_bytes(fd, &bytes), 0);
	assert_int_equal(bytes, 8192);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(os_linux.close(fd), 0);
}

static void guards_fault_until_they_are_taken_away(void **state)
{
	const int fd = os_linux.memfd_create("test");
	void *base;

	(void)state;
	assert_int_equal(os_linux.ftruncate(fd, 4 * (off_t)PAGE_SIZE), 0);
	assert_int_equal(os_linux.map_linear(&base, 4 * PAGE_SIZE, fd), 0);
	char *const bytes = base;

	*bytes = 1;
	if (os_linux.guard_install(base, PAGE_SIZE) != 0)
		skip(); /* a kernel before 6.15 */
	assert_false(can_read((uintptr_t)base));
	assert_true(can_read((uintptr_t)base + PAGE_SIZE));
	assert_int_equal(os_linux.guard_remove(base, PAGE_SIZE), 0);
	assert_int_equal(*bytes, 1);

	const struct iovec ranges[] = {
		{ bytes, PAGE_SIZE },
		{ bytes + 2 * PAGE_SIZE, 2 * PAGE_SIZE },
	};

	assert_int_equal(os_linux.guard_install_many(ranges, 2), 0);
	assert_false(can_read((uintptr_t)bytes));
	assert_true(can_read((uintptr_t)bytes + PAGE_SIZE));
	assert_false(can_read((uintptr_t)bytes + 3 * PAGE_SIZE));
	assert_int_equal(munmap(base, 4 * PAGE_SIZE), 0);
	assert_int_equal(os_linux.close(fd), 0);
}

static void guards_over_nothing_are_an_error(void **state)
{
	char *const base = os_linux.mmap_anon(2 * PAGE_SIZE);
	const struct iovec ranges[] = {
		{ base + PAGE_SIZE, PAGE_SIZE },
	};

	(void)state;
	assert_int_equal(munmap(base + PAGE_SIZE, PAGE_SIZE), 0);
	assert_true(os_linux.guard_install_many(ranges, 1) < 0);
	os_linux.munmap_anon(base, PAGE_SIZE);
}

static void mapping_and_unmapping_change_what_is_there(void **state)
{
	const int fd = os_linux.memfd_create("test");
	char *const base = os_linux.mmap_anon(PAGE_SIZE);

	(void)state;
	assert_int_equal(os_linux.ftruncate(fd, (off_t)PAGE_SIZE), 0);
	*base = 1;
	assert_int_equal(os_linux.map_file(base, PAGE_SIZE,
					   PROT_READ | PROT_WRITE, fd, 0),
			 0);
	assert_int_equal(*base, 0);
	assert_int_equal(os_linux.remap_none(base, PAGE_SIZE), 0);
	assert_false(can_read((uintptr_t)base));
	assert_int_equal(os_linux.unreserve(base, PAGE_SIZE), 0);
	assert_int_equal(os_linux.map_file(base, PAGE_SIZE, PROT_READ, -1, 0),
			 -EBADF);
	assert_int_equal(os_linux.close(fd), 0);
}

static void the_machine_s_figures_are_plausible(void **state)
{
	uint64_t shootdowns;
	const uint64_t before = os_linux.now_ns();

	(void)state;
	assert_true(os_linux.memory_bytes() > 16 * MIB);
	assert_true(os_linux.map_count() > 5);
	assert_true(os_linux.max_map_count() > os_linux.map_count());
	assert_true(os_linux.address_bytes() > MIB);
	assert_true(os_linux.address_bytes() <= os_linux.address_limit());
	assert_true(os_linux.file_size_limit() > 0);
	assert_true(os_linux.now_ns() >= before);
	assert_int_equal(os_linux.pid(), getpid());
	(void)os_linux.tlb_shootdowns(&shootdowns);
}

static void random_numbers_differ(void **state)
{
	uint64_t one = 0;
	uint64_t two = 0;

	(void)state;
	assert_int_equal(os_linux.random(&one, sizeof(one)), 0);
	assert_int_equal(os_linux.random(&two, sizeof(two)), 0);
	assert_true(one != two);
}

/* To each CPU that this thread may run on, one after the other. */
static void a_pinned_thread_is_where_it_was_sent(void **state)
{
	cpu_set_t before;
	unsigned wrong = 0;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		cpu_set_t now;

		if (!CPU_ISSET(cpu, &before))
			continue;
		assert_int_equal(os_linux.pin_thread(cpu), 0);
		assert_int_equal(sched_getaffinity(0, sizeof(now), &now), 0);
		wrong += CPU_COUNT(&now) != 1 || !CPU_ISSET(cpu, &now);
	}
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
	assert_int_equal(wrong, 0);
	assert_true(os_linux.pin_thread(CPU_IDS_MAX) < 0);
}

static void a_fence_needs_no_such_cpu(void **state)
{
	(void)state;
	if (os_linux.fence_register() != 0)
		skip(); /* a kernel before 5.10, or a filter */
	assert_int_equal(os_linux.fence_cpu(0), 0);
	assert_int_equal(os_linux.fence_cpu(CPU_IDS_MAX - 1), 0);
}

static void a_sleep_lasts(void **state)
{
	const uint64_t before = os_linux.now_ns();

	(void)state;
	os_linux.sleep_ns(1000);
	assert_true(os_linux.now_ns() - before >= 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reservation_replaces_nothing),
		cmocka_unit_test(the_memory_can_be_neither_cut_nor_grown),
		cmocka_unit_test(guards_fault_until_they_are_taken_away),
		cmocka_unit_test(guards_over_nothing_are_an_error),
		cmocka_unit_test(mapping_and_unmapping_change_what_is_there),
		cmocka_unit_test(the_machine_s_figures_are_plausible),
		cmocka_unit_test(random_numbers_differ),
		cmocka_unit_test(a_pinned_thread_is_where_it_was_sent),
		cmocka_unit_test(a_fence_needs_no_such_cpu),
		cmocka_unit_test(a_sleep_lasts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
