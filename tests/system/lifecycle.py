#!/usr/bin/env python3
"""From start to SIGTERM: listeners, certificates that change, descriptors that run out, counts, the end."""

import concurrent.futures
import contextlib
import os
import pathlib
import select
import shutil
import signal
import ssl
import tempfile
import unittest

import wire
from certificates import Authority, client_context
from process import settles
from server import SANITIZED, Server, command, configuration
from wire import GO_AWAY, RPC, TLS, Closed, Refused, Yamux

SOURCE = "127.0.0.66"


def setUpModule():
    global scratch, directory, authority
    scratch = tempfile.TemporaryDirectory(prefix="sy-lifecycle-")
    directory = pathlib.Path(scratch.name)
    authority = Authority(directory / "ca")


def tearDownModule():
    scratch.cleanup()


def material(name):
    """Certificate files of their own, to be replaced by the test."""
    place = directory / name
    place.mkdir()
    certificate, key = authority.issue(name)
    return {
        "ca": shutil.copy(authority.certificate, place / "ca.pem"),
        "certificate": shutil.copy(certificate, place / "server.pem"),
        "key": shutil.copy(key, place / "key.pem"),
    }


class Listeners(unittest.TestCase):
    def check(self, address, expected, tls=None, **more):
        """`check` and `serve` say the same of a listener; `serve` is not asked when it would run."""
        file = directory / f"{self.id()}.toml"
        listeners = [{"name": "server", "address": address, **more}]
        file.write_text(configuration(directory, tls=tls, listeners=listeners, plugins={}))
        said = command("check", "--config", file, expected=expected)
        if expected:
            self.assertEqual(command("serve", "--config", file, expected=expected), said)
            line = 1 + file.read_text().splitlines().index("[[listener]]")
            self.assertIn(f"{file}:{line}: listener[0].address: ", said)
        return said

    def test_another_address_than_loopback_needs_tls(self):
        for address in ("0.0.0.0:0", "[::]:0", "192.0.2.1:8300"):
            with self.subTest(address=address):
                self.assertIn("insecure", self.check(address, expected=1))

    def test_or_says_that_it_is_insecure(self):
        self.check("0.0.0.0:0", expected=0, insecure=True)

    def test_or_has_tls(self):
        self.check("0.0.0.0:0", expected=0, tls=material("check"))

    def test_every_loopback_address_is_served(self):
        listeners = [
            {"name": "one", "address": "127.0.0.1:0"},
            {"name": "two", "address": "127.0.0.2:0"},
            {"name": "six", "address": "[::1]:0"},
        ]
        with Server(listeners=listeners) as server:
            self.assertEqual(set(server.addresses), {"one", "two", "six"})
            for name, address in server.addresses.items():
                with self.subTest(listener=name), wire.dial(address) as connection:
                    wire.ping(connection, opening=bytes([RPC]))
            said = {each["name"]: each["address"] for each in server.status()["listeners"]}
            self.assertEqual(said["six"], "[::1]:%d" % server.addresses["six"][1])

    def test_a_taken_port_is_named(self):
        with wire.socket.create_server(("127.0.0.1", 0)) as taken:
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            file = directory / "taken.toml"
            listeners = [{"name": "server", "address": address}]
            file.write_text(configuration(directory, listeners=listeners, plugins={}))
            self.assertIn(address, command("serve", "--config", file, expected=1))


class Checks(unittest.TestCase):
    def test_any_number_at_once_beside_the_server(self):
        """They copy plugins to the same data directory, and clear it of what nobody uses."""
        with Server() as server:
            with concurrent.futures.ThreadPoolExecutor(4) as four:
                checks = [four.submit(command, "check", "--config", server.file) for _ in range(24)]
            for check in checks:
                check.result()
            with wire.dial(server.address) as connection:
                wire.ping(connection, opening=bytes([RPC]))
            copies = [file.name for file in (server.file.parent / "data/plugins").iterdir()]
            self.assertEqual(len(copies), 1, copies)


class CertCreate(unittest.TestCase):
    def test_two_commands_make_a_server_and_a_client_that_trust_each_other(self):
        place = directory / "created"
        command("cert", "create", "--dir", place)
        command("cert", "create", "--dir", place, "--client", "agent")
        tls = {"ca": place / "ca.pem", "certificate": place / "server.pem", "key": place / "server-key.pem"}
        context = ssl.create_default_context(cafile=tls["ca"])
        context.load_cert_chain(place / "agent.pem", place / "agent-key.pem")
        with Server(tls=tls | {"verify_incoming": True}) as server:
            for name in ("server.dc1.consul", "localhost", "127.0.0.1"):
                with self.subTest(name=name), wire.dial(server.address) as connection:
                    with wire.handshake(connection, context, server_name=name) as encrypted:
                        wire.ping(encrypted, opening=bytes([RPC]))


