# SPDX-License-Identifier: GPL-2.0
"""The parts of netstack that need neither gdb nor a guest."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

SCRIPTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SCRIPTS))
from netstack import bits, descriptor, journey, packet, picture, runner, tcp  # noqa: E402

FRAME = bytes.fromhex(
    "525400123456" "020000000001" "0800"
    "4500001e" "00004000" "40110000" "c0000201" "c0000202"
    "9c400fa0000a6430" "6869")


class Bits(unittest.TestCase):
    """Numbers become names."""

    def test_bits_in_order(self) -> None:
        """Lowest first, unnamed ones by number."""
        self.assertEqual(bits.decode_bits(0x1003, bits.DEVICE_FLAGS), "UP BROADCAST MULTICAST")
        self.assertEqual(bits.decode_bits(1 << 20, bits.DEVICE_FLAGS), "bit20")
        self.assertEqual(bits.decode_bits(0, bits.SOFTIRQS, "nothing"), "nothing")
        self.assertEqual(bits.decode_bits(0x208, bits.SOFTIRQS), "NET_RX RCU")

    def test_context(self) -> None:
        """Bottom halves off is not a softirq."""
        self.assertEqual(bits.context_of(0), "process")
        self.assertEqual(bits.context_of(0x200), "process")
        self.assertEqual(bits.context_of(0x100), "softirq")
        self.assertEqual(bits.context_of(0x10100), "hardirq")
        self.assertEqual(bits.context_of(0x110000), "nmi")
        self.assertEqual(bits.describe_preempt_count(0x201),
                         "process, bottom halves off x1, preemption off x1")

    def test_small_things(self) -> None:
        """MAC, EtherType, sizes, tables with an end."""
        self.assertEqual(bits.mac(b"\x52\x54\x00\x12\x34\x56"), "52:54:00:12:34:56")
        self.assertEqual(bits.ethertype(0x0800), "IPv4 (0x0800)")
        self.assertEqual(bits.ethertype(0x1234), "0x1234")
        self.assertEqual(bits.pick(bits.OPERSTATES, 6), "UP")
        self.assertEqual(bits.pick(bits.OPERSTATES, 9), "9")
        self.assertEqual(bits.pick(bits.TCP_STATES, 10), "LISTEN")


class Packet(unittest.TestCase):
    """Headers become sentences."""

    def test_udp_over_ipv4(self) -> None:
        """The frame the receive trace sends looks like this."""
        self.assertEqual(packet.ethernet(FRAME),
                         "Ethernet 02:00:00:00:00:01 > 52:54:00:12:34:56, IPv4 (0x0800)")
        self.assertEqual(packet.summary(FRAME[14:], 0x0800), [
            "IPv4 192.0.2.1 > 192.0.2.2, UDP, ttl 64, length 30, id 0x0000, header 20 B",
            "UDP 40000 > 4000, length 10, checksum 0x6430"])

    def test_others(self) -> None:
        """ARP, IPv6 with ICMP, TCP, and what is not known."""
        arp = bytes.fromhex("0001080006040001" "020000000001c0000201" "000000000000c0000202")
        self.assertEqual(packet.summary(arp, 0x0806), ["ARP who has 192.0.2.2? tell 192.0.2.1"])
        v6 = bytes.fromhex("6000000000043aff") + bytes(15) + b"\x01" + bytes(15) + b"\x02"
        self.assertEqual(packet.summary(v6 + b"\x87\x00\x00\x00", 0x86dd), [
            "IPv6 ::1 > ::2, ICMPV6, hop limit 255, payload 4", "ICMPV6 type 135 code 0"])
        tcp = bytes.fromhex("005004d2000000010000000250120000" "00000000")
        self.assertEqual(packet.transport(6, tcp), "TCP 80 > 1234, SYN ACK, seq 1, ack 2")
        self.assertEqual(packet.summary(b"abc", 0x9000), ["0x9000, 3 B visible"])

    def test_cut_short(self) -> None:
        """No prefix of a frame may raise."""
        for length in range(len(FRAME)):
            packet.ethernet(FRAME[:length])
            for kind in (0x0800, 0x0806, 0x86dd):
                packet.summary(FRAME[14:14 + length], kind)


class Picture(unittest.TestCase):
    """The drawing of an sk_buff."""

    def test_marks_and_parts(self) -> None:
        """Every pointer is named at its offset, every part has its size."""
        lines = picture.draw_buffer(206, 272, 1728, [picture.Mark("mac header", 192)])
        text = "\n".join(lines)
        self.assertIn("206 +------------------------------+ <- data", text)
        self.assertIn("192 +..............................+ <- mac header", text)
        self.assertIn(" headroom 192 B ", text)
        self.assertIn("# data 66 B #", text)
        self.assertIn(" tailroom 1456 B ", text)

    def test_empty_parts_are_left_out(self) -> None:
        """head and data together share a line."""
        lines = picture.draw_buffer(0, 0, 64)
        self.assertTrue(lines[0].endswith("<- head, data, tail"))
        self.assertNotIn("headroom", "\n".join(lines))

    def test_every_layout_draws(self) -> None:
        """Sizes add up in any order of pointers; nonsense is named."""
        for data in range(0, 6):
            for tail in range(data, 6):
                text = "\n".join(picture.draw_buffer(data, tail, 6))
                self.assertEqual("headroom" in text, data > 0)
                self.assertEqual("tailroom" in text, tail < 6)
        self.assertIn("out of order", picture.draw_buffer(9, 3, 6)[0])


class RingPicture(unittest.TestCase):
    """Letters and arrows of a ring."""

    @staticmethod
    def descriptor(direction: str, done: bool) -> bytes:
        """One descriptor, its status word in its place."""
        status = int(done).to_bytes(4, "little")
        return bytes(8) + status + bytes(4) if direction == "rx" else bytes(12) + status

    def test_letters(self) -> None:
        """Given, written back, free; across the wrap, in both directions."""
        for direction in ("rx", "tx"):
            raw = b"".join(self.descriptor(direction, index in (0, 6, 7)) for index in range(8))
            self.assertEqual(picture.ring_cells(raw, 8, 6, 2, direction), "Do....DD")

    def test_unreadable(self) -> None:
        """Said, not guessed."""
        self.assertEqual(picture.ring_cells(b"", 4, 0, 2, "rx"), "????")

    def test_empty_is_not_full(self) -> None:
        """Equal ends: nothing is with the card."""
        self.assertEqual(picture.ring_cells(bytes(64), 4, 3, 3, "tx"), "....")

    def test_rows(self) -> None:
        """Equal rows fold; arrows stand below their descriptor; two at one place share it."""
        cells = "." * 64 + "o" * 320
        self.assertEqual(picture.ring_rows(cells, {"next_to_clean": 64, "head": 66, "tail": 66}), [
            "     0  " + "." * 64, "    64  " + "o" * 64, "        ^ next_to_clean",
            "          ^ head, tail", "   ..."])


class Descriptor(unittest.TestCase):
    """What driver and card wrote."""

    def test_receive(self) -> None:
        """Given to the card, written back, never used."""
        given = (0x12340c0).to_bytes(8, "little") + bytes(8)
        self.assertEqual(descriptor.decode_rx(given, True), "for the card: buffer 0x12340c0")
        back = bytes(8) + (3).to_bytes(4, "little") + (80).to_bytes(2, "little") + bytes(2)
        self.assertEqual(descriptor.decode_rx(back, True),
                         "written back: length 80, DD EOP, errors 0x0")
        self.assertEqual(descriptor.decode_rx(bytes(16), False), "empty")
        self.assertEqual(descriptor.decode_rx(b"", True), "unreadable")

    def test_transmit(self) -> None:
        """A data descriptor with its commands, and a finished one."""
        words = (0xabc).to_bytes(8, "little") + (0x2b30003c).to_bytes(4, "little") + \
            (60 << 14).to_bytes(4, "little")
        self.assertEqual(descriptor.decode_tx(words, True),
                         "for the card: data, buffer 0xabc, length 60, PAYLEN 60, "
                         "EOP IFCS RS DEXT")
        self.assertEqual(descriptor.decode_tx(bytes(12) + b"\1\0\0\0", False),
                         "free, status 0x1 (DD)")


class Tcp(unittest.TestCase):
    """The connection that the host opens by hand."""

    def test_handshake_and_data(self) -> None:
        """Sums are right, numbers go on, and only the guest's own answer is taken."""
        host = tcp.Connection(4000)
        opened = host.open()
        self.assertEqual(packet.summary(opened[14:], 0x0800),
                         ["IPv4 192.0.2.1 > 192.0.2.2, TCP, ttl 64, length 44, id 0x0001, "
                          "header 20 B", "TCP 40000 > 4000, SYN, seq 1000, ack 0"])
        answer = bytearray(opened)
        answer[34:38] = opened[36:38] + opened[34:36]
        answer[38:46] = (0xffffffff).to_bytes(4, "big") + (1001).to_bytes(4, "big")
        self.assertFalse(host.accepted(bytes(answer)))
        answer[47] = tcp.SYN | tcp.ACK
        self.assertFalse(host.accepted(opened))
        self.assertFalse(host.accepted(bytes(answer[:40])))
        self.assertTrue(host.accepted(bytes(answer)))
        frames = [host.confirm(), *host.segments(b"x" * (tcp.MAXIMUM + 1))]
        said = [packet.summary(frame[14:], 0x0800)[1] for frame in frames]
        self.assertEqual(said, ["TCP 40000 > 4000, ACK, seq 1001, ack 0"] * 2
                         + ["TCP 40000 > 4000, ACK, seq 2461, ack 0"])
        self.assertEqual([len(frame) for frame in frames], [54, 1514, 55])
        for frame in [opened, *frames]:
            self.assertEqual(tcp.checksum(frame[14:34]), 0)
            length = (len(frame) - 34).to_bytes(2, "big")
            self.assertEqual(tcp.checksum(tcp.HOST + tcp.GUEST + b"\0\6" + length + frame[34:]), 0)

    def test_numbers_begin_again(self) -> None:
        """A stream may go over the end of the numbers."""
        self.assertEqual(tcp.distance(1461, 1), 1460)
        self.assertEqual(tcp.distance(100, 0xffffff9c), 200)

    def test_capture(self) -> None:
        """Whole blocks of a file that still grows."""
        section = bytes.fromhex("0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000")
        frame = bytes.fromhex("06000000 24000000") + bytes(12) + \
            bytes.fromhex("03000000 03000000") + b"abc\0" + bytes.fromhex("24000000")
        self.assertEqual(tcp.captured(section + frame + frame), [b"abc", b"abc"])
        self.assertEqual(tcp.captured(section + frame + frame[:-1]), [b"abc"])
        self.assertEqual(tcp.captured(b""), [])

    def test_hash(self) -> None:
        """The first example of the specification of RSS, with ports."""
        key = bytes.fromhex("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b4"
                            "77cb2da38030f20c6a42b73bbeac01fa")
        data = bytes((66, 9, 149, 187, 161, 142, 100, 80)) + bytes.fromhex("0aea06e6")
        self.assertEqual(packet.toeplitz(key, data), 0x51ccc178)
        self.assertEqual(descriptor.hash_of(bytes.fromhex("f1000000 78c1cc51") + bytes(8)),
                         (1, 0x51ccc178))


