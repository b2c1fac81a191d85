/* SPDX-License-Identifier: MIT */
/*
 * percpu_contract.h - what base/percpu.h promises, put to one member.
 *
 * test_percpu_cas and test_percpu_rseq run it, each with its own.
 */
#ifndef LFV_TESTS_PERCPU_CONTRACT_H
#define LFV_TESTS_PERCPU_CONTRACT_H

#include "base/percpu.h"

/* percpu_contract_run - how many of its tests failed. */
int percpu_contract_run(const char *name, const struct percpu_ops *member);

#endif
