/* SPDX-License-Identifier: MIT */
/*
 * hole_claim.h - the three changes of pages: claimed, undone, given.
 *
 * A run is claimed word by word in ascending order, each word's part whole, by
 * one compare-and-swap.  Where a page of a part is taken, the claim fails and
 * undoes the words that it has.
 *
 * Progress.  A claim is tried where a search saw the whole run free.  It fails
 * at a word only because another thread claimed a page there since.  That one
 * either gets its run, and the system has made progress; or it stopped; or it
 * fails too, at a higher word than this one, because of a third.  Words are
 * finite in number and the words of such a chain ascend, so the highest
 * claimant of the chain gets on.  One claim of a word makes each other thread
 * fail once at most, for these look again afterwards and then see it.  So
 * between two takes that succeed only so many claims fail: lock-free.  None
 * waits for another's store.
 *
 * A give, and an undo, which is one for the words that a claim had, do three
 * things, in this order:
 *
 *   1  the words: from here on the pages are free;
 *   2  the rooms: from here on searches look there;
 *   3  the version, if a search counts on it (holes.c): from here on no take
 *      may fail that did not see them.
 */
#ifndef LFV_VA_HOLE_CLAIM_H
#define LFV_VA_HOLE_CLAIM_H

#include "va/holes.h"

/* hole_claim - all of [first, first + pages), or nothing: false. */
__attribute__((warn_unused_result)) bool hole_claim(struct holes *holes,
						    size_t first, size_t pages);

/*
 * hole_undo - give back what a claim from `first` on had when it met the taken
 * word in which `stop` is the first page it wanted.
 */
void hole_undo(struct holes *holes, size_t first, size_t stop);

#endif
