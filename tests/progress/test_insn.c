/* SPDX-License-Identifier: MIT */
/*
 * test_insn.c - the decoder against the CPU, and against encodings by hand.
 *
 * The CPU says how long an instruction is: where the next one begins, if it was
 * no jump.  And it says what was written: a watched piece of memory that
 * differs behind an instruction was written by it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "progress/insn.h"
#include "progress/stepper.h"

enum {
	SKIPPED = 77,
	WATCHED_BYTES = 512,
	INSTRUCTIONS_MIN = 30000, /* fewer are no sample */
	WRITES_MIN = 500,
};

struct oracle {
	struct step last;
	uint64_t lengths;
	uint64_t writes;
	uint64_t wrong_lengths;
	uint64_t wrong_writes;
	uintptr_t first_wrong;
	unsigned char before[WATCHED_BYTES];
};

static unsigned char watched[WATCHED_BYTES];

static void complain(struct oracle *oracle, uint64_t *count)
{
	if (oracle->first_wrong == 0)
		oracle->first_wrong = oracle->last.ip;
	(*count)++;
}

static void ask_cpu(void *context, const struct step *step)
{
	struct oracle *const oracle = context;
	const struct step *const last = &oracle->last;

	if (last->ip != 0 && !last->may_jump) {
		oracle->lengths++;
		if (step->ip - last->ip != last->length)
			complain(oracle, &oracle->wrong_lengths);
	}
	if (memcmp(oracle->before, watched, sizeof(watched)) != 0) {
		oracle->writes++;
		if (!step->before_shared)
			complain(oracle, &oracle->wrong_writes);
		memcpy(oracle->before, watched, sizeof(watched));
	}
	oracle->last = *step;
}

static struct oracle asked_about(void (*operation)(void *), void *argument)
{
	struct oracle oracle = { 0 };
	const struct step_plan plan = {
		.points = STEP_COUNT,
		.look = ask_cpu,
		.context = &oracle,
	};
	struct step_report report;

	memcpy(oracle.before, watched, sizeof(watched));
	stepper_run(&plan, operation, argument, &report);
	if (oracle.first_wrong != 0) {
		const unsigned char *code = (const void *)oracle.first_wrong;

		print_error("%02x %02x %02x %02x %02x %02x %02x %02x\n",
			    code[0], code[1], code[2], code[3], code[4],
			    code[5], code[6], code[7]);
	}
	return oracle;
}

static int by_value(const void *one, const void *two)
{
	const unsigned char *const a = one;
	const unsigned char *const b = two;

	return *a - *b;
}

static void strings(void *argument)
{
	char *const text = (char *)watched;

	(void)argument;
	for (int i = 0; i < 12; i++)
		(void)snprintf(text, sizeof(watched), "%d %s %.9g %La %p", i,
			       "words", i / 7.0, (long double)i / 3, argument);
	for (size_t bytes = 0; bytes < sizeof(watched); bytes += 23) {
		memset(watched, (int)bytes, bytes);
		memcpy(watched + bytes, watched, sizeof(watched) - bytes);
		memmove(watched + bytes / 2, watched, bytes / 2);
		text[sizeof(watched) - 1] = '\0';
		text[bytes] = '\0';
		(void)strlen(text);
		(void)strstr(text, "word");
	}
	qsort(watched, sizeof(watched) / 4, 1, by_value);
}

static void numbers(void *argument)
{
	_Atomic(uint64_t) *const word = (_Atomic(uint64_t) *)(void *)watched;
	double *const result = (double *)(void *)(watched + 64);
	volatile unsigned shift = 3;

	(void)argument;
	for (unsigned i = 1; i < 60; i++) {
		__uint128_t wide = (__uint128_t)i << 70;
		uint64_t expected = i;

		wide /= i + shift;
		atomic_fetch_add(word, (uint64_t)(wide >> 60));
		atomic_fetch_or(word + 1, UINT64_C(1) << (i % 64));
		atomic_fetch_xor((_Atomic(uint16_t) *)(void *)(word + 2),
				 (uint16_t)i);
		(void)atomic_exchange(word + 3, i);
		(void)atomic_compare_exchange_strong(word + 4, &expected, i);
		result[i % 8] = sin(i) + sqrt(i) * pow(i, 0.3);
		((float *)result)[20] = (float)result[i % 8];
		((int32_t *)result)[24] = (int32_t)(result[i % 8] * i);
		watched[128 + i] = (unsigned char)(i > 100);
		watched[340 + i % 16] |= (unsigned char)(1U << (i % 8));
		result[32] = strtod("3.25e-3", NULL);
	}
}

