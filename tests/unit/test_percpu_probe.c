/* SPDX-License-Identifier: MIT */
/*
 * test_percpu_probe.c - kernels that abort sections, and those that do not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>

#include "base/os.h"
#include "base/percpu_probe.h"
#include "base/percpu_section.h"
#include "fault/fault_os.h"
#include "unit/fake_rseq.h"

static void a_kernel_that_aborts_is_trusted(void **state)
{
	(void)state;
	if (!SECTIONS_EXIST || !rseq_is_registered())
		skip();
	assert_true(probe_sections(rseq_offset(), &os_linux));
}

/* What the kernel does not know of it does not abort. */
static void a_kernel_that_does_not_abort_is_not(void **state)
{
	(void)state;
	assert_false(probe_sections(fake_rseq_offset(), &os_linux));
}

static void threads_that_cannot_be_pinned_prove_nothing(void **state)
{
	(void)state;
	if (!SECTIONS_EXIST || !rseq_is_registered())
		skip();
	for (uint64_t nth = 1; nth <= 2; nth++) {
		fault_arm(FAULT_PIN_THREAD, nth, FAULT_ONCE, 0);
		assert_false(probe_sections(rseq_offset(), &fault_os));
		assert_true(fault_was_hit());
		fault_disarm();
	}
}

static void the_caller_stays_as_it_was(void **state)
{
	cpu_set_t cpus_before;
	cpu_set_t cpus;
	sigset_t signals;

	(void)state;
	assert_int_equal(
		sched_getaffinity(0, sizeof(cpus_before), &cpus_before), 0);
	(void)probe_sections(fake_rseq_offset(), &os_linux);
	assert_int_equal(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
	assert_true(CPU_EQUAL(&cpus, &cpus_before));
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &signals), 0);
	assert_int_equal(sigismember(&signals, SIGUSR1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kernel_that_aborts_is_trusted),
		cmocka_unit_test(a_kernel_that_does_not_abort_is_not),
		cmocka_unit_test(threads_that_cannot_be_pinned_prove_nothing),
		cmocka_unit_test(the_caller_stays_as_it_was),
	};

	return cmocka_run_group_tests_name("percpu_probe", tests, NULL, NULL);
}
