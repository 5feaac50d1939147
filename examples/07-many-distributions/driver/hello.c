// SPDX-License-Identifier: GPL-2.0-only
/* A module that says for which kernel it was made. */
#include <generated/utsrelease.h>
#include <linux/module.h>

static int __init hello_init(void)
{
	pr_info("hello, %s\n", UTS_RELEASE);
	return 0;
}

static void __exit hello_exit(void)
{
}

module_init(hello_init);
module_exit(hello_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Says for which kernel it was made");