class JourneyFile(unittest.TestCase):
    """Journeys hold nothing that differs between runs."""

    def test_addresses_become_names(self) -> None:
        """The same address keeps its name."""
        normaliser = journey.Normaliser()
        self.assertEqual(normaliser.text("$1 = (struct sk_buff *) 0xffff888000a67300"),
                         "(struct sk_buff *) ADDR1")
        self.assertEqual(normaliser.text("0xffff888000000000 then 0xffff888000a67300"),
                         "ADDR2 then ADDR1")
        self.assertEqual(normaliser.text("for the card at 0xaa3000"),
                         "for the card at BUS-ADDRESS")

    def test_kernel_paths(self) -> None:
        """Wherever the kernel was built."""
        for path in ("/home/me/.cache/x/source/linux-6.12.117-ab/net/core/dev.c",
                     "/usr/src/linux-source-6.12/net/core/dev.c", "net/core/dev.c",
                     "./net/core/dev.c", "/x/build/source/net/core/dev.c"):
            self.assertEqual(journey.relative(path), "net/core/dev.c")
        self.assertEqual(journey.relative("/x/build/modules/trace/02-dma/igbook_dma.c"),
                         "02-dma/igbook_dma.c")

    def test_differences(self) -> None:
        """Named stop by stop; another kernel version is none."""
        old = {"kernel": "6.12.1", "stops": [{"id": "a", "text": "x"}, {"id": "b", "text": "y"}]}
        new = {"kernel": "6.12.2", "stops": [{"id": "a", "text": "x"}, {"id": "b", "text": "z"}]}
        self.assertEqual(journey.differences(old, old | {"kernel": "6.13"}), [])
        self.assertEqual(journey.differences(old, new), ["stop b: text was 'y', now 'z'"])
        self.assertEqual(journey.differences(old, {"stops": old["stops"][:1]}),
                         ["stop b is gone"])
        self.assertEqual(journey.differences(old, {"stops": old["stops"][::-1]}),
                         ["the stops come in another order"])

    def test_narrative_fits_its_width(self) -> None:
        """No line longer than asked, no colour unless asked."""
        plain = journey.Narrator(60, False)
        visit = journey.Visit("a", "ip_rcv", "net/ipv4/ip_input.c", "ip_rcv", "softirq", 0,
                              "swapper/0", "Into IP", "text")
        text = plain.heading(1, 9, visit, 560) + "\n" + plain.wrap("word " * 60) + "\n" + \
            plain.backtrace(["a_function_name"] * 12)
        self.assertTrue(all(len(line) <= 60 for line in text.split("\n")))
        self.assertNotIn("\033", text)
        self.assertIn("interrupted swapper/0", text)
        self.assertIn("\033[", journey.Narrator(60, True).heading(1, 9, visit, 0))

    def test_committed_journeys_hold(self) -> None:
        """Those the book draws from: all checks good, no address left."""
        for name in ("boot", "receive"):
            path = SCRIPTS.parent / "book" / "journeys" / f"{name}.json"
            data = json.loads(path.read_text(encoding="utf-8"))
            self.assertEqual(runner.restore(data).failed(), [])
            self.assertNotRegex(path.read_text(encoding="utf-8"), r"0xffff[0-9a-f]{12}")


