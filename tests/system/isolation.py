#!/usr/bin/env python3
"""`isolation = "process"`: a plugin in a process of its own serves as it does in the server's, and its end costs its own connections only."""

import json
import os
import pathlib
import signal
import tempfile
import threading
import time
import unittest

import wire
from certificates import Authority, client_context
from process import Process, settles
from server import BINARY, PLUGINS, SANITIZED, SOAK, Server, command, configuration
from swap import VERSIONS
from versions import SWAPPED, VersionCase
from wire import Closed

STREAM, DESCRIPTOR = 14, 15  # tags of the echo plugin
BACK = 20.0 if SANITIZED else 1.0  # seconds until a process that was killed is there again
KILLS = 3  # the wait before a restart doubles each time
SWAPS = 100 if SOAK else 10
ECHO = {"echo": {"library": "echo.so", "isolation": "process"}}
PIECE = 100_000
LARGE = os.urandom(3 << 20)


def echo(address, tag, data=b"hello"):
    """Sends `data` behind the tag, reads it back, and sees the connection end."""
    with wire.dial(address) as connection:
        exchange(connection, data, bytes([tag]))
        connection.shutdown(wire.socket.SHUT_WR)
        return wire.read_to_end(connection)


def exchange(connection, data, opening=b""):
    """`data` there and back, a piece at a time."""
    for at in range(0, len(data), PIECE):
        piece = data[at : at + PIECE]
        wire.call(connection, piece, piece, opening if at == 0 else b"")


def plugin(server, name="echo"):
    return next(plugin for plugin in server.status()["plugins"] if plugin["name"] == name)


