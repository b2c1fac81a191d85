/* SPDX-License-Identifier: MIT */
/*
 * frame_kinds.h - the allocators of frames, one constant table each.
 */
#ifndef LFV_BACKING_FRAME_KINDS_H
#define LFV_BACKING_FRAME_KINDS_H

#include "backing/frame.h"

extern const struct frame_ops frame_bitmap;
extern const struct frame_ops frame_buddy;
extern const struct frame_ops frame_paired;

/* frames_refuse_take - say that no frame is free; -ENOMEM. */
int frames_refuse_take(const struct frames *frames);

/* frames_refuse_order - say that there is no such block, or none free. */
int frames_refuse_order(unsigned order);

#endif
