// SPDX-License-Identifier: GPL-2.0-only
/* A counter that other modules may advance. */
#include <linux/atomic.h>
#include <linux/module.h>

#include "counter.h"

static atomic_t count = ATOMIC_INIT(0);

int counter_next(int step)
{
	return atomic_add_return(step, &count);
}
EXPORT_SYMBOL_GPL(counter_next);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A counter shared by modules");