static void kernel(void *argument)
{
	(void)argument;
	for (int i = 0; i < 20; i++) {
		void *const page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		watched[i] = (unsigned char)(uintptr_t)page;
		(void)munmap(page, 4096);
		free(malloc((size_t)i * 100));
	}
}

static void the_cpu_agrees_on_each_length_and_each_write(void **state)
{
	void (*const operations[])(void *) = { strings, numbers, kernel };
	uint64_t lengths = 0;
	uint64_t writes = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
		const struct oracle oracle = asked_about(operations[i], NULL);

		assert_int_equal(oracle.wrong_lengths, 0);
		assert_int_equal(oracle.wrong_writes, 0);
		lengths += oracle.lengths;
		writes += oracle.writes;
	}
	print_message("%lu lengths, %lu writes\n", (unsigned long)lengths,
		      (unsigned long)writes);
	assert_true(lengths > INSTRUCTIONS_MIN);
	assert_true(writes > WRITES_MIN);
}

/* What no length shows: bytes by hand, as an assembler writes them. */
static const struct encoding {
	unsigned char code[12];
	unsigned length;
	const char *kinds; /* locked, syscall, branches, repeats, writes */
} encodings[] = {
	/* lock cmpxchg %rcx,(%rdi) */
	{ { 0xf0, 0x48, 0x0f, 0xb1, 0x0f }, 5, "lw" },
	/* lock addl $1,0x10(%rax) */
	{ { 0xf0, 0x83, 0x40, 0x10, 1 }, 5, "lw" },
	/* xchg %eax,(%rdi); xchg %al,(%rdi) */
	{ { 0x87, 0x07 }, 2, "lw" },
	{ { 0x86, 0x07 }, 2, "lw" },
	/* xchg %rax,%rdi: registers alone */
	{ { 0x48, 0x87, 0xf8 }, 3, "" },
	/* syscall; f2 0f 05 is one as well */
	{ { 0x0f, 0x05 }, 2, "s" },
	/* mov $0x50f,%eax: 0f 05 inside is none */
	{ { 0xb8, 0x0f, 0x05, 0, 0 }, 5, "" },
	/* cmpxchg %rcx,(%rdi), not locked */
	{ { 0x48, 0x0f, 0xb1, 0x0f }, 4, "w" },
	/* cmp %rax,(%rdi); test; bt: they read */
	{ { 0x48, 0x39, 0x07 }, 3, "" },
	{ { 0x48, 0x85, 0x07 }, 3, "" },
	{ { 0x48, 0x0f, 0xba, 0x27, 3 }, 5, "" },
	/* bts $3,(%rdi) */
	{ { 0x48, 0x0f, 0xba, 0x2f, 3 }, 5, "w" },
	/* rep stos %rax; rep movsb; repz cmpsb */
	{ { 0xf3, 0x48, 0xab }, 3, "rw" },
	{ { 0xf3, 0xa4 }, 2, "rw" },
	{ { 0xf3, 0xa6 }, 2, "r" },
	/* movabs $imm64,%rax; mov $imm16,(%rdi) */
	{ { 0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8 }, 10, "" },
	{ { 0x66, 0xc7, 0x07, 1, 2 }, 5, "w" },
	/* test $imm32,(%rdi); not (%rdi) */
	{ { 0xf7, 0x07, 1, 2, 3, 4 }, 6, "" },
	{ { 0xf7, 0x17 }, 2, "w" },
	/* call *%rax; jmp *(%rax); call rel32; ret */
	{ { 0xff, 0xd0 }, 2, "b" },
	{ { 0xff, 0x20 }, 2, "b" },
	{ { 0xe8, 0, 0, 0, 0 }, 5, "b" },
	{ { 0xc3 }, 1, "b" },
	/* push %rax is the stack's; pause; endbr64 */
	{ { 0x50 }, 1, "" },
	{ { 0xf3, 0x90 }, 2, "" },
	{ { 0xf3, 0x0f, 0x1e, 0xfa }, 4, "" },
	/* vmovdqu %ymm0,(%rdi); vmovdqu (%rsi),%ymm0 */
	{ { 0xc5, 0xfe, 0x7f, 0x07 }, 4, "w" },
	{ { 0xc5, 0xfe, 0x6f, 0x06 }, 4, "" },
	/* vmovdqu64 %zmm16,0x40(%rdi) */
	{ { 0x62, 0xe1, 0xfe, 0x48, 0x7f, 0x47, 0x01 }, 7, "w" },
	/* pshufd, psrldq, palignr: a byte more */
	{ { 0x66, 0x0f, 0x70, 0xc0, 0xe0 }, 5, "" },
	{ { 0x66, 0x0f, 0x73, 0xd8, 0x08 }, 5, "" },
	{ { 0x66, 0x0f, 0x3a, 0x0f, 0xc1, 0x08 }, 6, "" },
	/* no instruction of 64-bit mode */
	{ { 0x06 }, 0, "" },
};

