/* SPDX-License-Identifier: MIT */
/*
 * strategies.h - the strategies' tables, one file each, in the order of their
 * history.  Only the registry in va.c and the tests name them.
 */
#ifndef LFV_VA_STRATEGIES_H
#define LFV_VA_STRATEGIES_H

#include "va/va.h"

extern const struct va_ops va_list_24;       /* va_list.c */
extern const struct va_ops va_list_2624;     /* va_list.c */
extern const struct va_ops va_rbtree_2628;   /* va_rbtree_2628.c */
extern const struct va_ops va_rbtree;        /* va_rbtree.c */
extern const struct va_ops va_augmented_510; /* va_augmented_510.c */
extern const struct va_ops va_augmented;     /* va_augmented.c */
extern const struct va_ops va_nodes;         /* va_nodes.c */
extern const struct va_ops va_rcu;           /* va_rcu.c */
extern const struct va_ops va_lockfree;      /* va_lockfree.c */
extern const struct va_ops va_busted;        /* va_busted.c */

#endif
