"""Tests that write through clusters, and hold these to what they have acknowledged."""

import contextlib
import random
import socket
import tempfile
import threading
import time
import unittest

from raft_nodes import LIMIT, Refused, until

COMMANDS = 30  # of one round
WRITERS = 4
REFUSED = ("does not lead", "handed over", "does not serve", "not committed yet")  # it has certainly not happened


class Writer(threading.Thread):
    """Writes key after key through whoever leads. A command that may have happened is not said again, one that was
    refused is: so each is in the log once at most."""

    def __init__(self, keys, nodes, over):
        super().__init__(daemon=True)
        self.keys, self.nodes, self.over, self.at = keys, nodes, over, nodes[0]
        self.written, self.unknown, self.longest, self.chance = {}, 0, 0.0, random.Random(keys)

    def run(self):
        last = time.monotonic()
        while not self.over.is_set():
            key, value = f"{self.keys}-{len(self.written) + self.unknown}", f"{self.chance.getrandbits(64):x}"
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
            with contextlib.closing(socket.create_connection(self.at.server.addresses["raft_kv"], timeout=LIMIT)) as connection:
                connection.sendall(line.encode() + b"\n")
                return connection.makefile().readline()
        except OSError:
            return ""


class Load:
    """Writers until it is left; `name` begins their keys."""

    def __init__(self, nodes, name="w"):
        self.over = threading.Event()
        self.writers = [Writer(f"{name}{number}", nodes, self.over) for number in range(WRITERS)]

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


class ClusterTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="sy-raft-")
        self.addCleanup(scratch.cleanup)
        self.directory = scratch.name
        self.written = {}

    def write(self, cluster, count=COMMANDS):
        for _ in range(count):
            key, value = f"key-{len(self.written)}", f"value-{len(self.written)}"
            self.assertEqual(cluster.write(f"set {key} {value}"), "ok")
            self.written[key] = value

    def check(self, cluster, *without):
        """Everything acknowledged is everywhere, after one history."""
        cluster.settle(*without)
        for node in cluster.alive(*without):
            for key, value in self.written.items():
                self.assertEqual(node.ask(f"get {key}"), value, f"{key} of {node.name}")
        logs = [(node.name, node.log()) for node in cluster.alive(*without)]
        for (one, log), (other, others) in zip(logs, logs[1:]):
            self.assertGreater(len(log.keys() & others.keys()), 0)
            for index in log.keys() & others.keys():
                self.assertEqual(log[index], others[index], f"entry {index} of {one} and {other}")

    def write_without(self, cluster, dead):
        cluster.nodes.remove(dead)
        self.write(cluster)
        cluster.nodes.append(dead)

    def leave_behind(self, cluster, behind, leader):
        """Ends `behind`, and lets the others go on until only a snapshot of `leader` brings it back."""
        behind.kill()
        cluster.nodes.remove(behind)
        cluster.lead(leader)
        self.write(cluster)
        leader.ask("snapshot")
        self.write(cluster, 3)
        cluster.nodes.append(behind)

    def change(self, cluster, line):
        def changed():
            try:
                cluster.leader().ask(line)
                return True
            except Refused:
                return False

        until(changed, line)
