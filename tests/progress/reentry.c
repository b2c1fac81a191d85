/* SPDX-License-Identifier: MIT */
/*
 * reentry.c - areas of one page; the child that may not come back.
 */
#include "progress/reentry.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/check.h"
#include "base/page.h"

enum { STAT_BYTES = 256, NS_PER_S = 1000000000 };

struct lfv_options reentry_options(const char *strategy, const char *lock)
{
	return (struct lfv_options){
		.struct_bytes = sizeof(struct lfv_options),
		.strategy = strategy,
		.lock = lock,
		.worker = "none",
		.window_bytes = 128 * MIB,
		.cpus = 1,
		.nodes = 2,
		.address_plane = true,
	};
}

static void *area_make(struct reentry *reentry)
{
	void *const area = lfv_get_vm_area(reentry->lfv, PAGE_SIZE, 0);

	require(area != NULL);
	return area;
}

static void area_free(struct reentry *reentry, void *area)
{
	require(lfv_free_vm_area(reentry->lfv, area) == 0);
}

static void purge(struct reentry *reentry)
{
	require(lfv_purge(reentry->lfv) == 0);
}

/* must_find - a live area is found by both its ends, whole (R1). */
static void must_find(struct reentry *reentry, void *area)
{
	struct lfv_vm_info info;
	const char *const last = (const char *)area + 2 * PAGE_SIZE - 1;

	require(lfv_find_vm_area(reentry->lfv, area, &info) == 0);
	require(info.va_start == (uintptr_t)area);
	require(info.va_end == (uintptr_t)area + 2 * PAGE_SIZE);
	require(info.size == PAGE_SIZE);
	require(lfv_find_vm_area(reentry->lfv, last, &info) == 0);
	require(info.va_start == (uintptr_t)area);
}

/* may_find - one that is being freed is found whole or not at all (R1). */
static void may_find(struct reentry *reentry, void *area)
{
	struct lfv_vm_info info;
	const int error = lfv_find_vm_area(reentry->lfv, area, &info);

	require(error == 0 || error == -ENOENT);
	require(error != 0 || (info.va_start == (uintptr_t)area &&
			       info.va_end == info.va_start + 2 * PAGE_SIZE));
}

/* The outer operations, and what makes each go the way that it is named for. */

static void make_some(struct reentry *reentry, unsigned count)
{
	void *areas[REENTRY_AREAS];

	require(count <= REENTRY_AREAS);
	for (unsigned i = 0; i < count; i++)
		areas[i] = area_make(reentry);
	for (unsigned i = 0; i < count; i++)
		area_free(reentry, areas[i]);
}

static void prepare_nothing(struct reentry *reentry)
{
	(void)reentry;
}

static void prepare_one(struct reentry *reentry)
{
	make_some(reentry, 1);
}

static void prepare_many(struct reentry *reentry)
{
	make_some(reentry, REENTRY_AREAS);
}

static void prepare_area(struct reentry *reentry)
{
	reentry->area = area_make(reentry);
}

static void prepare_full(struct reentry *reentry)
{
	reentry->area = area_make(reentry);
	prepare_many(reentry);
}

static void alloc(void *context)
{
	struct reentry *const reentry = context;

	reentry->area = area_make(reentry);
}

static void free_it(void *context)
{
	struct reentry *const reentry = context;

	area_free(reentry, reentry->area);
	reentry->is_freed = true;
}

static void look_up(void *context)
{
	struct reentry *const reentry = context;

	must_find(reentry, reentry->live);
}

static void purge_all(void *context)
{
	purge(context);
}

static const struct outer {
	void (*prepare)(struct reentry *reentry);
	void (*operate)(void *reentry);
} outers[REENTRY_OUTERS] = {
	{ prepare_one, alloc },    { prepare_nothing, alloc },
	{ prepare_area, free_it }, { prepare_full, free_it },
	{ prepare_one, look_up },  { prepare_many, purge_all },
};

const char *const reentry_outer_names[REENTRY_OUTERS] = {
	"alloc", "alloc, nothing stocked", "free", "free, stock full", "lookup",
	"purge",
};

const char *const reentry_inner_names[REENTRY_INNERS] = {
	"lookup",
	"alloc and free",
	"purge",
	"all but a purge",
};

static void inner_look_up(struct reentry *reentry)
{
	must_find(reentry, reentry->live);
	if (reentry->area != NULL)
		may_find(reentry, reentry->area);
}

