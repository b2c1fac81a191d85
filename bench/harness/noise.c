/* SPDX-License-Identifier: MIT */
#include "harness/noise.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/quota.h"
#include "harness/bench_clock.h"

enum { PATH_BYTES = 64 };

void noise_thread_read(struct noise_thread *noise)
{
	struct rusage usage = { 0 };
	char path[PATH_BYTES];

	*noise = (struct noise_thread){ 0 };
	if (getrusage(RUSAGE_THREAD, &usage) == 0) {
		noise->switches_involuntary = (uint64_t)usage.ru_nivcsw;
		noise->switches_voluntary = (uint64_t)usage.ru_nvcsw;
	}
	(void)snprintf(path, sizeof(path), "/proc/self/task/%ld/schedstat",
		       syscall(SYS_gettid));

	FILE *file = fopen(path, "re");

	if (!file)
		return;
	/* Time on the CPU, time waiting for it, turns. */
	if (fscanf(file, "%*u %" SCNu64, &noise->run_delay_ns) != 1)
		noise->run_delay_ns = 0;
	fclose(file);
}

void noise_machine_read(struct noise_machine *noise)
{
	const long ticks_per_s = sysconf(_SC_CLK_TCK);
	uint64_t ticks = 0;
	FILE *file = fopen("/proc/stat", "re");

	*noise = (struct noise_machine){ 0 };
	(void)quota_throttled(&noise->throttled);
	if (!file)
		return;
	/* user nice system idle iowait irq softirq steal */
	if (fscanf(file, "cpu %*u %*u %*u %*u %*u %*u %*u %" SCNu64, &ticks) ==
		    1 &&
	    ticks_per_s > 0)
		noise->steal_ns = ticks * (NS_PER_S / (uint64_t)ticks_per_s);
	fclose(file);
}
