// SPDX-License-Identifier: GPL-2.0-only
/* Advances the shared counter once when it is loaded. */
#include <linux/module.h>

#include "counter.h"

static int step = 1;
module_param(step, int, 0444);
MODULE_PARM_DESC(step, "how far the counter is advanced");

static int __init ticker_init(void)
{
	pr_info("ticker: the counter is at %d\n", counter_next(step));
	return 0;
}

static void __exit ticker_exit(void)
{
}

module_init(ticker_init);
module_exit(ticker_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Advances a shared counter");
