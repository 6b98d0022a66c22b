#!/usr/bin/env python3
"""A listener with `tls = true`: one protocol, inside TLS from the first byte on, with or without ALPN."""

import pathlib
import ssl
import tempfile
import unittest

import wire
from certificates import Authority, client_context
from process import settles
from server import Server
from tls_table import client_hello
from wire import Closed, Refused

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
TIMEOUT = 0.3  # handshake_timeout of the server
SLACK = 5.0  # what a busy machine may add
LISTENERS = {
    "anyone": {"protocol": "echo", "tls": True},
    "known": {"protocol": "echo", "tls": True, "verify_incoming": True},
    "descriptor": {"protocol": "echo.descriptor", "tls": True},
    "clear": {"protocol": "echo"},
    "server": {},
}


def setUpModule():
    global scratch, authority, tls, client, server
    scratch = tempfile.TemporaryDirectory(prefix="sy-tls-listener-")
    authority = Authority(pathlib.Path(scratch.name) / "ca")
    certificate, key = authority.issue("server")
    tls = {"ca": authority.certificate, "certificate": certificate, "key": key}
    client = authority.issue("client")
    listeners = [{"name": name, "address": "127.0.0.1:0", **settings} for name, settings in LISTENERS.items()]
    limits = {"handshake_timeout": f"{TIMEOUT * 1000:.0f}ms", "connections_per_client": 3}
    server = Server(tls=tls, limits=limits, listeners=listeners, plugins={"echo": {"library": "echo.so"}})


def tearDownModule():
    server.stop()
    scratch.cleanup()


class TlsListener(unittest.TestCase):
    def setUp(self):
        # Each test leaves what it opened to be closed; the next one is not to run into the limit of its address.
        self.assertTrue(settles(lambda: server.status()["connections"]["open"] == 0))
        self.before = server.status()["connections"]["closed"]

    def dial(self, listener="anyone"):
        connection = wire.dial(server.addresses[listener])
        self.addCleanup(connection.close)
        return connection

    def encrypt(self, listener="anyone", identity=None, alpn=(), version=None):
        connection = wire.handshake(self.dial(listener), client_context(authority, identity, alpn, version), tag=None)
        self.addCleanup(connection.close)
        return connection

    def assert_echoes(self, connection):
        wire.call(connection, b"hello", b"hello")

    def assert_counted(self, **reasons):
        def counted():
            closed = server.status()["connections"]["closed"]
            return {reason: closed[reason] - self.before[reason] for reason in reasons} == reasons

        self.assertTrue(settles(counted), f"{self.before}\n{server.status()['connections']}")

    def test_a_client_without_alpn_is_served(self):
        for listener in ("anyone", "descriptor"):
            for version in VERSIONS:
                with self.subTest(listener=listener, version=version.name):
                    with self.encrypt(listener, version=version) as connection:
                        self.assertIsNone(connection.selected_alpn_protocol())
                        self.assert_echoes(connection)

    def test_the_names_of_the_manifest_are_agreed_on(self):
        for offered, agreed in (
            (("echo",), "echo"),
            (("switchyard/echo",), "switchyard/echo"),
            (("switchyard/echo", "h2", "echo"), "echo"),
        ):
            for version in VERSIONS:
                with self.subTest(offered=offered, version=version.name):
                    with self.encrypt(alpn=offered, version=version) as connection:
                        self.assertEqual(connection.selected_alpn_protocol(), agreed)
                        self.assert_echoes(connection)

    def test_other_names_are_refused(self):
        with self.assertRaisesRegex(Refused, "(?i)no.application.protocol"):
            self.encrypt(alpn=("h2", "http/1.1"))
        self.assert_counted(tls_failed=1)

    def test_a_name_of_a_listener_leads_nowhere_else(self):
        with self.assertRaisesRegex(Refused, "(?i)no.application.protocol"):
            self.encrypt("server", identity=client, alpn=("echo",))
        with self.encrypt("server", identity=client, alpn=("switchyard/echo",)) as connection:
            self.assert_echoes(connection)

    def test_a_certificate_is_wanted_where_the_listener_says_so(self):
        for version in VERSIONS:
            with self.subTest(version=version.name):
                with self.assertRaises((Refused, Closed)):
                    self.assert_echoes(self.encrypt("known", version=version))
                with self.encrypt("known", client, version=version) as connection:
                    self.assert_echoes(connection)
        self.assert_counted(tls_failed=len(VERSIONS))

    def test_clear_bytes_are_closed_without_a_reply(self):
        for first in (b"\x0e", b"\x03" + client_hello(client_context(authority)), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\0"):
            with self.subTest(first=first[:16]):
                connection = self.dial()
                wire.send(connection, first)
                wire.seconds_until_closed(connection)
        self.assert_counted(tls_required=4)

    def test_what_only_begins_like_tls_is_closed_without_a_reply(self):
        connection = self.dial()
        wire.send(connection, b"\x16" + b"x" * 64)
        wire.seconds_until_closed(connection)
        self.assert_counted(unknown_protocol=1)

    def test_who_leaves_without_a_byte_is_no_failed_handshake(self):
        self.dial().close()
        self.assert_counted(opening_aborted=1, tls_failed=0)

    def test_one_deadline_covers_the_handshake(self):
        hello = client_hello(client_context(authority))
        begin = wire.time.monotonic()
        for first in (b"", hello[:1], hello[:-1]):
            with self.subTest(bytes=len(first)):
                connection = self.dial()
                wire.send(connection, first)
                wire.seconds_until_closed(connection)
                self.assertLess(wire.time.monotonic() - begin, 3 * (TIMEOUT + SLACK))
        self.assertGreater(wire.time.monotonic() - begin, 3 * TIMEOUT * 0.8)
        self.assert_counted(opening_timeout=3)

    def test_the_limit_of_an_address_holds(self):
        for _ in range(3):
            self.assert_echoes(self.encrypt())
        wire.seconds_until_closed(self.dial())
        self.assert_counted(client_limit=1)

    def test_the_clear_listener_beside_it_stays_clear(self):
        self.assert_echoes(self.dial("clear"))

    def test_status_says_which_listener_is_tls(self):
        said = {listener["name"]: listener["tls"] for listener in server.status()["listeners"]}
        self.assertEqual(said, {name: settings.get("tls", False) for name, settings in LISTENERS.items()})


if __name__ == "__main__":
    unittest.main()
