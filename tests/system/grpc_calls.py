#!/usr/bin/env python3
"""The gRPC plugin in the real binary: each way in, what a call is told, and a drain in which no call fails."""

import contextlib
import functools
import json
import pathlib
import socket
import tempfile
import threading
import unittest

import grpc
import wire
from certificates import Authority
from echo_client import STEP, Echo, fields, request
from process import settles
from server import Server, command

PING = "/switchyard.status.v1.Status/Ping"


def copy(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def tagged(address, tag):
    """A local address whose connections reach `address` with that first byte."""
    sockets = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    near = listener.accept()[0]
                    far = wire.dial(address)
                    far.sendall(bytes([tag]))
                    sockets.extend((near, far))
                    for pair in ((near, far), (far, near)):
                        threading.Thread(target=copy, args=pair, daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield listener.getsockname()
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for end in sockets:
                end.close()


def text(address):
    return "{}:{}".format(*address)


def setUpModule():
    global scratch, certificates
    scratch = tempfile.TemporaryDirectory(prefix="sy-grpc-")
    unittest.addModuleCleanup(scratch.cleanup)
    authority = Authority(pathlib.Path(scratch.name) / "ca")
    certificate, key = authority.issue("server")
    certificates = {"ca": authority.certificate, "certificate": certificate, "key": key}


def every_way(test):
    """Runs `test` once over each of Calls.ways."""

    @functools.wraps(test)
    def run(self):
        for name, way in self.ways.items():
            with self.subTest(way=name), way() as echo:
                test(self, name, echo)

    return run


def serve(**more):
    return Server(
        tls=certificates,
        limits={"connections_per_client": 0},
        listeners=[
            {"name": "server", "address": "127.0.0.1:0"},
            {"name": "clear", "address": "127.0.0.1:0", "protocol": "grpc.external"},
            {"name": "tls", "address": "127.0.0.1:0", "protocol": "grpc.external", "tls": True},
            {"name": "direct", "address": "127.0.0.1:0", "protocol": "grpc.external"},
        ],
        plugins={
            "grpc": {"library": "grpc.so", "config": {"direct_listeners": ["direct"], "max_connection_age": "2s", **more}},
            "echo": {"library": "grpc_echo.so"},
        },
    )  # fmt: skip


class Calls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(serve())
        at = cls.server.addresses
        near = cls.enterClassContext(tagged(at["server"], wire.GRPC))
        ca = certificates["ca"]
        cls.ways = {
            "tag": lambda: Echo(text(near)),
            "clear": lambda: Echo(text(at["clear"])),
            "tls": lambda: Echo(text(at["tls"]), ca),
            "direct": lambda: Echo(text(at["direct"])),
        }

    def refused(self, code, call, *arguments, **options):
        with self.assertRaises(grpc.RpcError) as raised:
            call(*arguments, timeout=STEP, **options)
        self.assertEqual(raised.exception.code(), code, raised.exception.details())
        return raised.exception

    @every_way
    def test_it_answers_by_itself(self, _, echo):
        answer = echo.channel.unary_unary(PING)(b"", timeout=STEP)
        self.assertRegex(fields(answer)[1].decode(), r"^\d+\.\d+\.\d+$")

    @every_way
    def test_what_a_service_is_told_of_a_call(self, way, echo):
        """Mirror says in the trailer what it was told."""
        metadata = (("x-token", "secret"), ("x-raw-bin", bytes(range(256))))
        _, call = echo.mirror.with_call(request(b"?"), metadata=metadata, timeout=STEP)
        sent = dict(call.initial_metadata())
        self.assertEqual(sent["x-token"], "secret")
        self.assertEqual(sent["x-raw-bin"], bytes(range(256)))
        seen = {key: value for key, value in call.trailing_metadata() if key.startswith("seen-")}
        self.assertRegex(seen["seen-remote"], r"^127\.0\.0\.1:\d+$")
        self.assertEqual(seen["seen-external"], "no" if way == "tag" else "yes")
        self.assertEqual(seen["seen-tls"], "yes" if way == "tls" else "no")

    @every_way
    def test_what_does_not_exist(self, _, echo):
        missing = self.refused(grpc.StatusCode.UNIMPLEMENTED, echo.channel.unary_unary("/no.Service/Get"), b"")
        self.assertEqual(missing.details(), "unknown service no.Service")

    @every_way
    def test_a_deadline_ends_a_call_at_the_server_too(self, _, echo):
        chat = echo.chat(iter(threading.Event().wait, None), timeout=0.3)
        with self.assertRaises(grpc.RpcError):
            next(chat)
        self.assertEqual(chat.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        self.assertTrue(settles(lambda: echo.chats() == 0))


class Swapped(unittest.TestCase):
    def test_a_new_generation_answers_a_health_check_first(self):
        with Server(swap={"window": "60s"}, plugins={"grpc": {"library": "grpc.so"}}) as server:
            lines = command("plugin", "swap", "grpc", "--json", "--socket", server.socket).splitlines()
            self.assertEqual([json.loads(line).get("phase") for line in lines][-4:-1], ["healthy", "answered", "flipped"])
            self.assertTrue(settles(lambda: server.status()["plugins"][0]["connections"] == 0))
            counts = server.status()["connections"]
            self.assertEqual((counts["open"], counts["accepted"], sum(counts["closed"].values())), (0, 0, 0))
            self.assertIn("trials       grpc.internal, grpc.external\n", command("plugin", "why", "grpc", "--socket", server.socket))


class Drain(unittest.TestCase):
    def check(self, listener):
        """SIGTERM while clients call: what was sent is answered; what comes later finds nobody."""
        with serve() as server:
            address = text(server.addresses[listener])
            ca = certificates["ca"] if listener == "tls" else None
            with contextlib.ExitStack() as stack:
                echoes = [stack.enter_context(Echo(address, ca)) for _ in range(4)]
                for echo in echoes:
                    echo.say(b"before")
                chat = echoes[0].chat(iter([request(b"one")]), timeout=STEP)
                self.assertTrue(next(chat))
                calls = [0] * 16
                ends = [None] * 16

                def call(at):
                    with contextlib.suppress(StopIteration):
                        while True:
                            try:
                                echoes[at % 4].unary(request(b"x" * 1000), timeout=STEP)
                                calls[at] += 1
                            except grpc.RpcError as error:
                                ends[at] = error
                                return

                threads = [threading.Thread(target=call, args=(at,)) for at in range(16)]
                for thread in threads:
                    thread.start()
                while min(calls) < 20 and not any(ends):
                    threads[0].join(0.01)
                server.stop()
                for thread in threads:
                    thread.join(STEP)
                for end in ends:
                    self.assertEqual(end.code(), grpc.StatusCode.UNAVAILABLE, end.details())
                    self.assertRegex(end.details(), "connect|Connection refused")
                    self.assertNotRegex(end.details(), "closed|reset|GOAWAY")

    def test_no_call_fails_behind_the_walker(self):
        self.check("clear")

    def test_no_call_fails_under_tls(self):
        self.check("tls")

    def test_no_call_fails_that_gRPC_has_alone(self):
        self.check("direct")


if __name__ == "__main__":
    unittest.main()
