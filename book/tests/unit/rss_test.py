# SPDX-License-Identifier: GPL-2.0
"""The hash that chapter 7 computes by hand: its function, and every number it prints."""

from __future__ import annotations

import re
import unittest
from ipaddress import ip_address
from pathlib import Path

BOOK = Path(__file__).resolve().parents[2]


def toeplitz(key: bytes, data: bytes) -> int:
    """The hash of the data: a window of the key for each bit that is 1."""
    bits = 8 * len(key)
    row = int.from_bytes(key, "big")
    result = 0
    for n in range(8 * len(data)):
        if data[n // 8] & 0x80 >> n % 8:
            result ^= row >> bits - 32 - n & 0xffffffff
    return result


# --- what the chapter says of it

KEY = bytes.fromhex("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c"
                    "6a42b73bbeac01fa")


def flow(source: str, source_port: int, destination: str, destination_port: int) -> bytes:
    """The input for a connection: addresses, then ports."""
    return (ip_address(source).packed + ip_address(destination).packed
            + source_port.to_bytes(2, "big") + destination_port.to_bytes(2, "big"))


FLOW = flow("192.0.2.1", 40960, "192.0.2.2", 5201)


class RssTest(unittest.TestCase):
    """Toeplitz by hand"""

    text = (BOOK / "chapters/07-receive.rst").read_text(encoding="utf-8")

    def test_published_examples(self) -> None:
        for *ends, addresses, ports in (
                ("66.9.149.187", 2794, "161.142.100.80", 1766, 0x323e8fc2, 0x51ccc178),
                ("199.92.111.2", 14230, "65.69.140.83", 4739, 0xd718262a, 0xc626b0ea),
                ("24.19.198.95", 12898, "12.22.207.184", 38024, 0xd2d0a5de, 0x5c2b394a)):
            self.assertEqual(toeplitz(KEY, flow(*ends)[:8]), addresses)  # type: ignore[arg-type]
            self.assertEqual(toeplitz(KEY, flow(*ends)), ports)  # type: ignore[arg-type]

    def test_key_and_input_as_printed(self) -> None:
        printed = re.search(r"^    ((?:[0-9a-f]{8} ?){10})$", self.text, re.M)
        assert printed is not None
        self.assertEqual(bytes.fromhex(printed[1]), KEY)
        self.assertIn("``c0000201 c0000202 a000 1451``", self.text)
        self.assertEqual(FLOW.hex(" ", -4), "c0000201 c0000202 a0001451")

    def test_each_row_of_the_table(self) -> None:
        rows = re.findall(r"     - (\d+)\n     - ``(\w{8})``\n     - ``(\w{8})``\n", self.text)
        rows.sort(key=lambda row: int(row[0]))  # two columns of them stand side by side
        ones = [n for n in range(96) if FLOW[n // 8] & 0x80 >> n % 8]
        self.assertEqual([int(n) for n, _, _ in rows], ones)
        so_far = 0
        for n, window, result in rows:
            one = (1 << 95 - int(n)).to_bytes(12, "big")
            so_far ^= toeplitz(KEY, one)
            self.assertEqual((window, result), (f"{toeplitz(KEY, one):08x}", f"{so_far:08x}"))

    def test_hashes_and_entries_in_the_text(self) -> None:
        self.assertEqual(f"{toeplitz(KEY, FLOW):08x}", "a71ced13")
        self.assertEqual(toeplitz(KEY, FLOW) % 128, 19)
        self.assertEqual(f"{toeplitz(KEY, FLOW[:8]):08x}", "5ceea90c")
        for other, value, entry in ((flow("192.0.2.1", 40961, "192.0.2.2", 5201), "35824cc2", 66),
                                    (flow("192.0.2.3", 40960, "192.0.2.2", 5201), "2e4a2ea3", 35)):
            self.assertEqual((f"{toeplitz(KEY, other):08x}", toeplitz(KEY, other) % 128),
                             (value, entry))
            self.assertIn(f"``{value}``", self.text)

    def test_neighbouring_ports_are_spread_evenly(self) -> None:
        entries = [toeplitz(KEY, flow("192.0.2.1", port, "192.0.2.2", 5201)) % 128
                   for port in range(40960, 41024)]
        for queues in (2, 4, 8):
            for table in ([n % queues for n in range(128)],
                          [n * queues // 128 for n in range(128)]):
                to = [table[entry] for entry in entries]
                self.assertEqual([to.count(q) for q in range(queues)], [64 // queues] * queues)

    def test_a_key_that_repeats_knows_no_direction(self) -> None:
        back = flow("192.0.2.2", 5201, "192.0.2.1", 40960)
        key = bytes.fromhex("6d5a" * 20)
        self.assertEqual(toeplitz(key, FLOW), toeplitz(key, back))
        self.assertEqual(toeplitz(key, FLOW) >> 16, toeplitz(key, FLOW) & 0xffff)
        self.assertNotEqual(toeplitz(KEY, FLOW), toeplitz(KEY, back))


if __name__ == "__main__":
    unittest.main()
