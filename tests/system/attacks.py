#!/usr/bin/env python3
"""What a peer may try, and a well-behaved client beside it that must not notice.

Each attack ends with the same account: the witness saw no error, the server holds the descriptors and
about the memory it held before. SWITCHYARD_SOAK=1 runs full size. With CONSUL_BINARY in the environment
the attacks are tried on a real Consul; those it does not withstand are marked.
"""

import contextlib
import resource
import select
import struct
import unittest

import consul
import wire
from process import settles
from server import SANITIZED, SOAK
from under_test import serve
from witness import Witness
from wire import DATA, PING, RPC, RST, SYN, WINDOW, Closed, Yamux, frame

KEPT = 2 * 1024  # KiB the server may hold afterwards that it did not hold before: code it ran first, the reactor's records
HELD = 24 * 1024  # KiB it may hold during an attack by one peer
CONSUL_FALLS = "Consul 1.8.7 does not withstand it"
HUGE = b"\xff\xff\xff\xff"
STREAMS, REQUEST, WRITE = 512, 1.0, 2.0  # max_streams, request_timeout and write_timeout here
PLUGINS = {
    "netrpc": {
        "library": "netrpc.so",
        "config": {
            "max_body_bytes": 1 << 20,
            "max_streams": STREAMS,
            "request_timeout": f"{REQUEST * 1000:.0f}ms",
            "write_timeout": f"{WRITE * 1000:.0f}ms",
        },
    }
}
SLACK = 10.0  # seconds a busy machine may add to a limit


def setUpModule():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Attack(unittest.TestCase):
    def setUp(self):
        limits = {"connections_per_client": 100, "handshake_timeout": "5s"}
        self.server = self.enterContext(serve(limits=limits, plugins=PLUGINS))
        with wire.dial(self.server.address) as connection:  # whatever is made at first use, is there
            Yamux(connection).ping()
        self.descriptors, self.memory = self.settled_descriptors(), self.server.memory()
        self.witness = Witness(self.server.address)
        self.addCleanup(self.witness.kill)
        self.attackers = contextlib.ExitStack()
        self.addCleanup(self.attackers.close)

    def settled_descriptors(self):
        """Once the connection of setUp is gone, a new one leads back to the same count."""
        counts = [-1]
        settles(lambda: counts.append(self.server.descriptors()) or counts[-1] == counts[-2])
        return counts[-1]

    def dial(self, source="127.0.0.66", first=b""):
        connection = self.attackers.enter_context(wire.dial(self.server.address, source))
        if first:
            wire.send(connection, first)
        return connection

    def account(self, kept=KEPT):
        """The end of an attack. Attackers hang up first."""
        self.attackers.close()
        seen = self.witness.end()
        self.assertEqual(seen["errors"], [])
        self.assertGreater(seen["calls"], 0)
        self.assertLess(seen["worst"], 10 if SANITIZED else 3)
        allowed = self.descriptors + (4 if consul.BINARY else 0)  # Consul calls itself now and then
        self.assertTrue(
            settles(lambda: self.server.descriptors() <= allowed),
            f"{self.server.descriptors()} descriptors, before {self.descriptors}",
        )
        self.assert_memory_came_back(kept)

    def assert_memory_came_back(self, kept=KEPT):
        if not SANITIZED and not consul.BINARY:
            self.assertTrue(
                settles(lambda: self.server.memory() <= self.memory + kept),
                f"{self.server.memory()} KiB, before {self.memory}",
            )

    def assert_holds_little(self, held=HELD):
        if not SANITIZED and not consul.BINARY:
            self.assertLess(self.server.memory() - self.memory, held, "KiB more than before")

    def push(self, connection, chunk, total):
        """Writes `chunk` again and again and never reads, until `total` bytes, the server's end or its pause."""
        connection.settimeout(1)
        written = 0
        with contextlib.suppress(TimeoutError, ConnectionResetError, BrokenPipeError):
            while written < total:
                connection.sendall(chunk)
                written += len(chunk)
        self.assert_holds_little()
        return written


