/* SPDX-License-Identifier: MIT */
/*
 * bystander.h - a thread that must get on while another one is stopped.
 *
 * A bystander is parked until it is told to do a set number of one operation.
 * Whoever told it then judges:
 *
 *   passed   it has done them all
 *   spins    it has used BYSTANDER_SPIN_NS of CPU time of its own on one of
 *            them
 *   sleeps   the kernel says so at BYSTANDER_LOOKS looks in a row, and its CPU
 *            time is the same at each: nobody has woken it in between
 *
 *   Y1  the clock on the wall decides nothing: of a bystander that is ready to
 *       run but gets no CPU there is no verdict, however long that takes;
 *   Y2  `sleeps` is said only when no other bystander at work can run, for one
 *       of them may be about to wake it: see bystander_judge().
 *
 * Who may run with whom: one thread orders, judges and waits; it may do so in a
 * signal handler: nothing here takes a lock.
 */
#ifndef LFV_TESTS_BYSTANDER_H
#define LFV_TESTS_BYSTANDER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define BYSTANDER_SPIN_NS UINT64_C(200000000)

enum {
	BYSTANDER_LOOKS = 5,
	BYSTANDER_LOOK_NS = 1000000, /* between two of them; decides nothing */
	BYSTANDER_PATH_BYTES = 64,
};

enum verdict { VERDICT_PASSED, VERDICT_SPINS, VERDICT_SLEEPS };

struct bystander {
	/* set by the caller, constant after start */
	void (*operate)(void *context); /* once */
	void (*restore)(void *context); /* what they did is undone; or NULL */
	void *context;
	unsigned operations;
	/* constant after start */
	pthread_t thread;
	clockid_t clock;
	char path[BYSTANDER_PATH_BYTES]; /* where the kernel tells its state */
	/* the judge's */
	uint64_t cpu_ns_at_operation; /* when it finished its last one */
	uint64_t cpu_ns_at_look;
	unsigned seen_finished;
	unsigned asleep_looks;
	enum verdict verdict;
	/* shared */
	_Atomic(uint32_t) orders;     /* how many were given; a futex */
	_Atomic(uint32_t) obeyed;     /* how many of them are done; a futex */
	_Atomic(unsigned) finished;   /* operations since the start */
	_Atomic(uint32_t) last_order; /* enum, bystander.c */
};

void bystander_start(struct bystander *bystander);
void bystander_stop(struct bystander *bystander);

/* bystander_order - do the operations; returns at once. */
void bystander_order(struct bystander *bystander);

/*
 * bystander_judge - the verdict on bystander `index` of `count`, of which those
 * up to and including it have had their orders.
 *
 * One that is blocked goes on trying; bystander_settle() ends that.
 */
enum verdict bystander_judge(struct bystander *bystanders, unsigned index);

/*
 * bystander_settle - wait for one that has had its order, which nothing may
 * block any more, and have it restored.
 */
void bystander_settle(struct bystander *bystander);

#endif
