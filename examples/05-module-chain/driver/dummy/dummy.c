// SPDX-License-Identifier: GPL-2.0-only
/* Takes the place of the kernel's own dummy.ko, and says so. */
#include <linux/module.h>

static int __init dummy_init(void)
{
	pr_info("dummy: the one of the chain is loaded\n");
	return 0;
}

static void __exit dummy_exit(void)
{
}

module_init(dummy_init);
module_exit(dummy_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Takes the place of the kernel's own dummy");
