// SPDX-License-Identifier: GPL-2.0

/**
 * igbook_ring_unused() - how many descriptors may be given to the card
 * @ring: the ring
 *
 * For the side that gives descriptors to the card. The other side may take
 * some back meanwhile: then there are more than we say.
 *
 * Return: 0 to count - 1.
 */
u16 igbook_ring_unused(const struct igbook_ring *ring)
{
	u16 clean = smp_load_acquire(&ring->next_to_clean);
	u16 last = clean ? clean - 1 : ring->count - 1;
	u16 use = ring->next_to_use;

	return last >= use ? last - use : ring->count - use + last;
}