static void inner_pair(struct reentry *reentry)
{
	void *const area = area_make(reentry);

	must_find(reentry, area);
	require(area != reentry->live);
	area_free(reentry, area);
}

/* inner_keep - of the stocks, and their cells, what no pair leaves as it was.
 */
static void inner_keep(struct reentry *reentry)
{
	reentry->kept = area_make(reentry);
	must_find(reentry, reentry->kept);
	area_free(reentry, reentry->spare);
	reentry->spare = NULL;
}

/* What a child shares with the one who looks on. */
struct reentry_shared {
	struct step_report outer; /* as the child's operation stands */
	_Atomic(bool) is_inside;  /* the inner operation is under way */
};

/* interrupt - what the handler does at the point, in a child. */
static void interrupt(void *context)
{
	struct reentry *const reentry = context;
	const enum reentry_inner inner = reentry->inner;

	reentry->shared->outer = reentry->report->outer;
	/* relaxed: a child that is killed is waited for. */
	store_relaxed(&reentry->shared->is_inside, true);
	if (inner == REENTRY_LOOKUP || inner == REENTRY_ALL)
		inner_look_up(reentry);
	if (inner == REENTRY_PAIR || inner == REENTRY_ALL)
		inner_pair(reentry);
	if (inner == REENTRY_ALL)
		inner_keep(reentry);
	if (inner == REENTRY_PURGE)
		purge(reentry);
	if (inner == REENTRY_ALL)
		inner_look_up(reentry);
	/* relaxed: a flag that somebody looks at. */
	store_relaxed(&reentry->shared->is_inside, false);
}

static struct lfv_stats stats_of(struct reentry *reentry)
{
	struct lfv_stats stats = { .struct_bytes = sizeof(stats) };

	require(lfv_get_stats(reentry->lfv, &stats) == 0);
	return stats;
}

/* give_back - an area that is live still, if there is one. */
static void give_back(struct reentry *reentry, void **area)
{
	if (*area != NULL) {
		must_find(reentry, *area);
		area_free(reentry, *area);
	}
	*area = NULL;
}

/* settle - both have ended: look at what they left, and give it back. */
static void settle(struct reentry *reentry)
{
	if (reentry->is_freed)
		reentry->area = NULL;
	reentry->is_freed = false;
	must_find(reentry, reentry->live);
	require(reentry->kept == NULL || reentry->kept != reentry->area);
	give_back(reentry, &reentry->area);
	give_back(reentry, &reentry->kept);
	give_back(reentry, &reentry->spare);
	purge(reentry);

	const struct lfv_stats stats = stats_of(reentry);

	require(stats.live_areas == 1 && stats.lazy_pages == 0); /* R2 */
	require(stats.hole_pages == reentry->hole_pages);
	/* It waits for what is deferred, to a thread that no child has. */
	if (!reentry->is_child || stats.held_bytes_max == 0)
		lfv_check(reentry->lfv);
}

/* prepare - the outer operation finds what it is named for. */
static void prepare(struct reentry *reentry, unsigned outer)
{
	reentry->spare = area_make(reentry);
	outers[outer].prepare(reentry);
}