def process_of(server):
    return plugin(server)["process"]["pid"]


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def children(pid):
    """Processes that `pid` has started."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        yield from task.joinpath("children").read_text().split()


def stopped(pid):
    threads = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return all(thread.joinpath("stat").read_text().rsplit(")", 1)[1].split()[0] == "T" for thread in threads)


class Callers(threading.Thread):
    """Calls netrpc, or has `call` do so, each time on a connection of its own, until it is told to end."""

    def __init__(self, address, call=None):
        super().__init__()
        self.address = address
        self.call = call or self.ping
        self.over = threading.Event()
        self.calls, self.errors = 0, []
        self.start()

    def run(self):
        while not self.over.is_set():
            try:
                self.call()
                self.calls += 1
            except Exception as error:  # whatever it is, it must not be
                self.errors.append(repr(error))

    def ping(self):
        with wire.dial(self.address) as connection:
            wire.ping(connection, opening=bytes([wire.RPC]))

    def end(self):
        self.over.set()
        self.join()
        return self.errors


class Serving(unittest.TestCase):
    def test_both_modes_in_clear(self):
        with Server(plugins=ECHO) as server:
            for tag in (STREAM, DESCRIPTOR):
                for data in (b"hello", LARGE):
                    self.assertEqual(echo(server.address, tag, data), b"")
            self.assertTrue(settles(lambda: server.status()["connections"]["open"] == 0))
            closed = server.status()["connections"]["closed"]
            self.assertEqual((closed["finished"], closed["hung_up"]), (2, 2), closed)
            self.assertEqual((plugin(server)["connections"], plugin(server)["errors"]), (0, 0))

    def test_both_modes_under_tls(self):
        with tempfile.TemporaryDirectory(prefix="sy-isolation-") as scratch:
            authority = Authority(pathlib.Path(scratch) / "ca")
            certificate, key = authority.issue("server")
            tls = {"ca": authority.certificate, "certificate": certificate, "key": key}
            client = authority.issue("client")
            with Server(tls=tls, plugins=ECHO) as server:
                for alpn in ("switchyard/echo", "switchyard/echo-descriptor"):
                    for data in (b"hello", LARGE):
                        context = client_context(authority, client, (alpn,))
                        with wire.handshake(wire.dial(server.address), context, tag=None) as connection:
                            exchange(connection, data)
                for tag in (STREAM, DESCRIPTOR):
                    with wire.handshake(wire.dial(server.address), client_context(authority)) as connection:
                        exchange(connection, LARGE, bytes([tag]))
                self.assertTrue(settles(lambda: server.status()["connections"]["open"] == 0))
                self.assertEqual(plugin(server)["errors"], 0)

    def test_limits_hold_over_there(self):
        with Server(plugins=ECHO, limits={"connections_per_client": 2}) as server:
            kept = [wire.dial(server.address) for _ in range(2)]
            for connection in kept:
                exchange(connection, b"hello", bytes([STREAM]))
            with wire.dial(server.address) as refused:
                wire.seconds_until_closed(refused)
            self.assertTrue(settles(lambda: server.status()["connections"]["closed"]["client_limit"] == 1))
            for connection in kept:
                connection.close()
            self.assertTrue(settles(lambda: server.status()["connections"]["open"] == 0))
            self.assertEqual(echo(server.address, STREAM), b"")

    def test_the_server_shows_what_it_counts(self):
        with Server(plugins=ECHO) as server:
            def counted(number):
                name = "switchyard_echo_connections_total"
                self.assertTrue(settles(lambda: server.metrics().get(name) == number), server.metrics())

            for _ in range(2):
                echo(server.address, STREAM)
            counted(2)
            pid = process_of(server)
            os.kill(pid, signal.SIGKILL)
            self.assertTrue(settles(lambda: process_of(server) != pid))
            echo(server.address, STREAM)
            counted(3)
            command("plugin", "swap", "echo", "--socket", server.socket)
            echo(server.address, STREAM)
            counted(4)

    def test_says_where_it_is(self):
        with Server(plugins=ECHO) as server:
            said = plugin(server)
            self.assertEqual(said["isolation"], "process")
            self.assertEqual((said["process"]["restarts"], said["process"]["last_end"]), (0, ""))
            self.assertNotIn("echo.so", server.proc("maps"), "its code is not in the server")
            maps = pathlib.Path(f"/proc/{said['process']['pid']}/maps").read_text()
            self.assertIn(said["staged"], maps)
            for words in (("status",), ("plugin", "list"), ("plugin", "why", "echo")):
                self.assertIn(str(said["process"]["pid"]), command(*words, "--socket", server.socket))


class Ends(unittest.TestCase):
    def test_a_killed_process_costs_its_own_connections_only(self):
        plugins = {**ECHO, "netrpc": {"library": "netrpc.so"}}
        with Server(plugins=plugins, limits={"connections_per_client": 0}) as server:
            callers = Callers(server.address)
            self.addCleanup(callers.end)
            for number in range(KILLS):
                pid = process_of(server)
                held = [wire.dial(server.address) for _ in range(4)]
                for connection, tag in zip(held, 2 * (STREAM, DESCRIPTOR)):
                    exchange(connection, b"hello", bytes([tag]))
                begin = time.monotonic()
                os.kill(pid, signal.SIGKILL)
                # Its threads die one by one; until then one may take a connection.
                self.assertTrue(settles(lambda: process_of(server) != pid))
                self.assertEqual(echo(server.address, STREAM), b"")
                self.assertLess(time.monotonic() - begin, BACK)
                for connection in held:
                    self.assertEqual(wire.read_to_end(connection), b"")
                    connection.close()
                said = plugin(server)["process"]
                self.assertNotEqual(said["pid"], pid)
                self.assertEqual((said["restarts"], said["last_end"]), (number + 1, "signal 9 (Killed)"))
            self.assertEqual(callers.end(), [])
            self.assertGreater(callers.calls, KILLS)
            server.wait_for_line(r'plugin.echo: process ended pid=\d+ connections=\d+ reason="signal 9 \(Killed\)"')
            server.wait_for_line(rf"plugin.echo: process started again pid=\d+ restarts={KILLS}")
            self.assertTrue(settles(lambda: server.status()["connections"]["open"] == 0))
            self.assertEqual(server.status()["connections"]["closed"]["internal"], 4 * KILLS)
            self.assertEqual(plugin(server)["errors"], 4 * KILLS)

    def test_under_tls_the_wire_ends_with_it(self):
        with tempfile.TemporaryDirectory(prefix="sy-isolation-") as scratch:
            authority = Authority(pathlib.Path(scratch) / "ca")
            certificate, key = authority.issue("server")
            tls = {"ca": authority.certificate, "certificate": certificate, "key": key}
            with Server(tls=tls, plugins=ECHO) as server:
                with wire.handshake(wire.dial(server.address), client_context(authority)) as connection:
                    exchange(connection, b"hello", bytes([STREAM]))
                    pid = process_of(server)
                    os.kill(pid, signal.SIGKILL)
                    self.assertEqual(wire.read_to_end(connection), b"")
                self.assertTrue(settles(lambda: process_of(server) != pid))
                with wire.handshake(wire.dial(server.address), client_context(authority)) as connection:
                    exchange(connection, b"hello", bytes([STREAM]))

    def test_while_it_cannot_be_started_connections_wait_for_so_long(self):
        limits = {"restart_wait": "200ms", "restart_delay": "100ms"}
        with Server(plugins={**ECHO, "netrpc": {"library": "netrpc.so"}}, limits=limits) as server:
            os.unlink(plugin(server)["staged"])
            os.kill(process_of(server), signal.SIGKILL)
            self.assertTrue(settles(lambda: "is missing" in plugin(server)["process"]["last_end"]))
            for _ in range(3):
                with wire.dial(server.address) as connection:
                    wire.send(connection, bytes([STREAM]))
                    self.assertLess(wire.seconds_until_closed(connection), 0.2 + BACK)
            self.assertTrue(settles(lambda: server.status()["connections"]["closed"]["refused"] == 3))
            self.assertEqual(plugin(server)["errors"], 3)
            with wire.dial(server.address) as connection:
                wire.ping(connection, opening=bytes([wire.RPC]))
            command("plugin", "swap", "echo", "--socket", server.socket)
            self.assertEqual(echo(server.address, STREAM), b"")

    def test_it_leaves_signals_to_the_server(self):
        """systemd sends SIGTERM to each process of a service."""
        with Server(plugins=ECHO) as server:
            pid = process_of(server)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                os.kill(pid, number)
            self.assertEqual(echo(server.address, STREAM), b"")
            self.assertEqual((process_of(server), plugin(server)["process"]["restarts"]), (pid, 0))

    def test_the_end_of_the_server_ends_it(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            server = Server(plugins=ECHO)
            pid = process_of(server)
            held = wire.dial(server.address)
            exchange(held, b"hello", bytes([STREAM]))
            if number == signal.SIGTERM:
                server.stop()
                self.assertNotIn("left 1 connection open", server.log, "its process has ended with it")
            else:
                server.kill()
            self.assertTrue(settles(lambda: not alive(pid)), number.name)
            self.assertEqual(wire.read_to_end(held), b"")
            held.close()


class Versions(VersionCase):
    """The plugin of swapped/ in a process of its own."""

    INSTALLED = ("swapped_good", "swapped_crash_in_serve", "swapped_fail_in_init", "swapped_hang_in_init", "swapped_unwell",
                 "swapped_answers", "swapped_no_answer", "swapped_close_at_once")

    def write(self, limits=(), swap=(), **settings):
        settings = {"library": self.good, "isolation": "process", **settings}
        swap = {"window": self.window, **dict(swap)}
        self.file.write_text(configuration(self.directory, limits=limits, swap=swap, plugins={"swapped": settings}))

    def refused(self):
        process = Process([BINARY, "serve", "--config", self.file])
        self.addCleanup(process.kill)
        self.assertEqual(process.wait(), 1)
        return process.log

    def test_a_swap_is_one_process_after_another(self):
        self.write()
        process = self.start()
        before = self.plugin()["process"]["pid"]
        self.swap(self.another("next.so"))
        after = self.plugin()["process"]["pid"]
        self.assertNotEqual(after, before)
        self.assertEqual(self.says(), b"good\n")
        self.assertTrue(settles(lambda: not alive(before)))
        self.assertTrue(settles(lambda: len(self.plugin()["generations"]) == 1))
        process.stop()
        self.assertFalse(alive(after))

    def test_a_trial_connection_reaches_the_process_and_is_counted_nowhere(self):
        self.write()
        process = self.start()
        said = self.ask("plugin", "swap", "swapped", self.directory / "swapped_answers.so", "--json")
        self.assertEqual([json.loads(line).get("phase") for line in said.splitlines()][-4:-1], ["healthy", "answered", "flipped"])
        self.settled()
        self.assertEqual((self.plugin()["connections"], self.plugin()["errors"]), (0, 0))
        self.assertEqual(json.loads(self.ask("status", "--json"))["connections"]["accepted"], 0)
        process.stop()

    def test_no_connection_fails_in_a_swap(self):
        self.write()
        process = self.start()
        callers = Callers(self.address, lambda: self.assertEqual(self.says(), b"good\n"))
        self.addCleanup(callers.end)
        files = [self.another("next.so"), self.good]
        for number in range(SWAPS):
            self.swap(files[number % 2])
        self.assertEqual(callers.end(), [])
        self.assertGreater(callers.calls, SWAPS)
        self.assertTrue(settles(lambda: len(self.plugin()["generations"]) == 1))
        self.assertEqual(len(list(children(process.pid))), 1)
        process.stop()

    def test_a_version_whose_process_ends_is_taken_back(self):
        self.write(swap={"window": "60s", "health_interval": "20ms"})
        process = self.start()
        self.ask("plugin", "swap", "swapped", self.another("next.so"))
        os.kill(self.plugin()["process"]["pid"], signal.SIGKILL)
        self.assertTrue(settles(lambda: self.plugin()["generation"] == 1))
        self.assertEqual(self.says(), b"good\n")
        last = self.plugin()["last_swap"]
        self.assertEqual(last["result"], "rolled back")
        self.assertRegex(last["why"], r"^plugin swapped: the process of generation 2 had ended \d+ ms after the flip: signal 9 \(Killed\)$")
        process.stop()

    def test_what_is_refused_leaves_the_old_process_serving(self):
        self.write(limits={"control_timeout": "1s"}, swap={"trial_timeout": "1s"})
        process = self.start()
        pid = self.plugin()["process"]["pid"]
        for version, sentence in (
            ("fail_in_init", "plugin swapped: init() failed: the table is locked"),
            ("hang_in_init", "plugin swapped: init() failed: init() did not return within 1 s"),
            ("unwell", "plugin swapped: health() failed: the table is full"),
            ("no_answer", "did not answer a trial connection of protocol test.swapped within 1 s"),
            ("close_at_once", "closed a trial connection of protocol test.swapped without an answer"),
        ):
            with self.subTest(version=version):
                said = self.ask("plugin", "swap", "swapped", self.directory / f"swapped_{version}.so", expected=1)
                self.assertIn(sentence, said)
                self.assertEqual(self.plugin()["process"]["pid"], pid)
                self.assertEqual(self.says(), b"good\n")
                self.assertEqual(len(self.plugin()["generations"]), 1, "nothing stays in memory")
        process.stop()

    def test_a_reload_takes_it_out_and_in(self):
        self.write(isolation="none")
        process = self.start()
        self.assertNotIn("process", self.plugin())
        self.write()
        self.ask("reload")
        pid = self.plugin()["process"]["pid"]
        self.assertEqual(self.says(), b"good\n")
        self.write(isolation="none")
        self.ask("reload")
        self.assertEqual(self.says(), b"good\n")
        self.assertTrue(settles(lambda: not alive(pid)))
        process.stop()

    @unittest.skipIf(SANITIZED, "a sanitizer ends a process that crashes in its own way")
    def test_a_crash_is_told_and_the_server_goes_on(self):
        self.write(library=self.directory / "swapped_crash_in_serve.so")
        process = self.start()
        self.assertEqual(self.says(), b"")
        process.wait_for_line(r"plugin.swapped: switchyard: crashed signal=4 \(SIGILL\) thread=loop-\d in plugin swapped generation 1")
        process.wait_for_line(r'plugin.swapped: process ended pid=\d+ connections=1 reason="signal 4 \(Illegal instruction\)"')
        process.wait_for_line(r"plugin.swapped: process started again")
        process.stop()

    def test_one_that_does_not_start_is_refused_as_in_the_server(self):
        self.write(library=self.directory / "swapped_fail_in_init.so")
        self.assertIn("plugin swapped: init() failed: the table is locked", self.refused())

    def test_what_it_has_not_taken_the_next_process_gets(self):
        self.write()
        process = self.start()
        pid = self.plugin()["process"]["pid"]
        os.kill(pid, signal.SIGSTOP)
        self.assertTrue(settles(lambda: stopped(pid)))
        with wire.dial(self.address) as connection:
            wire.send(connection, bytes([SWAPPED]))
            self.assertTrue(settles(lambda: self.plugin()["connections"] == 1))
            os.kill(pid, signal.SIGKILL)
            self.assertEqual(wire.read_to_end(connection), b"good\n", "nobody had taken it")
        process.stop()


class Refused(VersionCase):
    INSTALLED = ("swapped_good", "answerer", "exclusive_good")

    def test_plugins_that_others_are_bound_to(self):
        self.install(PLUGINS / "netrpc.so", "netrpc.so")
        for library, sentence in (
            ("netrpc", "provides switchyard.netrpc.endpoints/1 to other plugins, which cannot reach it in a process of its own"),
            ("answerer", "requires switchyard.netrpc.endpoints/1 of another plugin, which cannot be reached from a process of its own"),
            ("exclusive_good", "is exclusive, and what it holds cannot be handed over between processes"),
        ):
            with self.subTest(library=library):
                settings = {"library": self.directory / f"{library}.so", "isolation": "process"}
                text = configuration(self.directory, plugins={library: settings})
                self.file.write_text(text)
                line = text[: text.index("isolation =")].count("\n") + 1
                sentence = f'plugin {library}: {sentence}: take isolation = "process" at {self.file}:{line} away'
                self.assertIn(sentence, command("check", "--config", self.file, expected=1))
                process = Process([BINARY, "serve", "--config", self.file])
                self.addCleanup(process.kill)
                self.assertEqual(process.wait(), 1)
                self.assertIn(sentence, process.log)


if __name__ == "__main__":
    unittest.main()
