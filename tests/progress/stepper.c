/* SPDX-License-Identifier: MIT */
/*
 * stepper.c - the handler of SIGTRAP, and the two ways to set the trap flag.
 *
 * The handler runs on a stack of its own: it writes nothing below the stack
 * pointer of the operation, where leaf functions keep their variables.
 *
 * Two system calls are not counted, since the machine decides whether they are
 * made or answered in user mode: clock_gettime (by the clock source) and getcpu
 * (by the version of libc).
 */
#include "progress/stepper.h"

#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/check.h"
#include "progress/insn.h"
#include "progress/self_image.h"

enum {
	BREAKPOINT = 0xcc, /* int3 */
	TRAP_FLAG = 0x100,
	SYSCALL_BYTES = 2,
	STACK_BYTES = 256 * 1024,
	/* Of libunwind and the handler, above the suspended thread's frames. */
	HANDLER_FRAMES = 8,
};

/*
 * stepper_call(operation, argument, is_stepped): the first trap comes behind
 * the call, at the operation's first instruction; the last, at stepper_over, is
 * its return.
 * stepper_set: the first trap comes behind its ret, in the caller.
 */
void stepper_call(void (*operation)(void *), void *argument, bool is_stepped);
void stepper_set(void);
extern const char stepper_over[];

__asm__(".text\n"
	".type stepper_call, @function\n"
	"stepper_call:\n"
	".cfi_startproc\n"
	"	push %rbp\n"
	".cfi_def_cfa_offset 16\n"
	".cfi_offset %rbp, -16\n"
	"	mov %rsp, %rbp\n"
	".cfi_def_cfa_register %rbp\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %rdi\n"
	"	test %dl, %dl\n"
	"	jz stepper_calls\n"
	"	pushfq\n"
	"	orq $0x100, (%rsp)\n"
	"	popfq\n"
	"stepper_calls:\n"
	"	call *%rax\n"
	"stepper_over:\n"
	"	pop %rbp\n"
	".cfi_def_cfa %rsp, 8\n"
	"	ret\n"
	".cfi_endproc\n"
	".size stepper_call, . - stepper_call\n"
	".type stepper_set, @function\n"
	"stepper_set:\n"
	".cfi_startproc\n"
	"	pushfq\n"
	"	orq $0x100, (%rsp)\n"
	"	popfq\n"
	"	ret\n"
	".cfi_endproc\n"
	".size stepper_set, . - stepper_set\n");

/* What is being stepped; read and written by its thread alone. */
static struct {
	const struct step_plan *plan;
	struct step_report *report;
	uintptr_t over; /* where the operation ends */
	/* the instruction that has just run */
	uintptr_t ip;
	struct insn insn;
	bool wrote_shared;
	const struct section *section; /* being stepped through, or NULL */
	const struct step_mark *mark;  /* not met yet; or NULL */
	unsigned char marked;          /* the byte that was there */
} now;

static int memory = -1; /* /proc/self/mem: code is not writable */

/* The stack of this thread, which others do not look into. */
static _Thread_local uintptr_t stack_low;
static _Thread_local uintptr_t stack_bytes;

static struct sigaction action_before;

static void stack_find(void)
{
	pthread_attr_t attributes;
	void *low;

	require(pthread_getattr_np(pthread_self(), &attributes) == 0);
	require(pthread_attr_getstack(&attributes, &low, &stack_bytes) == 0);
	require(pthread_attr_destroy(&attributes) == 0);
	stack_low = (uintptr_t)low;
}

static bool is_counted_call(greg_t number)
{
	return number != SYS_clock_gettime && number != SYS_getcpu;
}

static void count(uintptr_t ip, const struct insn *insn)
{
	struct step_report *const report = now.report;

	report->instructions++;
	report->own += self_image_has(ip);
	report->locked += insn->locked;
}

/* Whether this instruction's write can be met by other threads. */
static bool writes_shared(const struct insn *insn, uintptr_t ip,
			  const greg_t *registers)
{
	if (insn->syscall)
		return true;
	if (!insn->writes && !insn->locked)
		return false;

	const uintptr_t target =
		insn_target(insn, (const unsigned char *)ip, registers);

	return insn->is_thread_local || target - stack_low >= stack_bytes;
}

