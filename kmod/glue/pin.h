/* SPDX-License-Identifier: GPL-2.0 */
/* A VMM's pages, held for as long as a guest may use them. */
#ifndef MV_PIN_H
#define MV_PIN_H

#include <linux/mm_types.h>

/* @count pages at the caller's address @start, for reading and writing.  Return: 0; -EFAULT: one cannot be had; -ENOMEM. */
int pin_range(unsigned long start, unsigned long count, struct page ***pages);
void unpin_range(struct page **pages, unsigned long count);

#endif
