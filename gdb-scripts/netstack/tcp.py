# SPDX-License-Identifier: GPL-2.0
"""TCP as the host speaks it: the frames of one connection, built by hand. Plain Python, no gdb."""

from __future__ import annotations

import struct

GUEST_MAC, HOST_MAC = bytes.fromhex("525400123456"), bytes.fromhex("020000000001")
GUEST, HOST = bytes((192, 0, 2, 2)), bytes((192, 0, 2, 1))
HEADERS = 14 + 20
SYN, ACK = 0x02, 0x10
# Data bytes in a full segment, the host's port, the number of its SYN, and its window.
MAXIMUM = 1460
OWN_PORT = 40000
FIRST = 1000
WINDOW = 0xffff


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def distance(end: int, begin: int) -> int:
    """Bytes of the stream between two sequence numbers, which begin again behind 2^32 - 1."""
    return (end - begin) & 0xffffffff


def captured(data: bytes) -> list[bytes]:
    """The frames in what there is of a pcapng file of one interface."""
    frames, place = [], 0
    while len(data) - place >= 12:
        kind, size = struct.unpack_from("<II", data, place)
        if size < 12 or len(data) - place < size:
            break
        if kind == 6:
            length = struct.unpack_from("<I", data, place + 20)[0]
            frames.append(data[place + 28:place + 28 + length])
        place += size
    return frames


class Connection:
    """A connection that the host opens; it keeps the numbers of both ends."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.next = FIRST
        self.expected = 0
        self._identification = 0

    def _frame(self, flags: int, payload: bytes = b"", options: bytes = b"") -> bytes:
        size = 20 + len(options)
        head = struct.pack("!HHIIBBHHH", OWN_PORT, self.port, self.next, self.expected,
                           size // 4 << 4, flags, WINDOW, 0, 0) + options
        pseudo = HOST + GUEST + struct.pack("!HH", 6, size + len(payload))
        head = head[:16] + struct.pack("!H", checksum(pseudo + head + payload)) + head[18:]
        self._identification += 1
        outer = struct.pack("!BBHHHBBH", 0x45, 0, 20 + size + len(payload), self._identification,
                            0x4000, 64, 6, 0) + HOST + GUEST
        outer = outer[:10] + struct.pack("!H", checksum(outer)) + outer[12:]
        return GUEST_MAC + HOST_MAC + b"\x08\x00" + outer + head + payload

    def open(self) -> bytes:
        """The SYN. It announces the largest segment and no other option."""
        frame = self._frame(SYN, options=struct.pack("!BBH", 2, 4, MAXIMUM))
        self.next += 1
        return frame

    def accepted(self, frame: bytes) -> bool:
        """Is this the guest's SYN and ACK? Then its number is known."""
        if len(frame) < HEADERS + 20 or frame[12:15] != b"\x08\x00\x45" or frame[23] != 6:
            return False
        ports = struct.unpack_from("!HH", frame, HEADERS)
        sequence, acknowledged = struct.unpack_from("!II", frame, HEADERS + 4)
        if ports != (self.port, OWN_PORT) or frame[HEADERS + 13] != SYN | ACK \
                or acknowledged != self.next:
            return False
        self.expected = (sequence + 1) & 0xffffffff
        return True

    def confirm(self) -> bytes:
        """The ACK that ends the handshake."""
        return self._frame(ACK)

    def segments(self, payload: bytes) -> list[bytes]:
        """Data, in as many segments as it needs. None has PSH: the sender has more to send."""
        frames = []
        for place in range(0, len(payload), MAXIMUM):
            part = payload[place:place + MAXIMUM]
            frames.append(self._frame(ACK, part))
            self.next += len(part)
        return frames