class Connections(Attack):
    """Held by the handshake limit alone."""

    ADDRESSES, EACH = (100, 50) if SOAK or not SANITIZED else (20, 50)

    def test_silent_connections_of_many_addresses(self):
        """Of each the reactor keeps 176 bytes for a later one."""
        count = self.ADDRESSES * self.EACH
        for _ in range(2):
            self.hold(count)
            self.assert_holds_little(count * 3)
            self.assertTrue(settles(lambda: self.server.descriptors() < self.descriptors + 10), "not closed in time")
            self.attackers.close()
            self.assert_memory_came_back()
        self.account()

    def hold(self, count):
        for number in range(count):
            self.dial(f"127.0.1.{number % self.ADDRESSES + 1}")
        held = self.descriptors + count
        self.assertTrue(settles(lambda: self.server.descriptors() >= held, 5), "not all were accepted")

    def test_connections_of_one_address_beyond_its_limit(self):
        """300 from one: 100 are served, 200 closed without a byte."""
        waiting = [self.dial() for _ in range(300)]
        poll = select.poll()
        for connection in waiting:
            poll.register(connection, select.POLLIN)
        closed = set()
        while len(closed) < 200:
            events = poll.poll(wire.LIMIT * 1000)
            self.assertTrue(events, f"only {len(closed)} were closed")
            for number, _ in events:
                poll.unregister(number)
                closed.add(number)
        for connection in waiting:
            if connection.fileno() in closed:
                wire.seconds_until_closed(connection)
            else:
                wire.ping(connection, opening=bytes([RPC]))
        self.assertEqual(len(closed), 200)
        self.account()

    def test_connections_opened_and_reset(self):
        for number in range(5000 if SOAK else 1000):
            connection = wire.dial(self.server.address, "127.0.0.66")
            connection.setsockopt(wire.socket.SOL_SOCKET, wire.socket.SO_LINGER, struct.pack("ii", 1, 0))
            if number % 3:
                connection.send([b"\x04", b"\x03\x16\x03\x01"][number % 3 - 1])
            connection.close()
        self.account()


class Streams(Attack):
    """A yamux session of one peer."""

    COUNT = 10_000

    def flood(self, frames):
        """`frames(stream)` for COUNT streams, the session asked for a sign of life in between."""
        session = Yamux(self.dial())
        for first in range(1, 2 * self.COUNT, 200):
            session.send(*(frames(stream) for stream in range(first, first + 200, 2)))
            session.echo(first)
        session.next_stream = 2 * self.COUNT + 1
        session.ping()
        self.assert_holds_little()
        self.account(kept=512)

    @unittest.skipIf(consul.BINARY, CONSUL_FALLS)
    def test_streams_opened_and_reset(self):
        self.flood(lambda stream: wire.opening(stream) + frame(WINDOW, RST, stream, 0))

    @unittest.skipIf(consul.BINARY, CONSUL_FALLS)
    def test_streams_reset_in_the_middle_of_a_request(self):
        half = wire.request()[:17]
        self.flood(lambda stream: wire.opening(stream) + wire.data(stream, half) + frame(WINDOW, RST, stream, 0))

    @unittest.skipIf(consul.BINARY, CONSUL_FALLS)
    def test_streams_reset_before_their_answer(self):
        self.flood(lambda stream: wire.opening(stream) + wire.data(stream, wire.request()) + frame(WINDOW, RST, stream, 0))

    def test_more_streams_than_are_accepted(self):
        """Every one is accepted or reset, the number is bounded, and the session serves on."""
        session = Yamux(self.dial())
        first = session.ping()
        asked = range(first + 2, first + 2 + 2 * 2000, 2)
        for stream in asked:
            session.send(wire.opening(stream))
        session.send(frame(PING, SYN, 0, 1))
        accepted, reset = set(), set()
        while (got := session.read()).kind != PING:
            if got.flags & wire.ACK:
                accepted.add(got.stream)
            if got.flags & RST:
                reset.add(got.stream)
        self.assertGreater(len(reset), 0)
        self.assertEqual(accepted & reset, set())
        if not consul.BINARY:  # there an open stream without data blocks its session
            self.assertEqual((len(accepted), len(reset)), (STREAMS - 1, len(asked) - STREAMS + 1))
            session.ping(first)
        self.account()

    def test_ping_flood(self):
        session = Yamux(self.dial())
        for number in range(0, 100_000 if SOAK else 20_000, 100):
            session.send(*(frame(PING, SYN, 0, number + each) for each in range(100)))
            answers = [session.read() for _ in range(100)]
            self.assertEqual({(got.kind, got.flags) for got in answers}, {(PING, wire.ACK)})
            self.assertEqual({got.length for got in answers}, set(range(number, number + 100)))
        self.account()

    def test_ping_flood_without_reading(self):
        connection = self.dial(first=b"\x04")
        self.push(connection, frame(PING, SYN, 0, 7) * 1000, 64 << 20 if SOAK else 16 << 20)
        self.account()

    def test_data_beyond_the_window_ends_the_session(self):
        """Answers find no window, so requests are not read any more, and one frame is too long."""
        session = Yamux(self.dial())
        stream = session.open()
        with self.assertRaises(Closed):
            for _ in range(1000):
                session.send(wire.data(stream, wire.request() * 1000))
            wire.read_to_end(session.connection)
            raise Closed
        self.assert_holds_little()
        self.account()


