#!/usr/bin/env python3
"""Versions of raft and of the plugin whose state machine it has, swapped under load in a cluster of ours: what was
acknowledged is there, once, on every server."""

import contextlib
import json
import pathlib
import random
import re
import shutil
import socket
import tempfile
import threading
import time
import unittest

from raft_nodes import LIMIT, Cluster, Ours, until

from process import settles  # the path is set by raft_nodes
from server import PLUGINS, SOAK, command

WRITERS = 4
REFUSED = ("does not lead", "handed over", "does not serve", "not committed yet")  # it has certainly not happened


class Writer(threading.Thread):
    """Writes key after key through whoever leads. A command that may have happened is not said again, one that was
    refused is: so each is in the log once at most."""

    def __init__(self, number, nodes, over):
        super().__init__(daemon=True)
        self.number, self.nodes, self.over, self.at = number, nodes, over, nodes[0]
        self.written, self.unknown, self.longest, self.chance = {}, 0, 0.0, random.Random(number)

    def run(self):
        last = time.monotonic()
        while not self.over.is_set():
            key, value = f"w{self.number}-{len(self.written) + self.unknown}", f"{self.chance.getrandbits(64):x}"
            while not self.over.is_set():
                answer = self.say(f"apply set {key} {value}")
                if answer.startswith("ok"):
                    self.written[key] = value
                    now = time.monotonic()
                    self.longest, last = max(self.longest, now - last), now
                    break
                if any(text in answer for text in REFUSED):
                    self.at = self.chance.choice(self.nodes)
                    self.over.wait(0.002)
                    continue
                self.unknown += 1
                break

    def say(self, line):
        """The answer; empty when nobody knows what has become of it."""
        try:
            with contextlib.closing(socket.create_connection(self.at.server.addresses["kv"], timeout=LIMIT)) as connection:
                connection.sendall(line.encode() + b"\n")
                return connection.makefile().readline()
        except OSError:
            return ""


class Load:
    """Writers until it is left."""

    def __init__(self, nodes):
        self.over = threading.Event()
        self.writers = [Writer(number, nodes, self.over) for number in range(WRITERS)]

    def __enter__(self):
        for writer in self.writers:
            writer.start()
        self.goes_on(10)
        return self

    def __exit__(self, *_):
        self.over.set()
        for writer in self.writers:
            writer.join(LIMIT)

    def count(self):
        return sum(len(writer.written) for writer in self.writers)

    def goes_on(self, count=20):
        reached = self.count() + count
        until(lambda: self.count() >= reached, lambda: f"{count} more writes than {reached - count}")

    @property
    def written(self):
        return {key: value for writer in self.writers for key, value in writer.written.items()}


class Swap(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="sy-raft-")
        self.addCleanup(scratch.cleanup)
        self.directory = pathlib.Path(scratch.name)

    def version(self, plugin):
        """Another version of it that is as good: a version is its bytes."""
        file = self.directory / f"{plugin}_too.so"
        if not file.exists():
            shutil.copy(PLUGINS / f"{plugin}.so", file)
            with file.open("ab") as end:
                end.write(b"\0")  # behind all that is loaded
        return file

    def cluster(self, count=3):
        return Cluster(self.directory, [Ours] * count, ours={"snapshot_threshold": 1_000_000})

    def swap(self, node, plugin, file, expected=0):
        words = ["plugin", "swap", plugin, file, "--socket", node.server.socket]
        if expected:
            return command(*words, expected=expected)
        answer = json.loads(command(*words, "--json").splitlines()[-1])
        of = lambda: next(each for each in node.server.status()["plugins"] if each["name"] == plugin)
        if not answer["window_ms"]:
            self.assertTrue(settles(lambda: len(of()["generations"]) == 1), "the one before has left")
        return answer

    def check(self, cluster, load):
        """All that was acknowledged is on every server, and every command of the log was applied there once."""
        for node in cluster.nodes:
            node.hang_up()
        count, _ = cluster.settle()
        logs = [node.log() for node in cluster.nodes]
        for node, log in zip(cluster.nodes, logs):
            self.assertEqual(log, logs[0])
            for key, value in load.written.items():
                self.assertEqual(node.ask(f"get {key}"), value, f"{key} on {node.name}")
        commands = [bytes.fromhex(found[1]) for entry in logs[0].values() if (found := re.search(r"type=0 data=(\S*)", entry))]
        self.assertEqual(len(set(commands)), len(commands), "a command is in the log twice")
        self.assertEqual(count, len(commands), "applied and in the log")

    def test_the_state_machine_is_exchanged(self):
        """raft_kv: the new one is brought to where the log is, and the old one when it is taken back."""
        with self.cluster() as cluster:
            with Load(cluster.nodes) as load:
                for node in cluster.nodes:
                    self.assertGreater(self.swap(node, "raft_kv", self.version("raft_kv"))["window_ms"], 0)
                    load.goes_on()
                command("plugin", "rollback", "raft_kv", "--socket", cluster.leader().server.socket)
                load.goes_on()
            self.check(cluster, load)


if __name__ == "__main__":
    unittest.main()
