"""The echo plugin, built outside of the tree against an installed SDK, in the real server: as a stream and as a
descriptor, in the clear, behind the TLS byte and by ALPN name."""

import os
import pathlib
import select
import ssl
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))

import outside_build
import server
import wire
from certificates import Authority, client_context

STREAM, DESCRIPTOR = 14, 15
ALPN = {STREAM: "switchyard/echo", DESCRIPTOR: "switchyard/echo-descriptor"}
BULK = bytes(range(256)) * 4096 * 4  # 4 MiB


def setUpModule():
    global scratch, plugin, authority, tls
    scratch = tempfile.TemporaryDirectory(prefix="sy-outside-")
    directory = pathlib.Path(scratch.name)
    plugin = outside_build.build_with_cmake(outside_build.install(os.environ["SWITCHYARD_BUILD"], directory), directory, "cc")
    authority = Authority(directory / "authority")
    certificate, key = authority.issue("server")
    tls = {"ca": authority.certificate, "certificate": certificate, "key": key}


def tearDownModule():
    scratch.cleanup()


def exchanged(connection, sent):
    """What comes back while `sent` is written. One thread: a TLS object serves no two at a time."""
    connection.setblocking(False)
    received, at = bytearray(), 0
    while len(received) < len(sent):
        moved = False
        try:
            if at < len(sent):
                at += connection.send(sent[at:at + 65536])
                moved = True
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        try:
            more = connection.recv(65536)
            if not more:
                raise wire.Closed(f"end after {len(received)} of {len(sent)} bytes")
            received += more
            moved = True
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        if not moved and not any(select.select([connection], [connection] if at < len(sent) else [], [], wire.LIMIT)):
            raise TimeoutError(f"nothing after {len(received)} of {len(sent)} bytes")
    return bytes(received)


class Echo:
    """One server for the cases of one kind of wire; `opened(protocol)` gives a routed connection."""

    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.server = server.Server(plugins={"echo": {"library": str(plugin)} | cls.settings}, tls=tls)

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__(None, None, None)  # drains; fails unless it ends well

    def each(self):
        for protocol in (STREAM, DESCRIPTOR):
            with self.subTest(protocol=protocol):
                connection = self.opened(protocol)
                try:
                    yield connection
                finally:
                    connection.close()

    def dial(self):
        return wire.dial(self.server.address)

    def test_answers_with_what_it_is_sent(self):
        for connection in self.each():
            for said in (b"hello", b"again"):
                wire.send(connection, said)
                self.assertEqual(wire.read_exactly(connection, len(said)), said)

    def test_answers_while_more_is_sent(self):
        for connection in self.each():
            self.assertTrue(exchanged(connection, BULK) == BULK)  # not Equal: it would print both


class Clear(Echo, unittest.TestCase):
    def opened(self, protocol):
        connection = self.dial()
        wire.send(connection, bytes([protocol]))
        return connection

    def test_ends_when_the_peer_has_finished(self):
        for connection in self.each():
            wire.send(connection, BULK[:1000])
            connection.shutdown(wire.socket.SHUT_WR)
            self.assertEqual(wire.read_to_end(connection), BULK[:1000])


class TlsByte(Echo, unittest.TestCase):
    def opened(self, protocol):
        connection = wire.handshake(self.dial(), client_context(authority), wire.TLS)
        wire.send(connection, bytes([protocol]))
        return connection


class AlpnName(Echo, unittest.TestCase):
    def opened(self, protocol):
        context = client_context(authority, authority.issue(f"client{protocol}"), [ALPN[protocol]])
        return wire.handshake(self.dial(), context, None)


class Greeting(Echo, unittest.TestCase):
    settings = {"config": {"greeting": "hello\n"}}
    opened = Clear.opened
    test_answers_while_more_is_sent = None

    def test_answers_with_what_it_is_sent(self):
        for connection in self.each():
            wire.send(connection, b"anything")
            self.assertEqual(wire.read_exactly(connection, 6), b"hello\n")
            wire.send(connection, b"more")
            self.assertEqual(wire.read_exactly(connection, 4), b"more")


if __name__ == "__main__":
    unittest.main()
