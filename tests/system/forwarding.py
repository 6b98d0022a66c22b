#!/usr/bin/env python3
"""One server calls another: the client of the netrpc plugin over the host's own dialling, TLS and all.

With CONSUL_BINARY in the environment the other server is a real Consul too.
"""

import pathlib
import socket
import tempfile
import unittest

import consul
import wire
from certificates import Authority
from process import settles
from server import BINARY, Server

CLEAR, TLS, ALPN, OUTGOING = 0, 1, 2, 4  # sy_dial_tls
OK, CANCELLED, REFUSED = 0, -3, -12  # sy_status
FORWARDER = 64
NAME = "server.dc1.consul"
PLUGINS = {
    "netrpc": {"library": "netrpc.so"},
    "forwarder": {"library": BINARY.parent.parent / "tests/system/forwarder.so"},
}


def setUpModule():
    global scratch, ours, theirs
    scratch = tempfile.TemporaryDirectory(prefix="sy-forwarding-")
    directory = pathlib.Path(scratch.name)
    ours, theirs = Authority(directory / "ours"), Authority(directory / "theirs", name="someone else")


def tearDownModule():
    scratch.cleanup()


def material(name, authority=None, **settings):
    certificate, key = (authority or ours).issue(name)
    return {"ca": ours.certificate, "certificate": certificate, "key": key, **settings}


def forwarding_server(tls=None):
    return Server(tls=tls, plugins=PLUGINS)


class Client:
    """A connection to the forwarder of `server`."""

    def __init__(self, server):
        self.connection = wire.dial(server.address)
        wire.send(self.connection, bytes([FORWARDER]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def begin(self, tls, address, method="Status.Ping", name="-"):
        wire.send(self.connection, f"{tls} {address[0]}:{address[1]} {name} {method}\n".encode())

    def end(self):
        """(status, error or hex of the reply)"""
        line = b""
        while not line.endswith(b"\n"):
            line += wire.read_exactly(self.connection, 1)
        status, _, rest = line[:-1].decode().partition(" ")
        return int(status), rest

    def call(self, *asked, **how):
        self.begin(*asked, **how)
        return self.end()


class Forwarding(unittest.TestCase):
    def test_calls_in_clear_text(self):
        with Server() as other, forwarding_server() as server, Client(server) as client:
            self.assertEqual(client.call(CLEAR, other.address), (OK, "80"))
            self.assertEqual(client.call(OUTGOING, other.address), (OK, "80"))

    def test_calls_over_tls_with_a_certificate_of_its_own(self):
        """The other server takes nobody without a certificate, by tag 3 and 4 or by ALPN, and shows its name."""
        with Server(tls=material("other", verify_incoming=True)) as other, \
                forwarding_server(material("server", verify_outgoing=True)) as server, Client(server) as client:  # fmt: skip
            for tls in (TLS, ALPN, OUTGOING):
                for name in ("-", NAME):
                    with self.subTest(tls=tls, name=name):
                        self.assertEqual(client.call(tls, other.address, name=name), (OK, "80"))
            self.assertEqual(other.status()["listeners"][0]["accepted"], 6)

    def test_carries_the_error_text(self):
        with Server(tls=material("other-2")) as other, forwarding_server(material("server-2")) as server, \
                Client(server) as client:  # fmt: skip
            for tls in (TLS, ALPN):
                answer = client.call(tls, other.address, method="No.Such")
                self.assertEqual(answer, (OK, "rpc: can't find service No.Such"))

    def test_calls_share_a_session(self):
        with Server(tls=material("other-3")) as other, forwarding_server(material("server-3")) as server:
            with Client(server) as one, Client(server) as two:
                for client in (one, two, one, two):
                    self.assertEqual(client.call(TLS, other.address), (OK, "80"))
            self.assertEqual(other.status()["listeners"][0]["accepted"], 1)

    def test_refuses_a_server_that_is_not_who_it_should_be(self):
        with Server(tls=material("other-4")) as other, forwarding_server(material("server-4")) as server, \
                Client(server) as client:  # fmt: skip
            for tls in (TLS, ALPN):
                self.assertEqual(client.call(tls, other.address, name="server.dc2.consul")[0], REFUSED)
        with Server(tls=material("stranger", theirs)) as other, forwarding_server(material("server-5")) as server, \
                Client(server) as client:  # fmt: skip
            for tls in (TLS, ALPN):
                self.assertEqual(client.call(tls, other.address)[0], REFUSED)

    def test_says_when_the_other_server_has_no_tls(self):
        with Server() as other, forwarding_server(material("server-6")) as server, Client(server) as client:
            for tls in (TLS, ALPN):
                self.assertEqual(client.call(tls, other.address)[0], REFUSED)
            self.assertEqual(client.call(CLEAR, other.address), (OK, "80"))

    def test_finds_the_server_again_after_its_restart(self):
        """On another port: an address is not taken twice in a test."""
        tls = material("other-7")
        with forwarding_server(material("server-7")) as server, Client(server) as client:
            for _ in range(2):
                with Server(tls=tls) as other:
                    self.assertEqual(client.call(TLS, other.address), (OK, "80"))
            self.assertEqual(client.call(TLS, other.address)[0], REFUSED)

    def test_looks_up_a_name(self):
        with Server(tls=material("other-8")) as other, forwarding_server(material("server-8")) as server, \
                Client(server) as client:  # fmt: skip
            self.assertEqual(client.call(TLS, ("localhost", other.address[1]), name="localhost"), (OK, "80"))

    def test_a_server_that_ends_waits_for_no_dial(self):
        """The peer accepts and says nothing: neither the 60 s of the call nor those of the drain are waited for."""
        with socket.create_server(("127.0.0.1", 0)) as silent:
            silent.settimeout(wire.LIMIT)
            with forwarding_server(material("server-9")) as server, Client(server) as client:
                client.begin(TLS, silent.getsockname())
                with silent.accept()[0] as peer:
                    self.assertEqual(wire.read_exactly(peer, 1), bytes([wire.TLS]))
                    server.stop()
                    self.assertEqual(client.end(), (CANCELLED, ""))


@unittest.skipUnless(consul.BINARY, "CONSUL_BINARY names no Consul")
class ForwardingToConsul(unittest.TestCase):
    def test_calls_a_real_consul(self):
        tls = material("consul", verify_incoming=True)
        with consul.Consul(tls=tls) as other, forwarding_server(material("server-c")) as server, Client(server) as client:
            leader = f"{other.address[0]}:{other.address[1]}"
            for how in (TLS, ALPN):
                with self.subTest(tls=how):
                    self.assertEqual(client.call(how, other.address, name=NAME)[0], OK)
                    known = (OK, wire.text(leader).hex())
                    self.assertTrue(
                        settles(lambda: client.call(how, other.address, name=NAME, method="Status.Leader") == known))


if __name__ == "__main__":
    unittest.main()