/* advance - the instruction at `ip` is about to run: count and remember it. */
static void advance(uintptr_t ip, const greg_t *registers)
{
	const bool is_again = ip == now.ip && now.insn.repeats;

	now.ip = ip;
	now.insn = insn_decode((const unsigned char *)ip);
	now.wrote_shared = writes_shared(&now.insn, ip, registers);
	if (is_again)
		return;
	count(ip, &now.insn);
	if (now.insn.syscall)
		now.report->syscalls += is_counted_call(registers[REG_RAX]);
}

/* The trap behind a system call comes an instruction late: count that one. */
static void catch_up(uintptr_t ip)
{
	const uintptr_t behind = now.ip + SYSCALL_BYTES;

	if (!now.insn.syscall || ip == behind)
		return;

	const struct insn missed = insn_decode((const unsigned char *)behind);

	count(behind, &missed);
}

/*
 * section_follow - keep now.section true, and undo what the kernel did (T3).
 *
 * The store that announces a sequence is the last instruction before it, so
 * the trap behind that store finds the sequence aborted.
 */
static void section_follow(greg_t *registers)
{
	const struct section *sections;
	const size_t section_count = self_image_sections(&sections);
	uintptr_t ip = (uintptr_t)registers[REG_RIP];

	if (now.section != NULL && !section_has(now.section, ip))
		now.section = NULL;
	for (size_t i = 0; i < section_count && now.section == NULL; i++) {
		const struct section *each = &sections[i];

		if (ip == each->abort_ip &&
		    each->start_ip - now.ip - 1 < INSN_BYTES_MAX)
			ip = each->start_ip;
		if (section_has(each, ip)) {
			registers[REG_RIP] = (greg_t)ip;
			now.section = each;
			now.report->sections++;
		}
	}
}

static bool is_point(void)
{
	switch (now.plan->points) {
	case STEP_COUNT:
		return false;
	case STEP_EVERY:
		return true;
	case STEP_WRITES:
		return now.wrote_shared;
	case STEP_LOCKED:
		return now.insn.locked;
	}
	return false;
}

static bool is_chosen(uint64_t point)
{
	const struct step_plan *const plan = now.plan;

	return plan->choose != NULL ? plan->choose(plan->context)
				    : point == plan->target;
}

/* frames_find - where the thread stands: the handler's frames are left out. */
static void frames_find(uintptr_t ip)
{
	struct step_report *const report = now.report;
	void *frames[STEP_FRAMES_MAX + HANDLER_FRAMES];
	const int found = backtrace(frames, STEP_FRAMES_MAX + HANDLER_FRAMES);
	int first = 0;

	while (first < found && (uintptr_t)frames[first] != ip)
		first++;
	report->frames[report->frame_count++] = ip;
	for (int i = first + 1;
	     i < found && report->frame_count < STEP_FRAMES_MAX; i++)
		report->frames[report->frame_count++] = (uintptr_t)frames[i];
}

static void suspend(greg_t *registers)
{
	const struct step_plan *const plan = now.plan;

	frames_find((uintptr_t)registers[REG_RIP]);
	now.report->in_section = now.section != NULL;
	plan->suspend(plan->context);
	if (now.section != NULL)
		registers[REG_RIP] = (greg_t)now.section->abort_ip;
}

static void look(uintptr_t ip)
{
	const struct insn next = insn_decode((const unsigned char *)ip);
	const struct step step = {
		.ip = ip,
		.length = next.length,
		.may_jump = next.branches || next.repeats || next.syscall,
		.before_wrote = now.insn.writes || now.insn.locked,
		.before_shared = now.wrote_shared,
		.in_section = now.section != NULL,
	};

	now.plan->look(now.plan->context, &step);
}

/* step - false when the stepping is over. */
static bool step(greg_t *registers)
{
	section_follow(registers);

	const uintptr_t ip = (uintptr_t)registers[REG_RIP];

	catch_up(ip);
	if (ip == now.over)
		return false;
	if (now.plan->look != NULL)
		look(ip);
	if (is_point() && is_chosen(now.report->points++)) {
		suspend(registers);
		return false;
	}
	advance(ip, registers);
	return true;
}

static bool code_write(uintptr_t at, unsigned char byte)
{
	return pwrite(memory, &byte, 1, (off_t)at) == 1;
}

static void mark_set(const struct step_mark *mark)
{
	now.marked = *(const unsigned char *)mark->ip;
	now.mark = mark;
	require(code_write(mark->ip, BREAKPOINT));
}