class Requests(Attack):
    """net/rpc of one peer, over tag 0 and over a stream."""

    def test_lengths_of_four_gigabytes(self):
        """5 bytes behind each; closed at once, whatever it is the length of."""
        header = wire.request(body=b"")
        for name, head in {
            "method": b"\x82" + wire.text("Seq") + b"\x01" + wire.text("ServiceMethod") + b"\xdb" + HUGE,
            "method, bin": b"\x82" + wire.text("Seq") + b"\x01" + wire.text("ServiceMethod") + b"\xc6" + HUGE,
            "key": b"\x82\xdb" + HUGE,
            "unknown key's value": b"\x83" + wire.text("Sea") + b"\xdb" + HUGE,
            "header as map": b"\xdf" + HUGE,
            "header as array": b"\xdd" + HUGE,
            "body, string": header + b"\xdb" + HUGE,
            "body, bin": header + b"\xc6" + HUGE,
            "body, ext": header + b"\xc9" + HUGE + b"\x01",
            "body, array": header + b"\xdd" + HUGE,
            "body, map": header + b"\xdf" + HUGE,
            "body, string in a map": header + b"\x81" + wire.text("Key") + b"\xdb" + HUGE,
        }.items():
            with self.subTest(length=name):
                connection = self.dial(first=bytes([RPC]) + head + b"\xa0" * 5)
                session = Yamux(self.dial())
                session.open(head + b"\xa0" * 5)
                self.assert_holds_little()
                if not consul.BINARY:
                    wire.read_to_end(connection)
                    session.echo(1)
                connection.close()
                session.connection.close()
        self.account()

    def assert_given_up(self, connection, limit):
        """The server ends the connection by itself. Nothing is read meanwhile: its end is an event of poll."""
        hangup = select.poll()
        hangup.register(connection, select.POLLRDHUP)
        self.assertTrue(hangup.poll((limit + SLACK) * 1000), f"still open {limit} s after its limit")

    @unittest.skipIf(consul.BINARY, "Consul 1.8.7 waits for ever")
    def test_half_a_request_is_not_waited_for(self):
        for part in (1, 17, len(wire.request()) - 1):
            with self.subTest(part=part):
                connection = self.dial(first=bytes([RPC]) + wire.request()[:part])
                wire.seconds_until_closed(connection)
        session = Yamux(self.dial())
        kept, half = session.ping(), session.open(wire.request()[:17])
        while (got := session.read()).stream != half or not got.flags & (wire.FIN | RST):
            pass
        session.ping(kept)
        self.account()

    @unittest.skipIf(consul.BINARY, "Consul 1.8.7 waits for ever")
    def test_a_request_byte_by_byte_gains_no_time(self):
        slow = wire.request(method="Status." + "P" * 300)
        connection = self.dial(first=bytes([RPC]))
        for byte in slow:
            if select.select([connection], [], [], REQUEST / 50)[0]:
                break
            wire.send(connection, bytes([byte]))
        else:
            self.fail("the whole request was waited for")
        self.assertEqual(wire.read_to_end(connection), b"")
        self.account()

    @unittest.skipIf(consul.BINARY, "Consul 1.8.7 waits for ever")
    def test_a_peer_that_reads_nothing_is_given_up(self):
        connection = self.dial(first=bytes([RPC]))
        self.push(connection, wire.request() * 1000, 64 << 20)
        self.assert_given_up(connection, WRITE)
        self.account()

    def test_nesting_without_end(self):
        deep = wire.request(body=b"\x91" * 100_000)
        connection = self.dial(first=bytes([RPC]) + deep)
        if not consul.BINARY:
            wire.read_to_end(connection)
        session = Yamux(self.dial())
        session.open(deep)
        session.echo(1)
        self.account()

    @unittest.skipIf(consul.BINARY, "Consul 1.8.7 has no such limit")
    def test_a_header_beyond_512_bytes_is_closed(self):
        for size in (512, 65536, 10 << 20):
            asked = wire.request(method="S" * min(size, 60000)) + b"\x80" * max(0, size - 60000)
            connection = self.dial()
            with contextlib.suppress(Closed):
                wire.send(connection, bytes([RPC]) + asked)
            wire.seconds_until_closed(connection)
        session = Yamux(self.dial())
        kept = session.ping()
        session.open(wire.request(method="S" * 600))
        session.ping(kept)
        self.account()

    def test_requests_without_reading_answers(self):
        connection = self.dial(first=bytes([RPC]))
        total = 64 << 20 if SOAK else 16 << 20
        self.assertLess(self.push(connection, wire.request() * 1000, total), total, "nothing held the peer back")
        self.account()

    def test_requests_without_reading_answers_on_a_stream(self):
        """No window is granted: at most one of answers is held, and one of requests."""
        session = Yamux(self.dial())
        stream = session.open()
        self.push(session.connection, wire.data(stream, wire.request() * 100), 16 << 20)
        self.account()

    def test_requests_without_reading_answers_on_many_streams(self):
        session = Yamux(self.dial())
        streams = [session.open() for _ in range(100)]
        burst = b"".join(wire.data(stream, wire.request() * 10) for stream in streams)
        self.push(session.connection, burst, 16 << 20)
        self.account()


if __name__ == "__main__":
    unittest.main()