class Reload(unittest.TestCase):
    """SIGHUP reads the certificate files anew."""

    def setUp(self):
        self.tls = material(self.id().rsplit(".", 1)[1])
        self.server = self.enterContext(Server(tls=self.tls))

    def encrypted(self, trusted=None):
        connection = wire.dial(self.server.address)
        self.addCleanup(connection.close)
        connection = wire.handshake(connection, client_context(trusted or authority))
        self.addCleanup(connection.close)
        return connection

    def common_name(self, connection):
        return dict(pair for part in connection.getpeercert()["subject"] for pair in part)["commonName"]

    def replace(self, certificate, key, ca=None):
        shutil.copy(certificate, self.tls["certificate"])
        shutil.copy(key, self.tls["key"])
        shutil.copy((ca or authority).certificate, self.tls["ca"])

    def hang_up(self, expected):
        """SIGHUP, and the line it must lead to."""
        seen = len(self.server.lines)
        self.server.signal(signal.SIGHUP)
        self.server.wait_for_line(expected, since=seen)

    def test_new_connections_get_the_new_certificate(self):
        before = self.encrypted()
        wire.ping(before, opening=bytes([RPC]))
        self.replace(*authority.issue("renewed"))
        self.hang_up("certificates reloaded")
        for _ in range(8):  # on whichever loop
            self.assertEqual(self.common_name(self.encrypted()), "renewed")
        wire.ping(before)

    def test_a_new_authority_decides_who_may_come(self):
        successor = Authority(directory / "successor")
        identity = authority.issue("client of old")
        self.replace(*successor.issue("server of new"), ca=successor)
        self.hang_up("certificates reloaded")
        with self.assertRaises((Refused, Closed)):
            self.ping_by_name(successor, identity)
        self.ping_by_name(successor, successor.issue("client of new"))

    def ping_by_name(self, trusted, identity):
        context = client_context(trusted, identity, ("consul/rpc-single",))
        with wire.handshake(wire.dial(self.server.address), context, tag=None) as connection:
            wire.ping(connection)

    def test_files_that_do_not_fit_change_nothing(self):
        for broken in ("certificate", "key", "ca"):
            with self.subTest(broken=broken):
                whole = pathlib.Path(self.tls[broken]).read_bytes()
                pathlib.Path(self.tls[broken]).write_bytes(whole[: len(whole) // 2])
                self.hang_up(rf"not reloaded.*{self.tls[broken]}")
                wire.ping(self.encrypted(), opening=bytes([RPC]))
                pathlib.Path(self.tls[broken]).write_bytes(whole)
        other_key = authority.issue("other")[1]
        shutil.copy(other_key, self.tls["key"])
        self.hang_up("not reloaded")
        wire.ping(self.encrypted(), opening=bytes([RPC]))


class Shortage(unittest.TestCase):
    """More connections than descriptors."""

    BUSY = 0.25  # of one core, over the time a shortage is watched

    def assert_idle(self, server, seconds=1.0):
        begin, watched = server.cpu(), wire.time.monotonic() + seconds
        while (left := watched - wire.time.monotonic()) > 0:
            select.select([], [], [], left)
        if not SANITIZED:
            self.assertLess(server.cpu() - begin, self.BUSY * seconds)

    def assert_serves_again(self, server):
        def served():
            with contextlib.suppress(Closed), wire.dial(server.address) as connection:
                wire.ping(connection, opening=bytes([RPC]))
                return True

        self.assertTrue(settles(served, wire.LIMIT))

    def test_at_capacity_connections_are_closed_and_the_server_can_be_asked(self):
        with Server(descriptors=(128, 128), limits={"connections_per_client": 0}) as server, contextlib.ExitStack() as held:
            connections = [held.enter_context(wire.dial(server.address, SOURCE)) for _ in range(200)]
            served = []
            for connection in connections:
                with contextlib.suppress(Closed):
                    wire.ping(connection, opening=bytes([RPC]))
                    served.append(connection)
            self.assertIn(len(served), range(32, 128))
            self.assert_idle(server)
            status = server.status()["connections"]
            self.assertEqual(status["closed"]["at_capacity"], 200 - len(served))
            self.assertEqual(status["open"], len(served))
            for connection in served:
                wire.ping(connection)
            held.close()
            self.assert_serves_again(server)

    def test_without_any_descriptor_accepting_goes_on_later(self):
        """The limit is lowered under the running server: accept fails with EMFILE itself."""
        with Server(limits={"connections_per_client": 0}) as server, contextlib.ExitStack() as held:
            kept = held.enter_context(wire.dial(server.address, SOURCE))
            wire.ping(kept, opening=bytes([RPC]))
            before = server.limit_descriptors(server.descriptors())
            for _ in range(100):
                held.enter_context(wire.dial(server.address, SOURCE))
            self.assert_idle(server)
            wire.ping(kept)
            server.limit_descriptors(before[0])
            self.assert_serves_again(server)
            wire.ping(kept)


class Counts(unittest.TestCase):
    """Every closed connection is counted, once and by its reason."""

    def closed(self, server):
        return {reason: count for reason, count in server.status()["connections"]["closed"].items() if count}

    def test_each_reason(self):
        tls = material("counted")
        limits = {"connections_per_client": 2, "handshake_timeout": "300ms"}
        with Server(tls=tls, limits=limits) as server:
            dial = lambda: contextlib.closing(wire.dial(server.address, SOURCE))  # noqa: E731
            expected = {}

            def count(reason):
                expected[reason] = expected.get(reason, 0) + 1
                settles(lambda: self.closed(server) == expected, 5)
                self.assertEqual(self.closed(server), expected)

            with dial() as connection:
                wire.send(connection, b"\xff")
                wire.seconds_until_closed(connection)
            count("unknown_protocol")
            with dial() as connection:
                wire.seconds_until_closed(connection)
            count("opening_timeout")
            with dial():
                pass
            count("opening_aborted")
            with dial() as connection:
                wire.send(connection, bytes([TLS]) + b"no ClientHello")
                wire.read_to_end(connection)
            count("tls_failed")
            with dial() as connection:
                with wire.handshake(connection, client_context(authority)) as encrypted:
                    wire.send(encrypted, bytes([TLS]))
                    wire.seconds_until_closed(encrypted)
            count("tls_in_tls")
            with dial() as one, dial() as two:
                wire.ping(one, opening=bytes([RPC]))
                wire.ping(two, opening=bytes([RPC]))
                with dial() as three:
                    wire.seconds_until_closed(three)
                count("client_limit")
                self.assertEqual(server.status()["connections"]["open"], 2)
            settles(lambda: server.status()["connections"]["open"] == 0, 5)
            connections = server.status()["connections"]
            self.assertEqual(connections["open"], 0)
            self.assertEqual(connections["accepted"], sum(connections["closed"].values()))
            self.assert_same_in_metrics(server, connections)

    def assert_same_in_metrics(self, server, connections):
        shown = {name: value for name, value in server.metrics().items() if name.startswith("switchyard_host_")}
        expected = {
            "switchyard_host_connections_accepted_total": connections["accepted"],
            "switchyard_host_connections_open": connections["open"],
            'switchyard_host_listener_accepted_total{listener="server"}': connections["accepted"],
        }
        for reason, count in connections["closed"].items():
            expected[f'switchyard_host_connections_closed_total{{reason="{reason}"}}'] = count
        self.assertEqual(shown, expected)

    def test_clear_text_although_incoming_is_verified(self):
        with Server(tls=material("verifying") | {"verify_incoming": True}) as server:
            with contextlib.closing(wire.dial(server.address)) as connection:
                wire.send(connection, bytes([RPC]))
                wire.seconds_until_closed(connection)
            settles(lambda: self.closed(server), 5)
            self.assertEqual(self.closed(server), {"tls_required": 1})

    def test_a_peer_that_has_reset_its_connection_is_named(self):
        """The server is stopped meanwhile, so that it sees the connection, its byte and the reset together."""
        with Server(limits={"connections_per_client": 1}) as server:
            server.signal(signal.SIGSTOP)
            with contextlib.closing(wire.dial(server.address, SOURCE)) as connection:
                peer = "%s:%d" % connection.getsockname()
                wire.send(connection, b"\xff")
                connection.setsockopt(wire.socket.SOL_SOCKET, wire.socket.SO_LINGER, wire.struct.pack("ii", 1, 0))
            server.signal(signal.SIGCONT)
            line = server.wait_for_line("connection refused").string
            self.assertTrue(line.endswith(f"reason=unknown_protocol peer={peer}"), line)

    def test_a_flood_of_bad_connections_is_counted_but_not_logged_line_by_line(self):
        bad = 2000
        with Server(limits={"connections_per_client": 0}) as server:
            for _ in range(bad):
                with contextlib.closing(wire.dial(server.address)) as connection:
                    wire.send(connection, b"\xff")
                    wire.seconds_until_closed(connection)
            self.assertEqual(self.closed(server), {"unknown_protocol": bad})
            self.assertLess(len(server.lines), bad / 4)


class Drain(unittest.TestCase):
    """SIGTERM: what came before it is served, then everything is closed, and the exit code is 0."""

    def test_the_accept_queue_is_emptied_first(self):
        """The server is stopped while 60 connections queue up, so that it finds them together with SIGTERM."""
        with Server(limits={"connections_per_client": 0}) as server, contextlib.ExitStack() as held:
            server.signal(signal.SIGSTOP)
            waiting = []
            for number in range(60):
                connection = held.enter_context(wire.dial(server.address, SOURCE))
                wire.send(connection, bytes([RPC]) + wire.request(number))
                waiting.append(connection)
            server.signal(signal.SIGTERM)
            server.signal(signal.SIGCONT)
            for number, connection in enumerate(waiting):
                with self.subTest(connection=number):
                    self.assertEqual(wire.read_to_end(connection), wire.response(number))
                    connection.close()
            self.assertEqual(server.wait(), 0)

    def test_idle_connections_do_not_hold_it_up(self):
        with Server(limits={"drain_timeout": "60s"}) as server, contextlib.ExitStack() as held:
            silent = held.enter_context(wire.dial(server.address, SOURCE))
            single = held.enter_context(wire.dial(server.address, SOURCE))
            wire.ping(single, opening=bytes([RPC]))
            begin = wire.time.monotonic()
            server.signal(signal.SIGTERM)
            for connection in (single, silent):
                wire.seconds_until_closed(connection)
                connection.close()
            self.assertEqual(server.wait(), 0)
            self.assertLess(wire.time.monotonic() - begin, 10)
            self.assertIn(f"reason=drained peer={SOURCE}", server.log)
            self.assertNotIn("reason=opening_timeout", server.log)

    def test_a_session_is_told_to_go_away(self):
        with Server(limits={"drain_timeout": "60s"}) as server, contextlib.ExitStack() as held:
            session = Yamux(held.enter_context(wire.dial(server.address, SOURCE)))
            session.ping()
            server.signal(signal.SIGTERM)
            while (got := session.read()).kind != GO_AWAY:
                pass
            self.assertEqual(got.length, 0)
            session.connection.close()
            self.assertEqual(server.wait(), 0)

    def test_a_peer_that_does_not_leave_is_cut_off(self):
        with Server(limits={"drain_timeout": "1s"}) as server, contextlib.ExitStack() as held:
            session = Yamux(held.enter_context(wire.dial(server.address, SOURCE)))
            stream = session.ping()
            half = wire.request()
            session.send(wire.data(stream, half[:-1]))  # a request that is never completed
            begin = wire.time.monotonic()
            server.signal(signal.SIGTERM)
            wire.read_to_end(session.connection)
            self.assertEqual(server.wait(), 0)
            self.assertLess(wire.time.monotonic() - begin, 1 + 20)

    def test_nothing_listens_any_more(self):
        with Server(limits={"drain_timeout": "60s"}) as server, contextlib.ExitStack() as held:
            session = Yamux(held.enter_context(wire.dial(server.address, SOURCE)))
            session.ping()
            server.signal(signal.SIGTERM)
            while session.read().kind != GO_AWAY:
                pass
            with self.assertRaises(ConnectionRefusedError):
                wire.dial(server.address).close()
            session.connection.close()
            self.assertEqual(server.wait(), 0)

    def test_the_control_socket_is_gone_afterwards(self):
        with Server() as server:
            self.assertTrue(server.socket.is_socket())
            self.assertEqual(os.stat(server.socket).st_mode & 0o777, 0o600)
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), 0)
            self.assertFalse(server.socket.exists())
            self.assertIn(str(server.socket), command("status", "--socket", server.socket, expected=3))


if __name__ == "__main__":
    unittest.main()
