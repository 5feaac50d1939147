// SPDX-License-Identifier: GPL-2.0-only
/* A chip on the bus, which takes its table from a firmware file. */
#include <linux/firmware.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include "chain.h"

#define TABLE "chain/chip.bin"

static int channels = 1;
module_param(channels, int, 0444);
MODULE_PARM_DESC(channels, "how many channels the chip has");

static char *name = "chip";
module_param(name, charp, 0444);
MODULE_PARM_DESC(name, "what to call it");

static struct platform_device *chip;

static int __init chain_chip_init(void)
{
	const struct firmware *table;
	int err;

	chip = platform_device_register_simple("chain-chip", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(chip))
		return PTR_ERR(chip);
	err = request_firmware(&table, TABLE, &chip->dev);
	if (err) {
		platform_device_unregister(chip);
		return err;
	}
	dev_info(&chip->dev, "a table of %zu bytes, %d channels in all\n", table->size,
		 chain_bus_add(name, channels));
	release_firmware(table);
	return 0;
}

static void __exit chain_chip_exit(void)
{
	chain_bus_remove(channels);
	platform_device_unregister(chip);
}

module_init(chain_chip_init);
module_exit(chain_chip_exit);
MODULE_FIRMWARE(TABLE);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A chip on the bus");
