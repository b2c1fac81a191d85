/* SPDX-License-Identifier: MIT */
/*
 * cow_update.h - the cells of one change of one copy-on-write tree.
 *
 *	begin    cells are counted out: from here on nothing can fail
 *	  make, edit, drop        a new version grows beside the old one
 *	  seal                    the new nodes may be seen
 *	  ... the root is exchanged ...
 *	    lost: retry           as after begin; the next try makes anew
 *	    won:  retire          the replaced cells wait for their readers
 *	end      what was not used goes back
 *
 *   X1  a node is own from make or edit until seal; only own nodes change;
 *   X2  a node of the old version is replaced by at most one own node, or
 *       dropped, and then no link of the new version leads to it;
 *   X3  nothing is written to a node of the old version before it is won.
 *
 * So a try that lost has left no trace, and what a winner retires is what its
 * version does not share with the one before.
 *
 * The two lists of an own node, that of its maker and that of its bundle, have
 * links of their own: a winner reads the first while others already replace
 * what it has just published, and write the second.  It does so inside an RCU
 * section, lest a cell comes around to another use meanwhile.
 *
 * Who may run with whom: an update is its thread's.
 */
#ifndef LFV_VA_COW_UPDATE_H
#define LFV_VA_COW_UPDATE_H

#include "va/cow_pool.h"

struct cow_update {
	struct cow_pool *pool;
	uint64_t counted;      /* out, and not yet in use */
	struct cow_cell *hand; /* taken and not in use, by next */
	uint64_t hand_cells;
	struct cow_cell *own;     /* by own_next: what was made in this try */
	struct cow_cell *graves;  /* by own_next: node.old was dropped */
	struct cow_cell *tickets; /* by own_next */
};

/* cow_update_begin - with so many cells that were counted out before. */
void cow_update_begin(struct cow_update *update, struct cow_pool *pool,
		      uint64_t counted);

/* cow_update_make - an own node without children and color. */
struct cow_node *cow_update_make(struct cow_update *update);

/* cow_update_edit - the node itself if it is own, or its own successor. */
struct cow_node *cow_update_edit(struct cow_update *update,
				 struct cow_node *node);

/* cow_update_drop - the new version goes on without this node. */
void cow_update_drop(struct cow_update *update, struct cow_node *node);

/* cow_update_seal - own nodes become what readers expect, and stay so. */
void cow_update_seal(struct cow_update *update);

/* cow_update_retry - forget the try. */
void cow_update_retry(struct cow_update *update);

/* cow_update_retire - the version is published; inside an RCU section. */
void cow_update_retire(struct cow_update *update);

/* cow_update_end - hand back what was not used, of cells and of counts. */
void cow_update_end(struct cow_update *update);

#endif