static void mark_remove(void)
{
	require(code_write(now.mark->ip, now.marked));
	now.mark = NULL;
}

/* mark_met - behind the breakpoint: as if all before it had been stepped. */
static void mark_met(greg_t *registers)
{
	const struct step_mark *const mark = now.mark;

	require((uintptr_t)registers[REG_RIP] == mark->ip + 1);
	registers[REG_RIP] = (greg_t)mark->ip;
	registers[REG_EFL] |= (greg_t)TRAP_FLAG;
	now.report->instructions = mark->instructions;
	now.report->points = mark->points;
	mark_remove();
}

static void on_trap(int signal, siginfo_t *info, void *context)
{
	greg_t *const registers = ((ucontext_t *)context)->uc_mcontext.gregs;
	const int error = errno;

	(void)signal;
	require(now.plan != NULL);
	if (now.mark != NULL)
		mark_met(registers);
	else
		require(info->si_code == TRAP_TRACE);
	if (!step(registers)) {
		registers[REG_EFL] &= ~(greg_t)TRAP_FLAG;
		now.plan = NULL;
	}
	errno = error;
}

static void arm(const struct step_plan *plan, struct step_report *report,
		uintptr_t over)
{
	require(now.plan == NULL);
	memset(report, 0, sizeof(*report));
	now.report = report;
	now.over = over;
	now.ip = 0;
	now.insn = (struct insn){ 0 };
	now.wrote_shared = false;
	now.section = NULL;
	now.mark = NULL;
	now.plan = plan;
}

void stepper_run(const struct step_plan *plan, void (*operation)(void *),
		 void *argument, struct step_report *report)
{
	arm(plan, report, (uintptr_t)stepper_over);
	if (plan->mark != NULL)
		mark_set(plan->mark);
	stepper_call(operation, argument, plan->mark == NULL);
	if (now.mark != NULL)
		mark_remove();
	now.plan = NULL;
}

bool stepper_has_marks(void)
{
	return memory >= 0;
}

void stepper_begin(const struct step_plan *plan, struct step_report *report)
{
	arm(plan, report, (uintptr_t)stepper_end);
	stepper_set();
}

/* The handler knows it by its address; unstepped it does nothing. */
__attribute__((noinline)) void stepper_end(void)
{
	__asm__ volatile("" ::: "memory");
}

void stepper_thread_init(struct stepper_thread *thread)
{
	thread->stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	require(thread->stack != MAP_FAILED);

	const stack_t stack = {
		.ss_sp = thread->stack,
		.ss_size = STACK_BYTES,
	};

	require(sigaltstack(&stack, NULL) == 0);
	stack_find();
}

void stepper_thread_fini(struct stepper_thread *thread)
{
	const stack_t none = { .ss_flags = SS_DISABLE };

	require(sigaltstack(&none, NULL) == 0);
	stepper_thread_give(thread);
}

void stepper_thread_give(struct stepper_thread *thread)
{
	require(munmap(thread->stack, STACK_BYTES) == 0);
}

static void probe(void *argument)
{
	(void)argument;
}

/* memory_open - and close it where the kernel keeps code as it is. */
static void memory_open(void)
{
	const uintptr_t at = (uintptr_t)probe;

	memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	if (memory >= 0 && !code_write(at, *(const unsigned char *)at)) {
		require(close(memory) == 0);
		memory = -1;
	}
}

bool stepper_init(void)
{
	const struct step_plan plan = { .points = STEP_COUNT };
	struct sigaction action = { .sa_sigaction = on_trap };
	struct stepper_thread thread;
	struct step_report report;
	void *frame;

	if (self_image_init() != 0)
		return false;
	memory_open();
	/* The first call loads a library: not in the handler. */
	(void)backtrace(&frame, 1);
	action.sa_flags = SA_SIGINFO | SA_ONSTACK;
	require(sigemptyset(&action.sa_mask) == 0);
	require(sigaction(SIGTRAP, &action, &action_before) == 0);
	stepper_thread_init(&thread);
	stepper_run(&plan, probe, NULL, &report);
	stepper_thread_fini(&thread);
	return report.instructions > 0;
}

void stepper_fini(void)
{
	require(sigaction(SIGTRAP, &action_before, NULL) == 0);
	if (memory >= 0)
		require(close(memory) == 0);
	memory = -1;
	self_image_fini();
}
