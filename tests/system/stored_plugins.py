#!/usr/bin/env python3
"""Plugins as they were built once, in stored/: every later host loads them, or refuses them with the exact sentence."""

import pathlib
import shutil
import tempfile
import unittest

import wire
from echo_client import text_field
from server import Server, command, configuration

STORED = pathlib.Path(__file__).resolve().parent / "stored"
STREAM, DESCRIPTOR = 14, 15  # tags of the echo plugin


class StoredPlugins(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="sy-stored-")
        self.addCleanup(scratch.cleanup)
        self.directory = pathlib.Path(scratch.name)
        for file in STORED.glob("*.so"):
            shutil.copy(file, self.directory)
            (self.directory / file.name).chmod(0o755)

    def test_of_abi_0_5_serve(self):
        import grpc

        with Server(
            listeners=[
                {"name": "server", "address": "127.0.0.1:0"},
                {"name": "grpc", "address": "127.0.0.1:0", "protocol": "grpc.external"},
            ],
            plugins={
                "grpc": {"library": "grpc.so"},
                "greeter": {"library": self.directory / "greeter-abi-0.5.so"},
                "echo": {"library": self.directory / "echo-abi-0.5.so"},
            },
        ) as server:
            for tag in (STREAM, DESCRIPTOR):
                with self.subTest(tag=tag), wire.dial(server.address) as connection:
                    wire.send(connection, bytes([tag]) + b"hello")
                    self.assertEqual(wire.read_exactly(connection, 5), b"hello")
            with grpc.insecure_channel("%s:%d" % server.addresses["grpc"]) as channel:
                greet = channel.unary_unary("/switchyard.example.Greeter/Greet")
                self.assertEqual(greet(text_field(1, b"Ada"), timeout=wire.LIMIT), text_field(1, b"Hello, Ada!"))

    def test_of_abi_0_1_is_refused(self):
        file = self.directory / "echo-abi-0.1.so"
        settings = self.directory / "plugins.toml"
        settings.write_text(configuration(self.directory, plugins={"old": {"library": file}}))
        self.assertEqual(
            command("check", "--config", settings, expected=1).strip(),
            f"{settings}: plugin old: {file} was built for switchyard ABI 0.1, this host speaks 0.5: rebuild it with the SDK of this host",
        )


if __name__ == "__main__":
    unittest.main()