static void each_encoding_is_what_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(encodings) / sizeof(*encodings); i++) {
		const struct encoding *const want = &encodings[i];
		const struct insn insn = insn_decode(want->code);

		char kinds[6];

		(void)snprintf(kinds, sizeof(kinds), "%s%s%s%s%s",
			       insn.locked ? "l" : "", insn.syscall ? "s" : "",
			       insn.branches ? "b" : "",
			       insn.repeats ? "r" : "", insn.writes ? "w" : "");
		if (insn.length != want->length ||
		    strcmp(kinds, want->kinds) != 0)
			fail_msg("encoding %zu: length %u, %s", i, insn.length,
				 kinds);
	}
}

static void a_target_is_made_of_the_registers(void **state)
{
	static const unsigned char indexed[] = { 0x4b, 0x89, 0x44, 0xc8, 0xf8 };
	static const unsigned char relative[] = { 0x89, 0x05, 0x10, 0, 0, 0 };
	static const unsigned char vector[] = { 0x62, 0xe1, 0xfe, 0x48,
						0x7f, 0x47, 0x01 };
	static const unsigned char filled[] = { 0xf3, 0xaa };
	greg_t registers[NGREG] = { 0 };
	struct insn insn;

	(void)state;
	registers[REG_R8] = 0x1000;
	registers[REG_R9] = 3;
	registers[REG_RDI] = 0x2000;
	/* mov %rax,-8(%r8,%r9,8) */
	insn = insn_decode(indexed);
	assert_int_equal(insn_target(&insn, indexed, registers), 0x1010);
	insn = insn_decode(relative);
	assert_int_equal(insn_target(&insn, relative, registers),
			 (uintptr_t)relative + sizeof(relative) + 0x10);
	insn = insn_decode(vector);
	assert_int_equal(insn_target(&insn, vector, registers), 0x2040);
	insn = insn_decode(filled);
	assert_int_equal(insn_target(&insn, filled, registers), 0x2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_encoding_is_what_it_is),
		cmocka_unit_test(a_target_is_made_of_the_registers),
		cmocka_unit_test(the_cpu_agrees_on_each_length_and_each_write),
	};
	struct stepper_thread thread;

	if (!stepper_init()) {
		print_message("a program cannot step itself here\n");
		return SKIPPED;
	}
	stepper_thread_init(&thread);

	const int failed = cmocka_run_group_tests(tests, NULL, NULL);

	stepper_thread_fini(&thread);
	stepper_fini();
	return failed;
}
