#include <linux/module.h>

int hello_greet(const char *who)
{
	return pr_info("hello, %s\n", who);
}
EXPORT_SYMBOL_GPL(hello_greet);
MODULE_LICENSE("GPL");
