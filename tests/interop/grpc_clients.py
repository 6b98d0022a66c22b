#!/usr/bin/env python3
"""gRPC clients that nobody here wrote, against every way in: the external listeners, clear and TLS, and the server port.

buf, grpc-js and Node's http2 come from npm, as tests/interop/grpc/package-lock.json pins them; grpc-go and python3-grpcio
are Debian's. INTEROP_GRPC is the Go program beside this file, built.
"""

import base64
import concurrent.futures
import functools
import json
import os
import pathlib
import queue
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path = [str(ROOT / "tests/system"), str(ROOT / "tests/interop/grpc"), *(path for path in sys.path if path != str(ROOT / "tests/interop"))]

import grpc  # noqa: E402
from certificates import Authority  # noqa: E402
from echo_client import SERVICE, STEP, Echo, fields, payload, request, text_field  # noqa: E402
from npm import HERE, PACKAGES, install_packages  # noqa: E402
from process import Process, settles  # noqa: E402
from server import BINARY, SOAK, Server  # noqa: E402

PROTO = ROOT / "tests/peer/grpc_echo/echo.proto"
GREETER = "switchyard.example.Greeter"
MIB = 1 << 20
EXTERNAL, INTERNAL = 50 * MIB, 4 * MIB  # bytes of a message that the two servers receive at most
LIMIT = 400  # seconds of one program


def setUpModule():
    global server, ways, ca
    install_packages()
    scratch = tempfile.TemporaryDirectory(prefix="sy-grpc-")
    unittest.addModuleCleanup(scratch.cleanup)
    authority = Authority(pathlib.Path(scratch.name) / "ca")
    certificate, key = authority.issue("server")
    ca = authority.certificate
    server = unittest.enterModuleContext(Server(
        tls={"ca": ca, "certificate": certificate, "key": key},
        limits={"connections_per_client": 0},
        listeners=[
            {"name": "server", "address": "127.0.0.1:0"},
            {"name": "clear", "address": "127.0.0.1:0", "protocol": "grpc.external"},
            {"name": "tls", "address": "127.0.0.1:0", "protocol": "grpc.external", "tls": True},
        ],
        plugins={
            "grpc": {"library": "grpc.so", "config": {"reflection": ["internal", "external"]}},
            "echo": {"library": "grpc_echo.so"},
            "greeter": {"library": "greeter.so"},
        },
    ))  # fmt: skip
    proxy = Process([BINARY, "proxy", "--json", "%s:%d" % server.address])
    unittest.addModuleCleanup(proxy.stop)
    proxied = json.loads(proxy.wait_for_line(r'^\{"address".*')[0])["address"]
    ways = {
        "clear": Way("127.0.0.1:%d" % server.addresses["clear"][1], EXTERNAL),
        "tls": Way("127.0.0.1:%d" % server.addresses["tls"][1], EXTERNAL, ca),
        "proxy": Way(proxied, INTERNAL),
    }


class Way:
    """One way in: where it is, what a message may hold there, and the CA when it is TLS."""

    def __init__(self, address, receive, ca=None):
        self.address, self.receive, self.ca = address, receive, ca

    def echo(self, **options):
        return Echo(self.address, self.ca, **options)


def every_way(test):
    """A test that gets a Way, for each of them."""

    @functools.wraps(test)
    def each(self):
        for name, way in ways.items():
            with self.subTest(way=name):
                test(self, way)

    return each


def every_way_at_once(test):
    """The same, beside each other: for what is mostly waiting."""

    @functools.wraps(test)
    def all_of_them(self):
        with concurrent.futures.ThreadPoolExecutor(len(ways)) as pool:
            running = {name: pool.submit(test, self, way) for name, way in ways.items()}
            for name, done in running.items():
                with self.subTest(way=name):
                    done.result()

    return all_of_them


