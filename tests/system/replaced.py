#!/usr/bin/env python3
"""One server after another on sockets that outlive both, as systemd hands them over: no connection is refused, no call fails."""

import fcntl
import json
import pathlib
import socket
import sys
import tempfile
import threading
import unittest

import wire
from process import Process, settles
from server import BINARY, SOAK, command, configuration
from swap_load import Load

REPLACED = 20 if SOAK else 3
# Runs the rest of its words as systemd would: sockets from descriptor 3 on, and who is meant.
ACTIVATE = """
import os, sys
pid, count, sockets = sys.argv[1], sys.argv[2], [int(word) for word in sys.argv[3].split(",") if word]
for number, descriptor in enumerate(sockets):
    os.dup2(descriptor, 3 + number)
environment = os.environ | {"LISTEN_PID": str(os.getpid()) if pid == "own" else pid, "LISTEN_FDS": count, "LISTEN_FDNAMES": "first:second"}
os.execve(sys.argv[4], sys.argv[4:], environment)
"""


def listening(address=("127.0.0.1", 0)):
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind(address)
    made.listen(4096)
    return made


class Callers:
    """Connect, call and leave, again and again; a call takes as long as the server's absence at most."""

    def __init__(self, address):
        self.address, self.calls, self.errors, self.over = address, 0, [], threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(4)]
        for thread in self.threads:
            thread.start()

    def run(self):
        while not self.over.is_set():
            try:
                with wire.dial(self.address) as connection:
                    wire.ping(connection, opening=bytes([wire.RPC]))
                self.calls += 1
            except (OSError, wire.Closed) as error:
                self.errors.append(f"{type(error).__name__}: {error}")

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join(wire.LIMIT)
        return self.errors


class Replaced(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="sy-replaced-")
        self.addCleanup(scratch.cleanup)
        self.directory = pathlib.Path(scratch.name)
        self.file = self.directory / "plugins.toml"
        self.control = self.directory / "data/control.sock"

    def write(self, *addresses, **settings):
        listeners = [{"name": f"listener{number}", "address": f"{ip}:{port}"} for number, (ip, port) in enumerate(addresses)]
        self.file.write_text(configuration(self.directory, listeners=listeners, **settings))

    def start(self, *sockets, pid="own", count=None):
        # Above those that they become, so that no one takes the place of another.
        high = [socket.socket(fileno=fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, 100)) for each in sockets]
        numbers = [each.fileno() for each in high]
        words = [sys.executable, "-c", ACTIVATE, pid, count or len(sockets), ",".join(map(str, numbers)), BINARY, "serve", "--config", self.file]
        process = Process(words, pass_fds=numbers)
        self.addCleanup(process.kill)
        for each in high:
            each.close()
        return process

    def test_no_connection_is_lost_and_no_call_fails(self):
        with listening() as first, listening() as second:
            address, other = first.getsockname(), second.getsockname()
            self.write(address, other)
            server = self.start(first, second)
            server.wait_for_line(r"\bready\b")
            load, callers = Load(address), Callers(other)
            self.addCleanup(load.kill)
            self.addCleanup(callers.end)
            for _ in range(REPLACED):
                served = callers.calls
                self.assertTrue(settles(lambda: callers.calls > served + 200))
                server.stop()
                with wire.dial(other) as waiting:  # while there is nobody
                    wire.send(waiting, bytes([wire.RPC]))
                    server = self.start(first, second)
                    wire.ping(waiting)
                server.wait_for_line(r"\bready\b")
            self.assertEqual(callers.end(), [])
            account = load.end()
            self.assertEqual(account["errors"], [])
            self.assertGreater(account["sessions"], REPLACED)
            server.stop()
            print(f"{REPLACED} servers, {callers.calls} connections, {account['calls']} calls over {account['sessions']} sessions, "
                  f"worst {1000 * account['worst']:.0f} ms", flush=True)

    def test_an_address_may_have_several_sockets(self):
        with listening() as first, listening(first.getsockname()) as second:
            self.write(first.getsockname(), host={"loops": 3})
            server = self.start(first, second)
            server.wait_for_line(r"\bready\b")
            for _ in range(20):
                with wire.dial(first.getsockname()) as connection:
                    wire.ping(connection, opening=bytes([wire.RPC]))
            server.stop()
            self.write(first.getsockname(), host={"loops": 1})
            self.refused(r"listener 'listener0' is given 2 sockets by LISTEN_FDS and has 1 loops", first, second)

    def test_a_reload_leaves_them_and_finds_them_again(self):
        with listening() as first, listening() as second:
            self.write(first.getsockname(), second.getsockname())
            server = self.start(first, second)
            server.wait_for_line(r"\bready\b")
            self.write(first.getsockname())
            command("reload", "--socket", self.control)
            with wire.dial(second.getsockname()) as waiting:  # nobody accepts there now
                self.write(first.getsockname(), second.getsockname())
                command("reload", "--socket", self.control)
                wire.ping(waiting, opening=bytes([wire.RPC]))
            accepted = [each["accepted"] for each in json.loads(command("status", "--json", "--socket", self.control))["listeners"]]
            self.assertEqual(accepted, [0, 1])
            server.stop()

    def refused(self, sentence, *sockets, **how):
        server = self.start(*sockets, **how)
        self.assertEqual(server.wait(), 1)
        self.assertRegex(server.log, sentence)

    def test_what_does_not_fit_is_named(self):
        with listening() as first, socket.socket() as unbound, socket.socket(type=socket.SOCK_DGRAM) as datagram:
            ip, port = first.getsockname()
            self.write(("127.0.0.2", port))
            self.refused(rf"no listener has the address {ip}:{port} of socket 'first', which LISTEN_FDS passes", first)
            self.write((ip, port))
            self.refused(r"descriptor 4, which LISTEN_FDS passes, is no listening TCP socket", first, unbound)
            self.refused(r"descriptor 3, which LISTEN_FDS passes, is no listening TCP socket", datagram)
            self.refused(r"descriptor 4, which LISTEN_FDS passes, is no listening TCP socket", first, count="2")
            for count in ("", "x", "-1", "1025", "1 "):
                self.refused(r"LISTEN_FDS is no number of sockets, 0 to 1024", first, count=count or " ")
            self.refused(r"cannot listen on .*: Address already in use", first, pid="1")


if __name__ == "__main__":
    unittest.main()
