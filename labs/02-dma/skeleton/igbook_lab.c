// SPDX-License-Identifier: GPL-2.0
/*
 * igbook, lab 2: one frame sent by hand, from two buffers.
 */
#include "igbook.h"
#include "igbook_lab.h"

/**
 * igbook_lab_add() - make the lab's file in the device's directory of debugfs
 * @priv: the device, registered; @priv->debugfs is its directory
 *
 * igbook_handsend_remove() removes the file with the directory it is in, and
 * waits for a write that is under way.
 *
 * Context: probe.
 */
void igbook_lab_add(struct igbook *priv)
{
	/*
	 * TODO 5: a file "@split_file@" that can be written. One write is one
	 * frame: its first IGBOOK_SPLIT bytes in a buffer of their own, the
	 * others in another, a descriptor for each.
	 */
}