def run(*command, **options):
    done = subprocess.run(
        [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT, **options
    )
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


class Node(unittest.TestCase):
    CASES = (
        "unary", "serverStream", "clientStream", "bidirectional", "deadline", "cancellation", "metadata", "status", "large",
        "tooLarge", "compressed",
    )  # fmt: skip

    def node(self, program, *arguments, **environment):
        return run("node", HERE / program, *arguments, env=os.environ | {"NODE_PATH": PACKAGES / "node_modules", **environment})

    def grpc_js(self, way, *cases):
        limits = json.dumps({"receive": way.receive})
        said = self.node("client.js", PROTO, way.address, *([way.ca] if way.ca else ()), LIMITS=limits, CASES=",".join(cases))
        self.assertEqual(said.splitlines(), [f"ok {case}" for case in cases])

    @every_way
    def test_grpc_js(self, way):
        self.grpc_js(way, *self.CASES)

    @unittest.skipUnless(SOAK, "make soak: takes 150 s")
    @every_way_at_once
    def test_grpc_js_keeps_alive(self, way):
        self.grpc_js(way, "keepalive")

    def test_http2_without_alpn(self):
        host, _, port = ways["tls"].address.rpartition(":")
        self.assertEqual(self.node("no_alpn.js", host, port, ca), "without a name\n")


class Go(unittest.TestCase):
    def grpc_go(self, way, *cases):
        trust = ("-ca", way.ca) if way.ca else ()
        said = run(os.environ["INTEROP_GRPC"], "-address", way.address, *trust, "-cases", ",".join(cases))
        self.assertEqual(said.splitlines(), [f"ok {case}" for case in cases])

    @every_way
    def test_grpc_go(self, way):
        self.grpc_go(way, "unary", "bidirectional", "cancellation")

    @unittest.skipUnless(SOAK, "make soak: takes 150 s")
    @every_way_at_once
    def test_grpc_go_keeps_alive(self, way):
        self.grpc_go(way, "keepalive")


class Buf(unittest.TestCase):
    def buf(self, way, *arguments, method="", **options):
        wire = ("--cacert", way.ca) if way.ca else ("--http2-prior-knowledge",)
        url = f"http{'s' if way.ca else ''}://{way.address.replace('127.0.0.1', 'localhost')}{method}"
        cache = {"XDG_CACHE_HOME": str(PACKAGES / "cache")}
        [buf] = PACKAGES.glob("node_modules/@bufbuild/buf-*/bin/buf")
        return run(buf, "curl", "--protocol", "grpc", *wire, *arguments, url, env=os.environ | cache, **options)

    def call(self, way, method, *messages):
        """The payloads of the answers."""
        asked = "\n".join(json.dumps(message) for message in messages)
        said = self.buf(way, "-d", "@-", method=f"/{SERVICE}/{method}", input=asked)
        decoder, answers = json.JSONDecoder(), []
        while said := said.strip():
            answer, end = decoder.raw_decode(said)
            answers.append(base64.b64decode(answer.get("payload", "")).decode())
            said = said[end:]
        return answers

    @staticmethod
    def said(text, **more):
        return {"payload": base64.b64encode(text.encode()).decode(), **more}

    @every_way
    def test_reflection_lists_services_and_methods(self, way):
        services = self.buf(way, "--list-services").split()
        self.assertLessEqual({SERVICE, GREETER, "grpc.reflection.v1.ServerReflection"}, set(services))
        methods = self.buf(way, "--list-methods").split()
        self.assertLessEqual({f"{SERVICE}/Chat", f"{GREETER}/Greet", f"{GREETER}/Meet"}, set(methods))

    @every_way
    def test_unary(self, way):
        self.assertEqual(self.call(way, "Unary", self.said("hello")), ["hello"])

    @every_way
    def test_server_stream(self, way):
        self.assertEqual(self.call(way, "Repeat", self.said("again", count=5)), ["again"] * 5)

    @every_way
    def test_client_stream(self, way):
        self.assertEqual(self.call(way, "Collect", self.said("a"), self.said("b"), self.said("c")), ["abc"])

    @every_way
    def test_bidirectional(self, way):
        self.assertEqual(self.call(way, "Chat", self.said("one"), self.said("two")), ["one", "two"])


    @every_way
    def test_a_service_in_plain_c(self, way):
        said = self.buf(way, "-d", '{"name": "Ada"}', method=f"/{GREETER}/Greet")
        self.assertEqual(json.loads(said), {"text": "Hello, Ada!"})
        said = self.buf(way, "-d", "@-", method=f"/{GREETER}/Meet", input='{"name": "Ada"}\n{"name": "Grace"}')
        self.assertEqual(re.findall(r'"text": *"(.*)"', said), ["Hello, Ada!", "Hello, Grace!"])


class Conversation:
    """A Chat with what is said in it, turn by turn."""

    def __init__(self, echo, **options):
        self.asked = queue.SimpleQueue()
        self.call = echo.chat(iter(self.asked.get, None), **options)

    def say(self, said):
        self.asked.put(request(said))
        return payload(next(self.call))

    def end(self):
        self.asked.put(None)


class Python(unittest.TestCase):
    def refused(self, code, call, *arguments, **options):
        with self.assertRaises(grpc.RpcError) as raised:
            call(*arguments, timeout=STEP, **options)
        self.assertEqual(raised.exception.code(), code, raised.exception)
        return raised.exception

    @every_way
    def test_unary(self, way):
        with way.echo() as echo:
            for size in (0, 1, 16_383, 16_384, 65_535, 1_000_000):
                echo.say(bytes(size))
            calls = [echo.unary.future(request(b"%d" % number), timeout=STEP) for number in range(1000)]
            self.assertEqual([payload(call.result()) for call in calls], [b"%d" % number for number in range(1000)])

    @every_way
    def test_streams(self, way):
        with way.echo() as echo:
            said = bytes(range(256)) * 40
            answers = [payload(reply) for reply in echo.repeat(request(said, count=1000), timeout=STEP)]
            self.assertEqual(answers, [said] * 1000)
            parts = [b"%d," % number for number in range(1000)]
            self.assertEqual(payload(echo.collect(map(request, parts), timeout=STEP)), b"".join(parts))
            self.assertEqual([payload(reply) for reply in echo.chat(map(request, parts), timeout=STEP)], parts)
            chat = Conversation(echo, timeout=STEP)
            for part in parts[:100]:
                self.assertEqual(chat.say(part), part)
            chat.end()
            self.assertEqual(list(chat.call), [])

    def assert_chats(self, echo, count):
        """The server is told of a chat's end in its own time."""
        self.assertTrue(settles(lambda: echo.chats() == count), f"{echo.chats()} chats, not {count}")

    @every_way
    def test_deadline(self, way):
        with way.echo() as echo:
            chat = Conversation(echo, timeout=0.5)
            with self.assertRaises(grpc.RpcError) as raised:
                next(chat.call)
            self.assertEqual(raised.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
            self.assert_chats(echo, 0)
            chat.end()

    @every_way
    def test_cancellation(self, way):
        with way.echo() as echo:
            chat = Conversation(echo, timeout=STEP)
            self.assertEqual(chat.say(b"hello"), b"hello")
            self.assert_chats(echo, 1)
            chat.call.cancel()
            self.assert_chats(echo, 0)
            chat.end()

    @every_way
    def test_a_connection_that_is_lost_cancels(self, way):
        with way.echo() as witness:
            with way.echo() as echo:
                chat = Conversation(echo, timeout=STEP)
                self.assertEqual(chat.say(b"hello"), b"hello")
                self.assert_chats(witness, 1)
            self.assert_chats(witness, 0)
            chat.end()

    @every_way
    def test_metadata_both_ways(self, way):
        sent = [("x-word", "plain text"), ("x-many", "one"), ("x-many", "two"), ("x-raw-bin", b"\0\xff\1\x80"), ("x-long", "l" * 4000)]
        with way.echo() as echo:
            answer, call = echo.mirror.with_call(request(b"hello"), metadata=sent, timeout=STEP)
            self.assertEqual(payload(answer), b"hello")
            header = [tuple(pair) for pair in call.initial_metadata() if pair[0].startswith("x-")]
            self.assertEqual(sorted(header), sorted(sent))
            trailer = dict(call.trailing_metadata())
            self.assertEqual((trailer["x-word"], trailer["x-raw-bin"]), ("plain text", b"\0\xff\1\x80"))
            seen = {key: trailer[f"seen-{key}"] for key in ("external", "tls", "deadline", "method")}
            self.assertEqual(seen, {
                "external": "no" if way is ways["proxy"] else "yes", "tls": "yes" if way.ca else "no", "deadline": "yes",
                "method": f"/{SERVICE}/Mirror",
            })  # fmt: skip
            self.assertRegex(trailer["seen-remote"], r"^127\.0\.0\.1:[0-9]+$")

    @every_way
    def test_status_with_details(self, way):
        details = text_field(2, b"more")
        with way.echo() as echo:
            for code in grpc.StatusCode:
                if code is not grpc.StatusCode.OK:
                    asked = request(code=code.value[0], message="größer %\n", details=details)
                    status = self.refused(code, echo.mirror, asked)
                    self.assertEqual(status.details(), "größer %\n")
                    self.assertEqual(dict(status.trailing_metadata())["grpc-status-details-bin"], details)

    @every_way
    def test_what_is_not_there(self, way):
        with way.echo() as echo:
            for path in (f"/{SERVICE}/None", "/no.such.Service/Unary", "/", "/a/b/c"):
                self.refused(grpc.StatusCode.UNIMPLEMENTED, echo.channel.unary_unary(path), b"")

    @every_way
    def test_large_messages(self, way):
        with way.echo() as echo:
            for size in (8 * MIB, 50 * MIB):
                echo.say(b"m" * (min(size, way.receive) - 64))
            parts = payload(echo.collect((request(bytes(3 * MIB)) for _ in range(20)), timeout=STEP))
            self.assertEqual(len(parts), 60 * MIB)

    @every_way
    def test_a_message_that_is_too_large(self, way):
        with way.echo() as echo:
            self.refused(grpc.StatusCode.RESOURCE_EXHAUSTED, echo.unary, request(bytes(way.receive)))
            echo.say(b"and on")

    @every_way
    def test_compressed_messages(self, way):
        for algorithm in (grpc.Compression.Gzip, grpc.Compression.Deflate):
            with way.echo(compression=algorithm) as echo:
                for size in (1, 1000, 3 * MIB):
                    echo.say(bytes(size))

    @every_way
    def test_health(self, way):
        serving = {1: 1}
        if way is ways["proxy"]:
            return  # external only
        with way.echo() as echo:
            check = echo.channel.unary_unary("/grpc.health.v1.Health/Check")
            for name in (b"", SERVICE.encode()):
                self.assertEqual(fields(check(text_field(1, name), timeout=STEP)), serving)
            self.refused(grpc.StatusCode.NOT_FOUND, check, text_field(1, b"no.such.Service"))
            watch = echo.channel.unary_stream("/grpc.health.v1.Health/Watch")(text_field(1, SERVICE.encode()), timeout=STEP)
            self.assertEqual(fields(next(watch)), serving)
            watch.cancel()

    @unittest.skipUnless(SOAK, "make soak: takes 150 s")
    def test_keepalive(self):
        """A ping every 30 s, with a call open and without, is no reason to hang up."""
        options = [("grpc.keepalive_time_ms", 30_000), ("grpc.keepalive_permit_without_calls", 1), ("grpc.http2.max_pings_without_data", 0)]
        echoes = [self.enterContext(way.echo(options=options)) for way in ways.values()]
        states = [[] for _ in echoes]
        chats = [Conversation(echo) for echo in echoes]
        idle = [self.enterContext(way.echo(options=options)) for way in ways.values()]
        for echo, seen in zip(idle, states):
            echo.say(b"before")
            echo.channel.subscribe(seen.append)
        for chat in chats:
            self.assertEqual(chat.say(b"before"), b"before")
        quiet = queue.SimpleQueue()
        with self.assertRaises(queue.Empty):
            quiet.get(timeout=150)
        for chat in chats:
            self.assertEqual(chat.say(b"after"), b"after")
            chat.end()
        for echo, seen in zip(idle, states):
            echo.say(b"after")
            self.assertEqual(set(seen), {grpc.ChannelConnectivity.READY})


if __name__ == "__main__":
    unittest.main()
