/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CHAIN_H
#define CHAIN_H

/* Adds a chip with so many channels to the bus, and returns how many channels there are in all. */
int chain_bus_add(const char *name, int channels);

/* Takes the channels of a chip away again. */
void chain_bus_remove(int channels);

#endif