class Runner(unittest.TestCase):
    """The command line, without starting anything."""

    def run_main(self, *words: str) -> tuple[int, str, str]:
        """Exit status, output, errors."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = runner.main(list(words))
            except SystemExit as leave:
                status = int(leave.code or 0)
        return status, out.getvalue(), err.getvalue()

    def test_list_and_help(self) -> None:
        """Both traces are listed; help has an example."""
        status, out, _err = self.run_main("--list")
        self.assertEqual(status, 0)
        self.assertRegex(out, r"boot +how the network")
        self.assertRegex(out, r"receive +one UDP datagram")
        status, out, _err = self.run_main("--help")
        self.assertEqual(status, 0)
        self.assertIn("example: gdb-scripts/trace receive --guided", out)

    def test_wrong_words(self) -> None:
        """Errors name what was wrong and what there is."""
        status, _out, err = self.run_main()
        self.assertEqual(status, 2)
        self.assertIn("--list", err)
        known = "there are boot, bring-up, counters, ethtool, handshake, interrupt, intx, overflow"
        with self.assertRaisesRegex(runner.Failure, f"no trace `xmit`; {known}"):
            runner.find_trace("xmit")
        with tempfile.TemporaryDirectory() as place:
            with self.assertRaisesRegex(runner.Failure, "no vmlinux; build the kernel"):
                runner.find_kernel(place)
            with self.assertRaisesRegex(runner.Failure, "not built yet"):
                runner.built(pathlib.Path(place) / "sandbox")

    def test_sweep(self) -> None:
        """Directories of processes that are gone go; those of running ones stay."""
        with tempfile.TemporaryDirectory() as place:
            gone = pathlib.Path(place) / "fwts-trace-4194305-x"
            there = pathlib.Path(place) / f"fwts-trace-{os.getpid()}-x"
            other = pathlib.Path(place) / "fwts-trace-x-y"
            for path in (gone, there, other):
                path.mkdir()
                (path / "sandbox.log").touch()
            runner.sweep(pathlib.Path(place))
            self.assertEqual([path.exists() for path in (gone, there, other)],
                             [False, True, True])

    def test_two_sweep_at_once(self) -> None:
        """What another run removes meanwhile is no error."""
        with tempfile.TemporaryDirectory() as place:
            gone = pathlib.Path(place) / "fwts-trace-4194305-x"
            with mock.patch.object(pathlib.Path, "glob", return_value=[gone]), \
                    mock.patch.object(pathlib.Path, "is_dir", return_value=True):
                runner.sweep(pathlib.Path(place))

    def test_trace_files(self) -> None:
        """Each names a scenario that exists; a file without one is refused."""
        for path in runner.known_traces().values():
            self.assertIn(runner.literal(path, "SCENARIO"), runner.SCENARIOS)
        with tempfile.TemporaryDirectory() as place:
            path = pathlib.Path(place) / "mine.py"
            path.write_text("ABOUT = 'x'\n", encoding="utf-8")
            with self.assertRaisesRegex(runner.Failure, "needs a constant SCENARIO"):
                runner.literal(path, "SCENARIO")


if __name__ == "__main__":
    unittest.main()
