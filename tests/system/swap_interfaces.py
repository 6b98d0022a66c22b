#!/usr/bin/env python3
"""A provider swapped under those that have registered with it, and they under it: no call fails."""

import json
import pathlib
import shutil
import tempfile
import threading
import unittest

import wire
from process import settles
from server import PLUGINS, SOAK, Server, command
from swap import VERSIONS
from swap_load import Load

SWAPS = 100 if SOAK else 12
LASTS = 60  # seconds of a long stream; but for a soak only until a swap has been refused because of it
ECHO = PLUGINS.parent.parent / "lib/switchyard/grpc_echo.so"


class Interfaces(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="sy-interfaces-")
        cls.directory = pathlib.Path(cls.scratch.name)
        for file in (PLUGINS / "netrpc.so", VERSIONS / "netrpc_next.so", VERSIONS / "answerer.so", PLUGINS / "grpc.so", ECHO):
            shutil.copy(file, cls.directory)
            (cls.directory / file.name).chmod(0o755)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def swap(self, server, plugin, file):
        said = command("plugin", "swap", plugin, self.directory / file, "--json", "--socket", server.socket)
        return json.loads(said.splitlines()[-1])

    def plugin(self, server, name):
        return next(plugin for plugin in server.status()["plugins"] if plugin["name"] == name)

    def alone(self, server, name):
        self.assertTrue(settles(lambda: len(self.plugin(server, name)["generations"]) == 1), name)

    def test_netrpc_and_an_answerer(self):
        with Server(
            swap={"window": "0s"},
            limits={"drain_timeout": "20s"},
            plugins={name: {"library": self.directory / f"{name}.so"} for name in ("netrpc", "answerer")},
        ) as server:
            load = Load(server.address, "Answer.Now")
            self.addCleanup(load.kill)
            for number in range(SWAPS):
                if number % 2:
                    self.swap(server, "netrpc", ["netrpc_next.so", "netrpc.so"][number // 2 % 2])
                    self.alone(server, "netrpc")
                else:
                    self.swap(server, "answerer", "answerer.so")
                    self.alone(server, "answerer")
            account = load.end()
            self.assertEqual(account["errors"], [])
            print(f"net/rpc: {account['calls']} calls, {SWAPS} swaps, worst {1000 * account['worst']:.1f} ms", flush=True)

    def test_a_blocked_call_is_answered_when_its_registrant_leaves(self):
        with Server(
            swap={"window": "0s"},
            plugins={name: {"library": self.directory / f"{name}.so"} for name in ("netrpc", "answerer")},
        ) as server, wire.dial(server.address) as connection:
            wire.send(connection, bytes([wire.RPC]) + wire.request(1, "Answer.Later"))
            self.assertTrue(settles(lambda: self.plugin(server, "netrpc")["connections"] == 1))
            self.swap(server, "answerer", "answerer.so")
            self.assertEqual(wire.read_exactly(connection, len(wire.response(1, "Answer.Later"))), wire.response(1, "Answer.Later"))
            self.alone(server, "answerer")
            wire.call(connection, wire.request(2, "Answer.Now"), wire.response(2, "Answer.Now"))

    def test_grpc_and_its_echo(self):
        with Server(
            swap={"window": "0s"},
            limits={"drain_timeout": "20s"},
            listeners=[
                {"name": "server", "address": "127.0.0.1:0"},
                {"name": "grpc", "address": "127.0.0.1:0", "protocol": "grpc.external"},
            ],
            plugins={"grpc": {"library": self.directory / "grpc.so"}, "grpc_echo": {"library": self.directory / "grpc_echo.so"}},
        ) as server:
            calls = UnaryCalls(server.addresses["grpc"])
            for number in range(SWAPS):
                name = ["grpc_echo", "grpc"][number % 2]
                self.swap(server, name, f"{name}.so")
                self.alone(server, name)
            self.assertEqual(calls.end(), [])
            self.assertGreater(calls.count, SWAPS)
            print(f"gRPC: {calls.count} calls, {SWAPS} swaps", flush=True)


    def test_streams_and_blocked_queries_end_complete(self):
        names = ("netrpc", "answerer", "grpc", "grpc_echo")
        with Server(
            swap={"window": "0s"},
            limits={"drain_timeout": "120s"},
            listeners=[
                {"name": "server", "address": "127.0.0.1:0"},
                {"name": "grpc", "address": "127.0.0.1:0", "protocol": "grpc.external"},
            ],
            plugins={name: {"library": self.directory / f"{name}.so"} for name in names},
        ) as server:
            streams, refusals, queries = [], [], 0
            for number in range(20):
                name = ["netrpc", "grpc"][number % 2]
                file = {"netrpc": ["netrpc_next.so", "netrpc.so"][number // 2 % 2], "grpc": "grpc.so"}[name]
                if name == "grpc" and len(streams) < 3:  # each on a generation of its own
                    streams.append(LongStream(server.addresses["grpc"]))
                with wire.dial(server.address) as connection:
                    wire.send(connection, bytes([wire.RPC]) + wire.request(1, "Answer.Later"))
                    self.assertTrue(settles(lambda: self.plugin(server, "netrpc")["connections"] >= 1))
                    before = self.plugin(server, name)
                    if len(before["generations"]) == 3:
                        said = command("plugin", "swap", name, self.directory / file, "--socket", server.socket, expected=1).strip()
                        self.assertRegex(said, rf"plugin {name}: has 3 generations and swap.generations is 3: wait until one has left \(")
                        for old in before["generations"][1:]:
                            self.assertIn(f"generation {old['generation']}", said)
                        refusals.append(said)
                        if not SOAK:
                            for stream in streams:
                                stream.go_on.set()
                        self.assertTrue(settles(lambda: len(self.plugin(server, name)["generations"]) < 3, 3 * LASTS + 60))
                    self.swap(server, name, file)
                    if name == "netrpc":
                        answer = wire.response(1, "Answer.Later")
                        self.assertEqual(wire.read_exactly(connection, len(answer)), answer)
                        queries += 1
            for stream in streams:
                self.assertEqual(stream.end(), [])
            self.assertGreaterEqual(len(refusals), 1)
            for name in ("netrpc", "grpc"):
                self.alone(server, name)
            print(f"{len(streams)} streams, {queries} blocked queries, {len(refusals)} of 20 swaps had to wait: {refusals[0]}")


class LongStream:
    """A stream of the server that takes LASTS seconds, for its client does not read on; on a channel of its own."""

    COUNT, SIZE = 20, 4 << 20  # more than what flow control lets lie about

    def __init__(self, address):
        self.address, self.errors, self.begun, self.go_on = address, [], threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.read)
        self.thread.start()
        self.begun.wait(wire.LIMIT)

    def read(self):
        import grpc
        from echo_client import Echo, payload, request

        said, got = bytes(self.SIZE), 0
        try:
            with Echo("%s:%d" % self.address, options=[("grpc.use_local_subchannel_pool", 1)]) as echo:
                for reply in echo.repeat(request(said, count=self.COUNT), timeout=2 * LASTS + 60):
                    got += payload(reply) == said
                    self.begun.set()
                    if got == 1:
                        self.go_on.wait(LASTS)
        except grpc.RpcError as error:
            self.errors.append(f"{error.code()}: {error.details()}")
        if got != self.COUNT:
            self.errors.append(f"{got} of {self.COUNT} messages")
        self.begun.set()

    def end(self):
        self.thread.join(2 * LASTS + 60)
        return self.errors


class UnaryCalls:
    """16 unary calls in flight on one channel, which goes on over a new connection when it is told to."""

    def __init__(self, address):
        self.address, self.count, self.errors, self.over = address, 0, [], False
        self.threads = [threading.Thread(target=self.call) for _ in range(16)]
        for thread in self.threads:
            thread.start()
        settles(lambda: self.count > 100 or self.errors)

    def call(self):
        import grpc
        from echo_client import Echo

        with Echo("%s:%d" % self.address) as echo:
            while not self.over and len(self.errors) < 20:
                try:
                    echo.say(b"%d" % self.count)
                    self.count += 1
                except (grpc.RpcError, AssertionError) as error:
                    self.errors.append(f"{type(error).__name__}: {error}")

    def end(self):
        self.over = True
        for thread in self.threads:
            thread.join(wire.LIMIT)
        return self.errors


if __name__ == "__main__":
    unittest.main()
