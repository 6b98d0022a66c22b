#!/usr/bin/env python3
"""`switchyard proxy`: what it says to a server port, what it carries, and how it says that it cannot.

In clear text the server is a socket of this file; TLS is spoken with the real one, its echo plugin standing in for gRPC.
"""

import json
import pathlib
import re
import select
import signal
import socket
import tempfile
import unittest

import wire
from certificates import Authority
from process import Process, settles
from server import BINARY, SANITIZED, Server, command
from wire import GRPC, LIMIT

# What the proxy asks of its target before it opens the port: tag 8, HTTP/2's client preface, empty SETTINGS.
TAG = bytes([GRPC])
GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
ECHO = {"echo": {"library": "echo.so", "route": [{"protocol": "echo", "tag": GRPC, "alpn": "consul/rpc-grpc"}]}}


class Behind:
    """A server port that does what the test does with each connection."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.settimeout(LIMIT)
        self.target = "%s:%d" % self.socket.getsockname()

    def accept(self):
        connection, _ = self.socket.accept()
        connection.settimeout(LIMIT)
        return connection

    def be_tried(self):
        """What the proxy does once at its start."""
        with self.accept() as connection:
            asked = wire.read_exactly(connection, 1 + len(GREETING))
            connection.sendall(b"\0")
            return asked, connection.recv(1)


class Proxy(Process):
    """`switchyard proxy`; `address` is there after open()."""

    def __init__(self, *words, output=("--json",)):
        super().__init__([BINARY, "proxy", *output, *words])

    def open(self):
        self.said = json.loads(self.wait_for_line(r'^\{"address":.*\}$')[0])
        ip, _, port = self.said["address"].rpartition(":")
        self.address = (ip, int(port))
        return self

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            return self.stop()
        self.kill()
        print(f"--- log of the proxy\n{self.log}")


class Clear(unittest.TestCase):
    OPTIONS = ()

    def setUp(self):
        self.behind = Behind()
        self.addCleanup(self.behind.socket.close)
        self.proxy = self.enterContext(Proxy(self.behind.target, *self.OPTIONS))
        self.tried = self.behind.be_tried()
        self.proxy.open()

    def pair(self):
        """A connection to the proxy and the one that it makes of it; tag 8 has been read."""
        client = self.enterContext(wire.dial(self.proxy.address))
        server = self.enterContext(self.behind.accept())
        self.assertEqual(wire.read_exactly(server, 1), TAG)
        return client, server


class Carries(Clear):
    def test_the_server_is_greeted_once_at_the_start(self):
        self.assertEqual(self.tried, (TAG + GREETING, b""))
        self.assertEqual(self.proxy.said["target"], self.behind.target)

    def test_bytes_both_ways_behind_the_tag(self):
        for number in range(3):
            client, server = self.pair()
            for ask, answer in ((b"ping", b"pong"), (bytes(range(256)) * 999, b"done")):
                client.sendall(ask)
                self.assertEqual(wire.read_exactly(server, len(ask)), ask)
                server.sendall(answer)
                self.assertEqual(wire.read_exactly(client, len(answer)), answer)

    def test_a_server_that_speaks_first(self):
        client, server = self.pair()
        server.sendall(b"hello")
        self.assertEqual(wire.read_exactly(client, 5), b"hello")

    def test_what_a_client_has_said_before_the_server_is_reached(self):
        with wire.dial(self.proxy.address) as client:
            client.sendall(b"early")
            with self.behind.accept() as server:
                self.assertEqual(wire.read_exactly(server, 6), TAG + b"early")

    def test_a_half_close_of_either_side(self):
        client, server = self.pair()
        client.sendall(b"all")
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(wire.read_to_end(server), b"all")
        server.sendall(b"of it")
        server.close()
        self.assertEqual(wire.read_to_end(client), b"of it")

        client, server = self.pair()
        server.sendall(b"last")
        server.shutdown(socket.SHUT_WR)
        self.assertEqual(wire.read_to_end(client), b"last")
        client.sendall(b"word")
        client.close()
        self.assertEqual(wire.read_to_end(server), b"word")

    def test_a_server_that_is_gone_ends_the_connection(self):
        client, server = self.pair()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, wire.struct.pack("ii", 1, 0))
        server.close()
        self.assertEqual(wire.read_to_end(client), b"")

    def test_who_does_not_read_holds_the_other_back(self):
        before = self.proxy.memory()
        for source, sink in (self.pair(), reversed(self.pair())):
            source.settimeout(1)
            sent = 0
            with self.assertRaises(TimeoutError):
                while sent < 256 << 20:
                    sent += source.send(bytes(1 << 16))
            if not SANITIZED:
                self.assertLess(self.proxy.memory() - before, 4096, "KiB more than before")
            source.shutdown(socket.SHUT_WR)
            self.assertEqual(len(wire.read_to_end(sink)), sent)

    def test_a_server_that_cannot_be_reached_any_more(self):
        self.behind.socket.close()
        with wire.dial(self.proxy.address) as client:
            wire.seconds_until_closed(client)
        self.proxy.wait_for_line(f"cannot connect to {self.behind.target}: Connection refused")

    def test_signals_end_it_with_what_it_has(self):
        client, server = self.pair()
        self.proxy.signal(signal.SIGINT)
        self.assertEqual((wire.read_to_end(client), wire.read_to_end(server)), (b"", b""))
        self.assertEqual(self.proxy.wait(), 0)


class Limited(Clear):
    OPTIONS = ("--connections", 2)

    def test_no_more_connections_than_asked_for(self):
        first, behind = self.pair()
        self.pair()
        with wire.dial(self.proxy.address) as third:
            wire.seconds_until_closed(third)
        first.close()
        behind.close()
        self.assertTrue(settles(self.may_talk), "its place did not come back")

    def may_talk(self):
        with wire.dial(self.proxy.address) as client:
            if client in select.select([client, self.behind.socket], [], [], LIMIT)[0]:
                return False
            with self.behind.accept() as server:
                return wire.read_exactly(server, 1) == TAG


class Human(unittest.TestCase):
    def test_it_prints_the_address_to_use(self):
        behind = Behind()
        self.addCleanup(behind.socket.close)
        with Proxy(behind.target, "--listen", "[::1]:0", output=()) as proxy:
            behind.be_tried()
            url = proxy.wait_for_line(rf"^(http://\S+) is the internal gRPC of {behind.target} ")[1]
            address = re.fullmatch(r"http://\[::1\]:([0-9]+)", url)
            wire.dial(("::1", int(address[1]))).close()


class Refuses(unittest.TestCase):
    def expect(self, sentence, *words, code=1):
        self.assertIn(sentence, command("proxy", *words, expected=code))

    def test_a_target_that_is_none(self):
        for target in ("8300", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", ":8300", "[::1:8300", "a b:1"):
            self.expect(f'takes ip:port, [ip]:port or name:port, not "{target}"', target, code=2)

    def test_a_port_for_everybody(self):
        for address in ("0.0.0.0:0", "[::]:0", "localhost:0"):
            self.expect("takes ip:port of this machine alone", "127.0.0.1:1", "--listen", address, code=2)

    def test_options_of_tls_without_tls(self):
        for option in ("--ca", "--server-name"):
            self.expect("requires --tls or --tag-tls", "127.0.0.1:1", option, "x", code=2)
        self.expect("--tls requires --ca", "127.0.0.1:1", "--tls", code=2)
        self.expect("--cert requires --key", "127.0.0.1:1", "--tls", "--ca", "x", "--cert", "x", code=2)

    def test_a_target_that_nobody_is_at(self):
        behind = Behind()
        behind.socket.close()
        self.expect(f"cannot connect to {behind.target}: Connection refused", behind.target)

    def test_a_port_that_is_taken(self):
        behind, taken = Behind(), Behind()
        self.addCleanup(behind.socket.close)
        self.addCleanup(taken.socket.close)
        proxy = Proxy(behind.target, "--listen", taken.target)
        behind.be_tried()
        self.assertEqual(proxy.wait(), 1)
        self.assertIn(f"cannot listen on {taken.target}: Address already in use", proxy.log)

    def test_a_server_that_says_nothing(self):
        behind = Behind()
        self.addCleanup(behind.socket.close)
        self.expect(f"{behind.target} does not answer", behind.target, "--dial-timeout", "100ms")

    def test_a_server_port_without_grpc(self):
        with Server(plugins={}) as server:
            target = "%s:%d" % server.address
            self.expect(f"{target} closes the connection without a word of gRPC", target)


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="sy-proxy-")
        cls.addClassCleanup(scratch.cleanup)
        directory = pathlib.Path(scratch.name)
        cls.authority, cls.stranger = Authority(directory / "ours"), Authority(directory / "theirs", "someone else")
        certificate, key = cls.authority.issue("server")
        tls = {"ca": cls.authority.certificate, "certificate": certificate, "key": key, "verify_incoming": True}
        cls.server = cls.enterClassContext(Server(tls=tls, plugins=ECHO))
        cls.target = "%s:%d" % cls.server.address
        cls.ca = ("--ca", cls.authority.certificate)
        cls.identity = cls.shown(cls.authority.issue("client"))

    @staticmethod
    def shown(pair):
        return ("--cert", pair[0], "--key", pair[1])

    def expect(self, sentence, *words):
        self.assertIn(sentence, command("proxy", self.target, *words, expected=1))

    def test_both_ways_in(self):
        for way in ("--tls", "--tag-tls"):
            for name in ((), ("--server-name", "server.dc1.consul")):
                with self.subTest(way=way, name=name), Proxy(self.target, way, *self.ca, *self.identity, *name) as proxy:
                    proxy.open()
                    for asked in (b"hello", bytes(range(256)) * 4096):
                        with wire.dial(proxy.address) as client:
                            client.sendall(asked)
                            client.shutdown(socket.SHUT_WR)
                            self.assertEqual(wire.read_to_end(client), asked)

    def test_a_certificate_that_is_not_trusted(self):
        for way in ("--tls", "--tag-tls"):
            self.expect(
                f"TLS handshake with {self.target} failed: self-signed certificate in certificate chain",
                way, "--ca", self.stranger.certificate, *self.identity,
            )  # fmt: skip

    def test_another_name_in_the_certificate(self):
        self.expect("failed: hostname mismatch", "--tls", *self.ca, *self.identity, "--server-name", "server.dc2.consul")

    def test_a_certificate_that_the_server_does_not_take(self):
        for way in ("--tls", "--tag-tls"):
            self.expect("alert unknown ca", way, *self.ca, *self.shown(self.stranger.issue(f"client{way}")))

    def test_no_certificate_where_one_is_wanted(self):
        self.expect("alert certificate required", "--tag-tls", *self.ca)

    def test_clear_text_where_tls_is_wanted(self):
        self.expect("only in TLS (--tls, --tag-tls)")

    def test_files_that_cannot_be_read(self):
        self.expect("cannot use none.pem: No such file or directory", "--tag-tls", "--ca", "none.pem")


if __name__ == "__main__":
    unittest.main()
