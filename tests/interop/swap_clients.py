#!/usr/bin/env python3
"""netrpc and gRPC swapped by turns under clients that nobody here wrote: no call fails, and nothing is left behind.

16 calls in flight each: Go's net/rpc over hashicorp's yamux, grpc-js and gRPC's C++ library, these two with a stream as
well. How late calls were is printed, beside what they took before the first swap; it is not judged here.
"""

import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/system"), str(ROOT / "tests/interop/grpc")]

from npm import HERE, PACKAGES, install_packages  # noqa: E402
from process import settles  # noqa: E402
from server import PLUGINS, SOAK, Server, command  # noqa: E402

PROTO = ROOT / "tests/peer/grpc_echo/echo.proto"
IN_FLIGHT = 16
STREAM_MS = 500
SWAPS = 1000 if SOAK else 50
QUIET = 10 if SOAK else 3  # seconds of calls before the first swap
SETTLED = 10  # swaps after which nothing grows any more
# Threads that gRPC keeps for the process and not for a plugin; it starts and ends them as it likes.
GRPC_THREADS = ("grpc_", "default-exec", "resolver-exec", "event_engine", "timer_manager")
LIMIT = 60


class Client:
    """A load in a process of its own; it says what it has seen when it is asked."""

    def __init__(self, *command, **options):
        self.child = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options
        )

    def account(self):
        self.child.stdin.write("\n")
        self.child.stdin.flush()
        return json.loads(self.child.stdout.readline())

    def end(self):
        self.child.stdin.close()
        account = json.loads(self.child.stdout.readline())
        if self.child.wait(LIMIT) != 0:
            raise AssertionError(f"exit code {self.child.returncode}")
        return account

    def kill(self):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        self.child.stdout.close()


class SwapUnderForeignClients(unittest.TestCase):
    def setUp(self):
        install_packages()
        scratch = tempfile.TemporaryDirectory(prefix="sy-swap-")
        self.addCleanup(scratch.cleanup)
        directory = pathlib.Path(scratch.name)
        self.files = {
            "netrpc": [directory / "netrpc.so", directory / "netrpc_next.so"],
            "grpc": [directory / "grpc.so", directory / "grpc_next.so"],
        }
        sources = [PLUGINS / "netrpc.so", os.environ["NETRPC_NEXT"], PLUGINS / "grpc.so", os.environ["GRPC_NEXT"]]
        for file, source in zip(sum(self.files.values(), []), sources):
            shutil.copy(source, file)
            file.chmod(0o755)
        self.server = self.enterContext(Server(
            swap={"window": "0s"},
            limits={"drain_timeout": "20s"},
            listeners=[
                {"name": "server", "address": "127.0.0.1:0"},
                {"name": "grpc", "address": "127.0.0.1:0", "protocol": "grpc.external"},
            ],
            plugins={name: {"library": files[0]} for name, files in self.files.items()} | {"echo": {"library": "grpc_echo.so"}},
        ))  # fmt: skip

    def start_clients(self):
        grpc = "127.0.0.1:%d" % self.server.addresses["grpc"][1]
        clients = {
            "Go, net/rpc over yamux": (os.environ["INTEROP_NETRPC"], "-address", "%s:%d" % self.server.address, "-load", IN_FLIGHT),
            "grpc-js": ("node", HERE / "load.js", PROTO, grpc, IN_FLIGHT, STREAM_MS),
            "gRPC C++": (os.environ["INTEROP_GRPC_LOAD"], grpc, IN_FLIGHT, STREAM_MS),
        }
        environment = {**os.environ, "NODE_PATH": str(PACKAGES / "node_modules")}
        self.clients = {}
        for name, words in clients.items():
            self.clients[name] = Client(*words, env=environment)
            self.addCleanup(self.clients[name].kill)

    def swap(self, name, file):
        said = command("plugin", "swap", name, file, "--json", "--socket", self.server.socket)
        return json.loads(said.splitlines()[-1])

    def alone(self, name):
        """Waits until one generation of `name` is left."""

        def one():
            plugins = self.server.status()["plugins"]
            return len(next(plugin for plugin in plugins if plugin["name"] == name)["generations"]) == 1

        self.assertTrue(settles(one), f"an old {name} stays")

    def mapped(self):
        return set(re.findall(r"\S+/plugins/\S+\.so", self.server.proc("maps")))

    def footprint(self):
        for name in self.files:
            self.alone(name)
        self.assertEqual(len(self.mapped()), len(self.files) + 1, "old generations are unmapped")
        return self.threads(), self.server.memory(), self.server.descriptors()

    def threads(self):
        tasks = pathlib.Path(f"/proc/{self.server.pid}/task").iterdir()
        return sorted(name for name in (task.joinpath("comm").read_text().strip() for task in tasks) if not name.startswith(GRPC_THREADS))

    def test_no_call_fails(self):
        self.start_clients()
        time.sleep(QUIET)
        for client in self.clients.values():
            client.account()  # what it took to begin is nobody's measure
        time.sleep(QUIET)
        quiet = {name: client.account() for name, client in self.clients.items()}

        flips, descriptors = [], []
        for number in range(SWAPS):
            name = ["netrpc", "grpc"][number % 2]
            self.alone(name)
            flips.append(self.swap(name, self.files[name][(number // 2 + 1) % 2])["flip_us"])
            if number == SETTLED:
                threads, memory, _ = self.footprint()
            if number >= SETTLED and number % 10 == 0:
                descriptors.append(self.footprint()[2])
        threads_after, memory_after, _ = self.footprint()

        for name, client in self.clients.items():
            account = client.end()
            print(
                f"{name}: {account['calls']} calls, worst {account['worst_ms']:.1f} ms, p99.9 {account['p999_ms']:.1f} ms; "
                f"before {quiet[name]['calls']} calls, worst {quiet[name]['worst_ms']:.1f} ms, p99.9 {quiet[name]['p999_ms']:.1f} ms"
            )
            for seen in (quiet[name], account):
                self.assertEqual(seen["errors"], [], name)
            self.assertGreater(account["calls"], SWAPS, name)
        grown = (memory_after - memory) / (SWAPS - SETTLED)
        print(
            f"{SWAPS} swaps: flip {statistics.median(flips)} us, at most {max(flips)} us; {grown:.1f} KiB a swap; "
            f"{len(threads_after)} threads but gRPC's; {min(descriptors)} to {max(descriptors)} descriptors",
            flush=True,
        )
        self.assertEqual(threads_after, threads)
        # Over 40 swaps a MiB of buffers that are full or not is 25 KiB a swap.
        self.assertLessEqual(grown, 64 if SOAK else 128, "KiB a swap")
        self.assertLessEqual(max(descriptors[-3:]), max(descriptors[:3]), "descriptors")


if __name__ == "__main__":
    unittest.main()
