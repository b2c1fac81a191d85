/* SPDX-License-Identifier: MIT */
/*
 * walk.h - what the strategy found, as the user is told it.
 */
#ifndef LFV_CORE_WALK_H
#define LFV_CORE_WALK_H

#include "lfv/lfv.h"
#include "va/va.h"

void vm_info_fill(struct lfv_vm_info *info, const struct va_found *found);

#endif
