// SPDX-License-Identifier: GPL-2.0-only
/* Counts the channels of all chips. */
#include <linux/atomic.h>
#include <linux/module.h>

#include "chain.h"

static atomic_t total = ATOMIC_INIT(0);

int chain_bus_add(const char *name, int channels)
{
	pr_info("chain-bus: %s brings %d channels\n", name, channels);
	return atomic_add_return(channels, &total);
}
EXPORT_SYMBOL_GPL(chain_bus_add);

void chain_bus_remove(int channels)
{
	atomic_sub(channels, &total);
}
EXPORT_SYMBOL_GPL(chain_bus_remove);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Counts the channels of all chips");
