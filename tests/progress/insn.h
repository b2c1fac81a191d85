/* SPDX-License-Identifier: MIT */
/*
 * insn.h - what one x86-64 instruction is going to do, from its bytes.
 *
 * No disassembler: only what the stepper asks about an instruction that is
 * about to run.
 *
 *   I1  `length` is what the CPU would take for it; 0: an instruction that
 *       this table does not have (the CPU is the oracle: test_insn.c);
 *   I2  an instruction that changes memory, other than its own stack by a
 *       push or a call, is said to write;
 *   I3  `locked` is an atomic read-modify-write: a lock prefix, or an xchg with
 *       memory, which needs none.
 *
 * Not told apart: vector instructions that scatter or compress into memory,
 * which no compiler makes out of this project.
 *
 * Who may run with whom: pure functions, safe in a signal handler.
 */
#ifndef LFV_TESTS_INSN_H
#define LFV_TESTS_INSN_H

#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

enum { INSN_BYTES_MAX = 15 };

struct insn {
	unsigned length;
	bool locked;
	bool syscall;
	bool branches; /* may go on elsewhere than behind itself */
	bool repeats;  /* a string instruction under rep: traps each time round
			*/
	bool writes;
	/* where it writes: see insn_target() */
	bool is_string; /* by rdi */
	bool is_absolute;
	bool is_thread_local; /* by fs: */
	bool is_relative;     /* to the next instruction */
	int base;             /* register number, -1: none */
	int index;
	unsigned scale;
	int64_t displacement;
};

/* insn_decode - at most INSN_BYTES_MAX of `code` are read, as they are needed.
 */
struct insn insn_decode(const unsigned char *code);

/*
 * insn_target - the address that a writing instruction at `code` writes to,
 * given the registers it finds; without the base of a thread-local one.
 */
uintptr_t insn_target(const struct insn *insn, const unsigned char *code,
		      const greg_t *registers);

#endif
