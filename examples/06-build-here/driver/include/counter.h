/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COUNTER_H
#define COUNTER_H

/* Adds step to the counter that all modules share, and returns its new value. */
int counter_next(int step);

#endif
