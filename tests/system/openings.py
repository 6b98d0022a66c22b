#!/usr/bin/env python3
"""From accept until the protocol is known: one time limit over all of it, and a limit an address.

With CONSUL_BINARY in the environment the same is asked of a real Consul.
"""

import pathlib
import select
import tempfile
import unittest

import consul
import wire
from certificates import Authority, client_context
from process import settles
from tls_table import client_hello
from under_test import serve
from wire import INSECURE, RPC, TLS, Closed, Refused

TIMEOUT = 0.3  # handshake_timeout of these servers
SLACK = 5.0  # what a busy machine may add
# Consul begins anew for the byte inside TLS, and has no limit on the handshake after 07.
REARMED, WITH_TLS = (2, (TLS,)) if consul.BINARY else (1, (TLS, INSECURE))


def setUpModule():
    global scratch, authority, tls
    scratch = tempfile.TemporaryDirectory(prefix="sy-openings-")
    authority = Authority(pathlib.Path(scratch.name) / "ca")
    certificate, key = authority.issue("server")
    tls = {"ca": authority.certificate, "certificate": certificate, "key": key}


def tearDownModule():
    scratch.cleanup()


class Deadline(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        limits = {"handshake_timeout": f"{TIMEOUT * 1000:.0f}ms", "connections_per_client": 0}
        cls.server = cls.enterClassContext(serve(tls=tls, limits=limits))

    def dial(self, first=b""):
        connection = wire.dial(self.server.address)
        self.addCleanup(connection.close)
        if first:
            wire.send(connection, first)
        return connection

    def encrypt(self, connection):
        connection = wire.handshake(connection, client_context(authority))
        self.addCleanup(connection.close)
        return connection

    def assert_closed_in_time(self, **openings):
        """All at once: no sooner than the limit, as nothing wrong was sent, and not much later."""
        begin = wire.time.monotonic()
        for name, connection in {name: self.dial(first) for name, first in openings.items()}.items():
            with self.subTest(opening=name):
                wire.seconds_until_closed(connection)
                took = wire.time.monotonic() - begin
                self.assertGreater(took, TIMEOUT * 0.8)
                self.assertLess(took, TIMEOUT * REARMED + SLACK)

    def test_a_silent_connection_is_closed(self):
        self.assert_closed_in_time(silent=b"")

    def test_silence_instead_of_a_handshake_is_closed(self):
        self.assert_closed_in_time(**{f"tag {tag}": bytes([tag]) for tag in WITH_TLS})

    def test_silence_in_the_middle_of_a_client_hello_is_closed(self):
        hello = client_hello(client_context(authority, alpn=("consul/rpc-multi",)))
        cuts = (1, 5, 6, len(hello) // 2, len(hello) - 1)
        self.assert_closed_in_time(**{f"tag {tag}, {cut} bytes": bytes([tag]) + hello[:cut] for tag in WITH_TLS for cut in cuts})
        self.assert_closed_in_time(**{f"{cut} bytes": hello[:cut] for cut in cuts})

    def test_a_client_hello_byte_by_byte_gains_no_time(self):
        """Each byte comes in time; the whole does not."""
        hello = client_hello(client_context(authority))
        for first in (bytes([TLS]), b""):
            with self.subTest(first=first):
                connection = self.dial(first)
                begin = wire.time.monotonic()
                for byte in hello:
                    if select.select([connection], [], [], TIMEOUT / 5)[0]:
                        break
                    wire.send(connection, bytes([byte]))
                else:
                    self.fail("the whole ClientHello was waited for")
                self.assertEqual(wire.read_to_end(connection), b"")
                self.assertLess(wire.time.monotonic() - begin, TIMEOUT * REARMED + SLACK)

    def test_many_that_never_pause_gain_no_time(self):
        """Whenever the deadline passes, a byte of some of them has just come."""
        hello = b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc"  # of 16 KiB
        open_ones = {self.dial(bytes([TLS]) + hello) for _ in range(300)}
        end = wire.time.monotonic() + TIMEOUT * REARMED + SLACK
        while open_ones and wire.time.monotonic() < end:
            for connection in list(open_ones):
                try:
                    connection.send(b"\0")
                except (ConnectionResetError, BrokenPipeError):
                    open_ones.discard(connection)
            if wire.time.monotonic() < end - SLACK:
                select.select([], [], [], 0.001)
        self.assertEqual(len(open_ones), 0, "still open long after the limit")

    def test_silence_instead_of_the_byte_inside_tls_is_closed(self):
        connection = self.encrypt(self.dial())
        took = wire.seconds_until_closed(connection)
        self.assertLess(took, TIMEOUT * REARMED + SLACK)

    def test_a_known_protocol_may_be_silent_forever(self):
        """Longer than the limit without a byte in either direction, then served."""
        clear, multiplexed = self.dial(), wire.Yamux(self.dial())
        wire.ping(clear, opening=bytes([RPC]))
        stream = multiplexed.ping()
        tagged = self.dial(bytes([RPC]))
        encrypted = self.encrypt(self.dial())
        wire.send(encrypted, bytes([RPC]))
        silent = [clear, multiplexed.connection, tagged]
        self.assertEqual(select.select(silent, [], [], TIMEOUT * 4)[0], [], "closed while idle")
        wire.ping(clear)
        multiplexed.ping(stream)
        wire.ping(tagged)
        wire.ping(encrypted)


class LimitOfAnAddress(unittest.TestCase):
    ALLOWED = 3

    def setUp(self):
        limits = {"connections_per_client": self.ALLOWED, "handshake_timeout": f"{TIMEOUT * 1000:.0f}ms"}
        self.server = self.enterContext(serve(tls=tls, limits=limits))

    def open(self, source="127.0.0.2", opening=bytes([RPC])):
        """An established connection, that is: one that was pinged; None where it was closed at once."""
        connection = wire.dial(self.server.address, source)
        self.addCleanup(connection.close)
        try:
            wire.ping(connection, opening=opening)
        except Closed:
            return None
        return connection

    def fill(self):
        held = [self.open() for _ in range(self.ALLOWED)]
        self.assertNotIn(None, held)
        return held

    def assert_slots_come_back(self):
        """All of them can be taken once more; they are given back again at the end."""
        held = []

        def filled():
            connection = self.open()
            if connection:
                held.append(connection)
            return len(held) == self.ALLOWED

        self.assertTrue(settles(filled), f"{len(held)} of {self.ALLOWED} came back")
        for connection in held:
            connection.close()

    def test_one_more_is_closed_without_a_byte(self):
        self.fill()
        for _ in range(5):
            with wire.dial(self.server.address, "127.0.0.2") as connection:
                wire.seconds_until_closed(connection)

    def test_other_addresses_are_not_concerned(self):
        self.fill()
        self.assertIsNotNone(self.open("127.0.0.3"))

    def test_a_closed_connection_gives_its_slot_back(self):
        for connection in self.fill():
            connection.close()
        self.assert_slots_come_back()

    def test_a_reset_connection_gives_its_slot_back(self):
        for connection in self.fill():
            connection.setsockopt(wire.socket.SOL_SOCKET, wire.socket.SO_LINGER, wire.struct.pack("ii", 1, 0))
            connection.close()
        self.assert_slots_come_back()

    def test_an_opening_that_fails_gives_its_slot_back(self):
        cut = [bytes([tag]) + b"\x16\x03" for tag in WITH_TLS]
        for first in (b"", b"\xff", b"\x03", b"\x03\x16\x03\x01\xff\xff" + b"x" * 64, *cut):
            with self.subTest(first=first):
                self.assert_slots_come_back()
                for connection in [wire.dial(self.server.address, "127.0.0.2") for _ in range(self.ALLOWED)]:
                    wire.send(connection, first)
                    wire.read_to_end(connection)
                    connection.close()
                self.assert_slots_come_back()

    def test_a_refused_certificate_gives_its_slot_back(self):
        stranger = Authority(pathlib.Path(scratch.name) / "stranger").issue("stranger")
        context = client_context(authority, stranger, ("consul/rpc-multi",))
        for _ in range(self.ALLOWED * 2):
            connection = wire.dial(self.server.address, "127.0.0.2")
            with self.assertRaises((Refused, Closed)), wire.handshake(connection, context, tag=None) as encrypted:
                wire.ping(encrypted)
        self.assert_slots_come_back()


if __name__ == "__main__":
    unittest.main()
