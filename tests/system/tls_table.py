#!/usr/bin/env python3
"""Who may speak what to a server, with every first byte, certificate and ALPN name, and the rules around it.

With CONSUL_BINARY in the environment the same table is held against a real Consul.
"""

import pathlib
import ssl
import tempfile
import unittest
import warnings

import consul
import wire
from certificates import LONG_AGO, Authority, client_context
from under_test import serve
from wire import FORWARDING, GRPC, INSECURE, RAFT, RPC, SNAPSHOT, TLS, YAMUX, Closed, Refused

VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
UNROUTED = (0x02, 0x06, GRPC, FORWARDING, 0x0A, 0x13, 0x14, 0x17, 0x47, 0xFF)
ROUTED = (RPC, YAMUX) if consul.BINARY else (RPC, RAFT, YAMUX, SNAPSHOT)

# Plugins for what the table names and netrpc does not speak: echo stands in, as a stream and as a descriptor.
PLUGINS = {
    "netrpc": {"library": "netrpc.so"},
    "echo": {
        "library": "echo.so",
        "route": [
            {"protocol": "echo", "tag": RAFT, "alpn": "consul/raft"},
            {"protocol": "echo.descriptor", "tag": SNAPSHOT, "alpn": "consul/rpc-snapshot"},
        ],
    },
}


def setUpModule():
    global scratch, ours, theirs, server, renewed, identities
    scratch = tempfile.TemporaryDirectory(prefix="sy-tls-")
    directory = pathlib.Path(scratch.name)
    ours, theirs = Authority(directory / "ours"), Authority(directory / "theirs", name="someone else")
    certificate, key = ours.issue("server")
    server = {"ca": ours.certificate, "certificate": certificate, "key": key}
    identities = {
        "none": None,
        "good": ours.issue("client"),
        "expired": ours.issue("expired", valid=LONG_AGO),
        "not yet valid": ours.issue("future", valid=("20900101000000Z", "20910101000000Z")),
        "wrong CA": theirs.issue("stranger"),
    }


def tearDownModule():
    scratch.cleanup()


def insecure_answer(connection):
    """Byte 07 serves a table of its own, in which Status.Ping is not."""
    error = "rpc: can't find service Status.Ping"
    wire.call(connection, wire.request(), wire.response(error=error))


def speak(connection, inner):
    """Writes the tag `inner` and checks that its protocol answers."""
    if inner == YAMUX:
        wire.Yamux(connection).ping()
    elif inner == RPC:
        wire.ping(connection, opening=bytes([RPC]))
    else:
        wire.call(connection, b"hello", b"hello", opening=bytes([inner]))


