#include <linux/module.h>

extern int hello_greet(const char *who);

static int __init greeter_init(void)
{
	return hello_greet("world");
}
module_init(greeter_init);
MODULE_LICENSE("GPL");
