#!/usr/bin/env python3
"""Floods of HTTP/2 that gRPC 1.51 by itself does not withstand, and a well-behaved client beside them that must not notice.

Each attack ends with the same account: the attacker was closed and counted, the witness saw no error, the server holds
the descriptors and about the memory it held before. `direct_listeners` has no walker, so none of this holds there.
"""

import contextlib
import select
import socket
import unittest

import wire
from grpc_witness import Witness
from http2 import (
    ACK, CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, GOAWAY, HEADERS, PING, PRIORITY, RST_STREAM,
    SETTINGS, SETTINGS_TIMEOUT, WINDOW_UPDATE, Client, call_headers, frame, integer, literal, message, settings,
)  # fmt: skip
from process import settles
from server import SANITIZED, Server
from wire import GRPC, Closed

# KiB that the server may hold more during an attack and after it: arenas of some 4000 calls, which the C library keeps
# and the next attack finds.
HELD = 128 * 1024
UNARY, REPEAT, CHAT = (call_headers(f"/switchyard.test.v1.Echo/{method}") for method in ("Unary", "Repeat", "Chat"))
MIB = 1 << 20


class Attack(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(Server(
            limits={"connections_per_client": 0},
            listeners=[
                {"name": "server", "address": "127.0.0.1:0"},
                {"name": "grpc", "address": "127.0.0.1:0", "protocol": "grpc.external"},
            ],
            plugins={"grpc": {"library": "grpc.so", "config": {"write_timeout": "2s"}}, "echo": {"library": "grpc_echo.so"}},
        ))  # fmt: skip
        self.witness = Witness(self.server.addresses["grpc"])
        self.addCleanup(self.witness.kill)
        self.memory = self.server.memory()
        self.attackers = contextlib.ExitStack()
        self.addCleanup(self.attackers.close)

    def attacker(self, greeting=settings(), internal=False):  # noqa: B008
        address = self.server.addresses["server" if internal else "grpc"]
        connection = self.attackers.enter_context(wire.dial(address, "127.0.0.66"))
        if internal:
            wire.send(connection, bytes([GRPC]))
        return Client(connection, greeting)

    def flood(self, client, burst, total):
        """Sends `burst`, what it makes of a number, until the server has closed, which it has to; reads what comes meanwhile.

        The GOAWAY that says so, or None when it got lost in the reset of the connection, or gRPC ended it without one.
        """
        goaway = None
        with contextlib.suppress(Closed):
            for number in range(total):
                client.send(burst(number))
                while select.select([client.connection], [], [], 0)[0]:
                    if (got := client.read()).kind == GOAWAY:
                        goaway = got
            while True:
                if (got := client.read()).kind == GOAWAY:
                    goaway = got
        return goaway

    def count(self, name):
        """A metric of the gRPC plugin, all labels together."""
        return sum(value for sample, value in self.server.metrics().items() if sample.split("{")[0].endswith(f"grpc_{name}"))

    def cuts(self):
        return self.count("floods_total") + self.count("violations_total")

    def assert_cut(self, goaway=None, cuts=1, code=ENHANCE_YOUR_CALM):
        """The attacker was counted, and told why as far as that reached it."""
        self.assertTrue(settles(lambda: self.cuts() == cuts), f"{self.cuts()} cuts, not {cuts}\n{self.server.log}")
        if goaway:
            self.assertEqual(int.from_bytes(goaway.payload[4:8], "big"), code, goaway)

    def assert_holds_little(self, held=HELD):
        if not SANITIZED:
            self.assertLess(self.server.memory() - self.memory, held, "KiB more than before")

    def account(self, held=HELD):
        """The end of an attack. Attackers hang up first."""
        self.assert_holds_little(held)
        self.attackers.close()
        seen = self.witness.end()
        self.assertEqual(seen["errors"], [])
        self.assertGreater(seen["calls"], 0)
        self.assertLess(seen["worst"], 30)
        self.assertTrue(settles(lambda: self.count("connections") == 0), f"{self.count('connections')} connections are left")
        self.assert_holds_little(held)


def opened(stream, block=UNARY, flags=END_HEADERS):
    return frame(HEADERS, flags, stream, block)


def reset(stream):
    return frame(RST_STREAM, 0, stream, CANCEL.to_bytes(4, "big"))


class Floods(Attack):
    def test_rapid_reset(self):
        """CVE-2023-44487: 10 000 calls begun and dropped."""
        client = self.attacker()
        client.settle()
        each = 100
        burst = lambda number: b"".join(  # noqa: E731
            opened(stream) + reset(stream) for stream in range(2 * number * each + 1, 2 * (number + 1) * each, 2)
        )
        self.assert_cut(self.flood(client, burst, 10_000 // each))
        self.account()

    def test_rapid_reset_behind_the_tag(self):
        """The internal server has 16 384 streams a connection, and allows so many to be dropped."""
        client = self.attacker(internal=True)
        client.settle()
        each = 100
        burst = lambda number: b"".join(  # noqa: E731
            opened(stream) + reset(stream) for stream in range(2 * number * each + 1, 2 * (number + 1) * each, 2)
        )
        self.assert_cut(self.flood(client, burst, 100_000 // each))
        self.account(held=4 * HELD)

    def test_streams_that_break_a_rule(self):
        """CVE-2025-8671: what the server would have to reset, 10 000 times. gRPC ends the connection instead."""
        client = self.attacker()
        client.settle()
        broken = frame(WINDOW_UPDATE, 0, 1, bytes(4))  # an increment of 0
        each = 100
        burst = lambda number: b"".join(  # noqa: E731
            opened(stream) + broken[:5] + stream.to_bytes(4, "big") + broken[9:]
            for stream in range(2 * number * each + 1, 2 * (number + 1) * each, 2)
        )
        self.flood(client, burst, 10_000 // each)
        self.account()

    def test_continuation_without_end(self):
        client = self.attacker()
        client.settle()
        client.send(opened(1, flags=0))
        more = frame(CONTINUATION, 0, 1, literal(b"x-more", b"x" * 1000))
        self.assert_cut(self.flood(client, lambda _: more * 16, 10_000))
        self.account()

    def test_empty_continuation_without_end(self):
        client = self.attacker()
        client.settle()
        client.send(opened(1, flags=0))
        self.assert_cut(self.flood(client, lambda _: frame(CONTINUATION, 0, 1) * 1000, 1000))
        self.account()

    def test_hpack_bomb(self):
        """A field of 3 KiB in the dynamic table, named again with one byte each, 45 MB in every header block."""
        client = self.attacker()
        client.settle()
        client.send(opened(1, UNARY + literal(b"x-large", b"x" * 3000, indexed=True), END_HEADERS | END_STREAM))
        again = integer(62, 7, 0x80) * 15_000
        self.flood(client, lambda number: opened(2 * number + 3, UNARY + again, END_HEADERS | END_STREAM), 2000)
        self.account()

    def test_hpack_bomb_before_settings_are_acknowledged(self):
        client = self.attacker()
        client.send(opened(1, UNARY + literal(b"x", b"y", indexed=True)))
        again = integer(62, 7, 0x80) * 15_000
        goaway = self.flood(client, lambda number: opened(2 * number + 3, UNARY + again), 2000)
        self.assert_cut(goaway, code=SETTINGS_TIMEOUT)
        self.account()

    def test_frames_that_do_nothing(self):
        for name, burst in {
            "settings": settings(id4=65535),
            "empty settings": settings(),
            "acknowledgements": frame(SETTINGS, ACK),
            "pings": frame(PING, 0, 0, b"12345678"),
            "answers to no ping": frame(PING, ACK, 0, b"12345678"),
            "priorities": frame(PRIORITY, 0, 1, bytes([0, 0, 0, 0, 16])),
            "unknown": frame(0xEE, 0, 0, b"x"),
        }.items():
            with self.subTest(frame=name):
                client = self.attacker()
                client.settle()
                cuts = self.cuts() + 1
                self.assert_cut(self.flood(client, lambda _, burst=burst: burst * 1000, 1000), cuts)
        self.account()

    def test_pings_without_reading_the_answers(self):
        client = self.attacker()
        client.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with contextlib.suppress(Closed, TimeoutError):
            client.connection.settimeout(2)
            while True:
                client.send(frame(PING, 0, 0, b"12345678") * 1000)
        self.assert_cut()
        self.account()

    def test_window_updates(self):
        client = self.attacker()
        client.settle()
        client.send(opened(1, CHAT))
        burst = frame(WINDOW_UPDATE, 0, 1, (1).to_bytes(4, "big")) * 1000
        self.assert_cut(self.flood(client, lambda _: burst, 1000))
        self.account()

    def test_empty_data(self):
        client = self.attacker()
        client.settle()
        client.send(opened(1, CHAT))
        self.assert_cut(self.flood(client, lambda _: frame(DATA, 0, 1) * 1000, 1000))
        self.account()


class Held(Attack):
    STREAMS = 1000

    def test_windows_held_at_zero(self):
        """1 000 calls whose answers of 1 MiB may not be sent: each stands still with one message."""
        client = self.attacker(settings(id4=0))
        client.settle()
        asked = b"\x0a" + bytes([0x80, 0x80, 0x01]) + bytes(16 * 1024) + b"\x10\x40"  # payload of 16 KiB, 64 times
        window = frame(WINDOW_UPDATE, 0, 0, (64 * MIB).to_bytes(4, "big"))
        for stream in range(1, 2 * self.STREAMS, 2):
            client.send(opened(stream, REPEAT))
            body = message(asked)
            client.send_data(stream, body[:16_000])
            client.send_data(stream, body[16_000:], END_STREAM)
        client.send(window)
        self.assertTrue(settles(lambda: self.count("calls") >= self.STREAMS), f"{self.count('calls')} calls")
        self.account()

    def test_a_reader_that_stops(self):
        """Calls whose answers nobody reads: what is written and not taken is bounded, and the client given up."""
        client = self.attacker(settings(id4=0x7FFFFFFF))
        client.settle()
        client.send(frame(WINDOW_UPDATE, 0, 0, (0x7FFFFFFF - 65_535).to_bytes(4, "big")))
        asked = message(b"\x0a" + bytes([0xB8, 0x17]) + bytes(3000) + b"\x10\xff\xff\x03")  # 3 000 bytes, 65 535 times
        for stream in range(1, 2 * 20, 2):
            client.send(opened(stream, REPEAT), frame(DATA, END_STREAM, stream, asked))
        self.assert_holds_little()
        timed_out = lambda: self.server.status()["connections"]["closed"]["timed_out"]  # noqa: E731
        self.assertTrue(settles(lambda: timed_out() > 0), "still open long after write_timeout")
        self.account()


if __name__ == "__main__":
    unittest.main()