class Configuration:
    """One running server for all tests of a row of the table."""

    @classmethod
    def setUpClass(cls):
        cls.server = serve(tls=cls.tls(), limits={"connections_per_client": 0}, plugins=PLUGINS)
        cls.addClassCleanup(cls.end)

    @classmethod
    def end(cls):
        cls.server.__exit__(None, None, None)

    def clear(self, first=b""):
        connection = wire.dial(self.server.address)
        self.addCleanup(connection.close)
        if first:
            wire.send(connection, first)
        return connection

    def encrypted(self, tag, identity="none", alpn=(), version=None):
        context = client_context(ours, identities[identity], alpn, version)
        connection = wire.handshake(self.clear(), context, tag)
        self.addCleanup(connection.close)
        return connection

    def each(self, *names):
        """Each identity with each TLS version."""
        return [(name, version) for name in names or identities for version in VERSIONS]

    def assert_served(self, connection, inner):
        speak(connection, inner)

    def assert_closed(self, connection, first):
        """Closed without a byte in answer to `first`, which asks for something."""
        try:
            wire.send(connection, first)
            wire.seconds_until_closed(connection)
        except Closed:
            pass

    def assert_refused(self, tag, identity, alpn=(), version=None, inner=b"\0"):
        """TLS 1.2: the handshake fails. TLS 1.3: a client notices at its first read at the latest."""
        with self.assertRaises((Refused, Closed)) as raised:
            connection = self.encrypted(tag, identity, alpn, version)
            if version == ssl.TLSVersion.TLSv1_2:
                self.fail("the handshake was completed")
            wire.ping(connection, opening=inner)
        del raised

    def clear_is_served(self):
        for tag in ROUTED:
            with self.subTest(tag=tag):
                self.assert_served(self.clear(), tag)

    def test_unknown_bytes_are_closed_without_a_reply(self):
        for tag in UNROUTED:
            with self.subTest(tag=tag):
                self.assert_closed(self.clear(), bytes([tag]) + wire.request())

    def test_nothing_at_all_is_closed_without_a_reply(self):
        connection = self.clear()
        connection.shutdown(wire.socket.SHUT_WR)
        wire.seconds_until_closed(connection)

    def test_text_is_closed_without_a_reply(self):
        self.assert_closed(self.clear(), b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")


class NoMaterial(Configuration, unittest.TestCase):
    """No TLS configured: clear text is served, everything that would be TLS is not."""

    @classmethod
    def tls(cls):
        return None

    def test_clear_is_served(self):
        self.clear_is_served()

    def test_the_handshake_after_03_fails(self):
        for identity, version in self.each("none", "good"):
            with self.subTest(client=identity, version=version.name):
                with self.assertRaises(Refused):
                    self.encrypted(TLS, identity, version=version)

    def test_the_handshake_after_07_fails(self):
        for identity, version in self.each("none", "good"):
            with self.subTest(client=identity, version=version.name):
                with self.assertRaises(Refused):
                    self.encrypted(INSECURE, identity, version=version)

    def test_native_tls_is_an_unknown_byte(self):
        for identity, version in self.each("none", "good"):
            with self.subTest(client=identity, version=version.name):
                first = client_hello(client_context(ours, identities[identity], ("consul/rpc-multi",), version))
                self.assert_closed(self.clear(), first)


class WithMaterial(Configuration):
    """What holds with a certificate and a CA, whatever verify_incoming says."""

    @classmethod
    def tls(cls):
        return server | {"verify_incoming": cls.verify_incoming}

    def test_03_with_a_good_certificate_is_served(self):
        for identity, version in self.each("good"):
            with self.subTest(client=identity, version=version.name):
                for inner in ROUTED:
                    self.assert_served(self.encrypted(TLS, identity, version=version), inner)

    def test_03_asks_for_a_certificate_iff_incoming_is_verified(self):
        self.assertEqual(asks_for_certificate(self.clear(bytes([TLS])), client_context(ours)), self.verify_incoming)

    def test_no_tls_in_tls(self):
        for tag in (TLS, INSECURE):
            for identity, version in self.each("good"):
                with self.subTest(client=identity, version=version.name):
                    hello = client_hello(client_context(ours, identities[identity], (), version))
                    self.assert_closed(self.encrypted(TLS, identity, version=version), bytes([tag]) + hello)

    def test_no_native_tls_in_tls(self):
        for identity, version in self.each("good"):
            with self.subTest(client=identity, version=version.name):
                hello = client_hello(client_context(ours, identities[identity], ("consul/rpc-multi",), version))
                self.assert_closed(self.encrypted(TLS, identity, version=version), hello)

    def test_unknown_bytes_in_tls_are_closed_without_a_reply(self):
        for tag in UNROUTED:
            with self.subTest(tag=tag):
                self.assert_closed(self.encrypted(TLS, "good"), bytes([tag]) + wire.request())

    def test_07_serves_the_insecure_table_to_anyone(self):
        for identity, version in self.each():
            with self.subTest(client=identity, version=version.name):
                insecure_answer(self.encrypted(INSECURE, identity, version=version))

    def test_07_asks_for_no_certificate(self):
        self.assertFalse(asks_for_certificate(self.clear(bytes([INSECURE])), client_context(ours)))

    def test_native_tls_with_a_good_certificate_is_served_by_name(self):
        for identity, version in self.each("good"):
            with self.subTest(client=identity, version=version.name):
                connection = self.encrypted(None, identity, ("consul/rpc-single",), version)
                self.assertEqual(connection.selected_alpn_protocol(), "consul/rpc-single")
                wire.ping(connection)
                connection = self.encrypted(None, identity, ("consul/rpc-multi",), version)
                self.assertEqual(connection.selected_alpn_protocol(), "consul/rpc-multi")
                wire.Yamux(connection, tag=None).ping()

    @unittest.skipIf(consul.BINARY, "what a stand-in does")
    def test_native_tls_routes_every_name_of_a_plugin(self):
        for identity, version in self.each("good"):
            for name in ("consul/raft", "consul/rpc-snapshot"):
                with self.subTest(name=name, version=version.name):
                    wire.call(self.encrypted(None, identity, (name,), version), b"hello", b"hello")

    def test_native_tls_has_no_inner_byte(self):
        """After ALPN the protocol starts at once: a tag there is a byte of net/rpc, and a wrong one."""
        for identity, version in self.each("good"):
            with self.subTest(client=identity, version=version.name):
                self.assert_closed(self.encrypted(None, identity, ("consul/rpc-single",), version), b"\0" + wire.request())

    def test_native_tls_always_wants_a_certificate(self):
        self.assertTrue(asks_for_certificate(self.clear(), client_context(ours, alpn=("consul/rpc-multi",))))
        for identity, version in self.each("none", "expired", "not yet valid", "wrong CA"):
            with self.subTest(client=identity, version=version.name):
                self.assert_refused(None, identity, ("consul/rpc-multi",), version, inner=b"")

    def test_native_tls_without_a_known_name_is_closed(self):
        for names in ((), ("h2",), ("consul/rpc-gossip",), ("consul/rpc-multiple",), ("consul/rpc-singl",)):
            for identity, version in self.each("good"):
                with self.subTest(names=names, version=version.name):
                    try:
                        connection = self.encrypted(None, identity, names, version)
                    except Refused:
                        continue  # alert no_application_protocol
                    self.assert_closed(connection, b"\0" + wire.request())

    def test_old_tls_versions_are_refused(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context = client_context(ours, identities["good"])
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        for tag in (TLS, INSECURE):
            with self.subTest(tag=tag), self.assertRaises(Refused):
                wire.handshake(self.clear(), context, tag)


class Trusting(WithMaterial, unittest.TestCase):
    """Certificate and CA, verify_incoming = false."""

    verify_incoming = False

    def test_clear_is_served(self):
        self.clear_is_served()

    def test_03_is_served_to_anyone(self):
        for identity, version in self.each():
            with self.subTest(client=identity, version=version.name):
                for inner in ROUTED:
                    self.assert_served(self.encrypted(TLS, identity, version=version), inner)


class Verifying(WithMaterial, unittest.TestCase):
    """Certificate and CA, verify_incoming = true."""

    verify_incoming = True

    def test_every_clear_byte_but_03_and_07_is_closed(self):
        for tag in (RPC, RAFT, YAMUX, SNAPSHOT, *UNROUTED):
            with self.subTest(tag=tag):
                self.assert_closed(self.clear(), bytes([tag]) + wire.request())

    def test_03_without_a_good_certificate_is_refused(self):
        for identity, version in self.each("none", "expired", "not yet valid", "wrong CA"):
            with self.subTest(client=identity, version=version.name):
                self.assert_refused(TLS, identity, version=version)


def client_hello(context):
    """The first flight of a client with `context`."""
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(into, out, server_hostname="server.dc1.consul")
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return out.read()
    raise AssertionError("a handshake without a server")


def asks_for_certificate(connection, context):
    """Whether the server's first flight holds a CertificateRequest: TLS 1.2 sends it in clear (RFC 5246, 7.4)."""
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    wire.send(connection, client_hello(context))
    messages, kinds = b"", []
    while 14 not in kinds:  # ServerHelloDone
        kind, _, length = wire.struct.unpack(">BHH", wire.read_exactly(connection, 5))
        body = wire.read_exactly(connection, length)
        if kind != 22:
            raise AssertionError(f"not a handshake record: {kind} {body.hex(' ')}")
        messages += body
        while len(messages) >= 4 and len(messages) >= 4 + int.from_bytes(messages[1:4], "big"):
            kinds.append(messages[0])
            messages = messages[4 + int.from_bytes(messages[1:4], "big") :]
    return 13 in kinds


if __name__ == "__main__":
    unittest.main()
