/* SPDX-License-Identifier: MIT */
/*
 * fork_guard.h - what a forked child may see of its parent's engines: nothing.
 *
 * The memfd is shared memory: a child that kept the mappings would write into
 * its parent's areas.  So in the child one PROT_NONE mapping is laid over each
 * window (and the linear mapping), and each engine answers -EOWNERDEAD.
 * MADV_DONTFORK would not do: a later MAP_FIXED loses it, and mappings that
 * differ in it do not merge.
 *
 *   O1  every engine between add and remove is in the list;
 *   O2  in a child, every engine of the list is an orphan before fork()
 *       returns.
 *
 * Who may run with whom: all with all; fork() waits for add and remove.
 */
#ifndef LFV_CORE_FORK_GUARD_H
#define LFV_CORE_FORK_GUARD_H

struct lfv;

/* fork_guard_add - -ENOMEM when the handlers cannot be installed. */
__attribute__((warn_unused_result)) int fork_guard_add(struct lfv *lfv);
void fork_guard_remove(struct lfv *lfv);

#endif