void reentry_init(struct reentry *reentry, const struct lfv_options *options)
{
	memset((void *)reentry, 0, sizeof(*reentry));
	reentry->shared =
		mmap(NULL, sizeof(*reentry->shared), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	require(reentry->shared != MAP_FAILED);
	reentry->lfv = lfv_create(options);
	if (reentry->lfv == NULL)
		(void)fprintf(stderr, "%s\n", lfv_last_error());
	require(reentry->lfv != NULL);
	reentry->live = area_make(reentry);
	/* Whatever an engine makes at its first use is made. */
	prepare_many(reentry);
	purge(reentry);

	reentry->hole_pages = stats_of(reentry).hole_pages;
}

void reentry_fini(struct reentry *reentry)
{
	area_free(reentry, reentry->live);
	purge(reentry);
	require(stats_of(reentry).live_areas == 0);
	lfv_check(reentry->lfv);
	lfv_destroy(reentry->lfv);
	require(munmap(reentry->shared, sizeof(*reentry->shared)) == 0);
}

/* seen - of a child, at one look. */
struct seen {
	uint64_t cpu_ns;
	bool is_inside;
	bool is_asleep;
};

static bool is_asleep(pid_t child)
{
	char text[STAT_BYTES];

	(void)snprintf(text, sizeof(text), "/proc/%d/stat", (int)child);

	const int fd = open(text, O_RDONLY | O_CLOEXEC);

	require(fd >= 0);

	const ssize_t bytes = read(fd, text, sizeof(text) - 1);

	(void)close(fd);
	require(bytes > 0);
	text[bytes] = '\0';

	const char *const end = strrchr(text, ')');

	require(end != NULL && end[1] == ' ');
	return end[2] == 'S';
}

static struct seen look(pid_t child, struct reentry_shared *shared)
{
	struct timespec time;
	clockid_t clock;
	struct seen seen;

	require(clock_getcpuclockid(child, &clock) == 0);
	require(clock_gettime(clock, &time) == 0);
	seen.cpu_ns = (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
	/* relaxed: a flag that is looked at; it is entered once. */
	seen.is_inside = load_relaxed(&shared->is_inside);
	seen.is_asleep = is_asleep(child);
	return seen;
}

/* has_ended - now, or before it is time for another look. */
static bool has_ended(int pidfd)
{
	const struct timespec pause = { .tv_nsec = BYSTANDER_LOOK_NS };
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	int count;

	do
		count = ppoll(&ended, 1, &pause, NULL);
	while (count < 0 && errno == EINTR);
	require(count >= 0);
	return count > 0;
}

/* look_on - until the child has ended or is stuck, inside or behind. */
static enum verdict look_on(pid_t child, struct reentry_shared *shared)
{
	struct seen before = { 0 };
	uint64_t cpu_ns_then = 0;
	unsigned asleep_looks = 0;
	enum verdict verdict = VERDICT_PASSED;
	const int pidfd = (int)syscall(SYS_pidfd_open, child, 0);

	require(pidfd >= 0);
	while (verdict == VERDICT_PASSED && !has_ended(pidfd)) {
		const struct seen now = look(child, shared);

		if (now.is_inside != before.is_inside)
			cpu_ns_then = now.cpu_ns;
		if (now.is_asleep && now.cpu_ns == before.cpu_ns)
			asleep_looks++;
		else
			asleep_looks = 0;
		if (asleep_looks >= BYSTANDER_LOOKS)
			verdict = VERDICT_SLEEPS;
		else if (now.cpu_ns - cpu_ns_then > BYSTANDER_SPIN_NS)
			verdict = VERDICT_SPINS;
		before = now;
	}
	require(close(pidfd) == 0);
	return verdict;
}

/* child_end - collect one that has ended as it should, or end it. */
static void child_end(pid_t child, enum verdict verdict)
{
	int status;

	if (verdict != VERDICT_PASSED)
		require(kill(child, SIGKILL) == 0);
	require(waitpid(child, &status, 0) == child);
	if (verdict == VERDICT_PASSED)
		require(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* choose - at a point: true in a child, which is interrupted here. */
static bool choose(void *context)
{
	struct reentry *const reentry = context;
	struct reentry_report *const report = reentry->report;

	if (report->verdict != VERDICT_PASSED ||
	    report->outer.points % reentry->stride != 0)
		return false;

	/* Raw: the engine would be closed in a child that it is told of. */
	const long child = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

	require(child >= 0);
	if (child == 0) {
		/* One that is stuck does not outlive who looks on. */
		require(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
		reentry->is_child = true;
		return true;
	}
	report->verdict = look_on((pid_t)child, reentry->shared);
	child_end((pid_t)child, report->verdict);
	report->children++;
	return false;
}

/* stride_find - what spreads the children over the operation's points. */
static uint64_t stride_find(struct reentry *reentry, unsigned outer)
{
	const struct step_plan plan = { .points = STEP_COUNT };
	struct step_report report;

	if (reentry->children_max == 0)
		return 1;
	prepare(reentry, outer);
	stepper_run(&plan, outers[outer].operate, reentry, &report);
	settle(reentry);
	return report.instructions / reentry->children_max + 1;
}

void reentry_run(struct reentry *reentry, unsigned outer,
		 enum reentry_inner inner, enum step_points points,
		 struct reentry_report *report)
{
	const struct step_plan plan = {
		.points = points,
		.choose = choose,
		.suspend = interrupt,
		.context = reentry,
	};

	memset(report, 0, sizeof(*report));
	reentry->stride = stride_find(reentry, outer);
	reentry->inner = inner;
	reentry->report = report;
	prepare(reentry, outer);
	(void)fflush(NULL);
	stepper_run(&plan, outers[outer].operate, reentry, &report->outer);
	settle(reentry);
	if (reentry->is_child)
		_exit(0);
	if (report->verdict == VERDICT_PASSED)
		return;
	report->stuck = reentry->shared->outer;
	stopped_name(&report->stuck, report->function);
}
