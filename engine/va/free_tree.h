/* SPDX-License-Identifier: MIT */
/*
 * free_tree.h - the holes of the window: a tree by address whose nodes know the
 * largest hole below them (Linux 5.2 and later).
 *
 *   F1  holes are not empty, do not overlap, and stand in the list in the
 *       order of the tree (T1, T2);
 *   F2  no two holes touch: what is given back becomes one with its
 *       neighbours at once (T3);
 *   F3  subtree_max_size of a hole is the size of the largest hole in the
 *       subtree below and including it.
 *
 * The lowest match is the lowest hole that hosts the request at its alignment,
 * found by the sizes alone.  A subtree is entered only if its largest hole is
 * as long as the *search length*, and that is where releases differ:
 *
 *	ALWAYS        5.2 to 5.15   size + align - 1
 *	NEVER         5.16, 5.17    size
 *	UNLESS_EXACT  5.18 on       size if align is a page or less, or if the
 *	                            window is exactly `size` long; else as
 *ALWAYS
 *
 * With the longer length every hole entered is long enough at any offset, so
 * the search does not turn back; but an aligned request passes a lower hole
 * that would have fitted as it lies.  With `size` alone the search may have to
 * look into many holes that are long enough and lie wrong.
 *
 * vend takes no part in the search: it is held against the result only, for
 * when the lowest start is too high no lower one fits.
 *
 * How a request [start, start + size) lies in its hole is its fit:
 *
 *	FL  |#######|    the whole hole: it goes
 *	LE  |####...|    left edge: the hole starts later
 *	RE  |...####|    right edge: the hole ends earlier
 *	NE  |..###..|    no edge: a second hole is needed, for the left rest
 *
 * Who may run with whom: one writer alone, or any number of readers.  Nothing
 * here takes or gives a descriptor: they come in and go out as arguments.
 */
#ifndef LFV_VA_FREE_TREE_H
#define LFV_VA_FREE_TREE_H

#include "va/area_tree.h"
#include "va/va.h"

enum free_align_rule {
	FREE_ALIGN_ALWAYS,
	FREE_ALIGN_NEVER,
	FREE_ALIGN_UNLESS_EXACT,
};

enum free_fit {
	FREE_FIT_NONE,
	FREE_FIT_FL,
	FREE_FIT_LE,
	FREE_FIT_RE,
	FREE_FIT_NE,
};

struct free_tree {
	struct area_tree holes;
	enum free_align_rule rule; /* constant after init */
};

void free_tree_init(struct free_tree *tree, enum free_align_rule rule);

/* free_search_length - the search length of a request under a rule. */
uintptr_t free_search_length(enum free_align_rule rule,
			     const struct va_request *request);

/* free_fit_of - how [start, start + size) lies in a hole. */
enum free_fit free_fit_of(const struct vmap_area *hole, uintptr_t start,
			  uintptr_t size);

/*
 * free_tree_find - the lowest match of a request, and where in it the request
 * would start; NULL when there is none or it passes vend.
 */
struct vmap_area *free_tree_find(const struct free_tree *tree,
				 const struct va_request *request,
				 uintptr_t *start);

/*
 * free_tree_cut - take [start, start + size) out of `hole`, which hosts it.
 *
 * `left` is a descriptor for the left rest; it is used if and only if the fit
 * is NE, and may be NULL else.  Returns the descriptor of a hole that went (FL)
 * or NULL.
 */
struct vmap_area *free_tree_cut(struct free_tree *tree, struct vmap_area *hole,
				uintptr_t start, uintptr_t size,
				struct vmap_area *left);

/*
 * free_tree_give - the range of `area` is a hole again, one with those it
 * touches.  Descriptors that are no longer needed go to the chain *surplus.
 */
void free_tree_give(struct free_tree *tree, struct vmap_area *area,
		    struct vmap_area **surplus);

/* free_tree_check - abort with the first of F1 to F3 that does not hold. */
void free_tree_check(const struct free_tree *tree);

#endif
