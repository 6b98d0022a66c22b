#!/usr/bin/env python3
"""Clusters of hashicorp/raft 1.1.2 and ours beyond three of one form: the old header, five servers, one-sided partitions,
leaders that stand still, all of them killed at once; and a recorded dialogue with the server that it was recorded for."""

import contextlib
import random
import re
import socket
import tempfile
import threading
import time
import unittest

from raft_nodes import LIMIT, Cluster, Go, Ours, Refused, pause, resume, until
from raft_written import ClusterTest, Load

from server import ROOT, SOAK  # the path is set by raft_nodes

TIMEOUT = 0.25  # seconds, of an election
OURS = {
    "heartbeat_timeout": "250ms", "election_timeout": "250ms", "lease_timeout": "150ms",
    "trailing_entries": 5, "snapshot_threshold": 1_000_000,
}  # fmt: skip
THEIRS = ["-heartbeat", "250ms", "-election", "250ms", "-lease", "150ms", "-trailing", "5"]
ROUNDS = 8 if SOAK else 1
CUTS = 50 if SOAK else 3
DIALOGUE = ROOT / "tests/vectors/hashicorp-raft/dialogue.txt"


class Mixed(ClusterTest):
    def cluster(self, *kinds):
        return Cluster(self.directory, kinds, OURS, THEIRS)

    def revive(self, cluster, leader):
        """kill -9 of the leader, writes without it, its return."""
        leader.kill()
        self.write_without(cluster, leader)
        cluster.start(leader)
        self.check(cluster)

    def test_the_old_form_of_the_header(self):
        """Ours leads and follows, hands over both ways, gives and takes snapshots, adds and removes one of the new form."""
        with Cluster(self.directory, [Go, Go, Ours], {**OURS, "old_header": True}, THEIRS) as cluster:
            theirs, ours = cluster.nodes[0], cluster.nodes[2]
            for leader in (ours, theirs, ours):
                cluster.lead(leader)
                self.write(cluster, 10)
                self.check(cluster)
            self.assertEqual(ours.state()["leader_id"], ours.name)
            self.revive(cluster, ours)
            for leader, behind in ((ours, theirs), (theirs, ours)):
                self.leave_behind(cluster, behind, leader)
                cluster.start(behind)
                self.check(cluster)
            self.assertGreater(int(ours.state()["snapshot"]), 0)
            cluster.lead(ours)
            joins = Ours("s9", self.directory)
            joins.settings = {"old_header": False}
            cluster.nodes.append(joins)
            cluster.start(joins)
            self.change(cluster, f"addnonvoter {joins.name} {joins.address}")
            self.check(cluster)
            self.change(cluster, f"addvoter {joins.name} {joins.address}")
            until(lambda: joins.members()[joins.name], "it knows that it votes")
            for leader in (joins, ours):
                cluster.lead(leader)
                self.write(cluster, 10)
            self.change(cluster, f"demote {joins.name}")
            self.change(cluster, f"remove {joins.name}")
            cluster.nodes.remove(joins)
            joins.kill()
            self.write(cluster, 10)
            self.check(cluster)

    def test_five_servers(self):
        """Three of theirs and two of ours: leaders die, one or two are cut off or stand still, each leads."""
        with self.cluster(Go, Go, Go, Ours, Ours) as cluster:
            cluster.nodes[3].settings = {"old_header": True}  # from its next start on
            for _ in range(ROUNDS):
                self.write(cluster, 10)
                self.revive(cluster, cluster.leader())
            chance = random.Random(1)
            cluster.lead(cluster.nodes[3])
            with Load([node for node in cluster.nodes if isinstance(node, Ours)]) as load:
                for _ in range(CUTS):
                    if isinstance(cluster.leader(), Go):  # the writers speak with ours alone
                        cluster.lead(cluster.nodes[chance.choice([3, 4])])
                    for node in (disturbed := chance.sample(cluster.nodes, chance.choice([1, 2]))):
                        self.disturb(cluster, node, chance)
                    load.over.wait(2 * TIMEOUT)
                    for node in disturbed:
                        self.leave_alone(cluster, node)
            self.written |= load.written
            for node in cluster.nodes:
                cluster.lead(node)
                self.write(cluster, 3)
            self.check(cluster)
            print(f"{len(load.written)} writes acknowledged while one or two were cut off or stood still", flush=True)

    def disturb(self, cluster, node, chance):
        if isinstance(node, Ours):
            pause(node)
        elif chance.random() < 0.5:
            node.ask("isolate on")
        else:  # it hears them, and they do not hear it
            for other in cluster.nodes:
                if other is not node:
                    node.ask(f"block {other.address}")

    def leave_alone(self, cluster, node):
        if isinstance(node, Ours):
            return resume(node)
        node.ask("isolate off")
        for other in cluster.nodes:
            node.ask(f"unblock {other.address}")

    def test_a_leader_stands_still_for_three_time_outs(self):
        with self.cluster(Go, Ours, Ours) as cluster:
            for leader in cluster.nodes[:2]:
                cluster.lead(leader)
                self.write(cluster, 10)
                term = int(leader.state()["term"])
                pause(leader)
                stood_still_since = time.monotonic()
                try:
                    self.write_without(cluster, leader)
                    threading.Event().wait(max(0.0, stood_still_since + 3 * TIMEOUT - time.monotonic()))
                finally:
                    resume(leader)  # it still believes to lead
                self.check(cluster)
                self.assertGreater(int(cluster.leader().state()["term"]), term)

    def test_all_are_killed_at_once(self):
        with self.cluster(Go, Ours, Ours) as cluster:
            for number in range(4 * ROUNDS):
                cluster.lead(cluster.nodes[1 + number % 2])
                with Load(cluster.nodes[1:], f"{number}-") as load:
                    load.goes_on(random.randrange(20, 60))
                    for node in cluster.nodes:
                        node.kill()
                self.written |= load.written
                for node in cluster.nodes:
                    cluster.start(node)
                self.check(cluster)


class Dialogue(unittest.TestCase):
    """What 1.7.3 has answered is what the server answers, over connections, byte for byte."""

    def turns(self):
        note = ""
        for line in DIALOGUE.read_text().splitlines():
            if line.startswith("#"):
                note = line[2:]
            elif found := re.match(r"raft-1\.7\.3 ([<>]) (.*)", line):
                yield note, found[1], found[2]

    def test_the_server_answers_like_1_7_3(self):
        with contextlib.ExitStack() as held:
            node = self.recorded_server(held)
            requests = answers = 0
            for note, direction, content in self.turns():
                with self.subTest(note):
                    if direction == ">":
                        answer = self.say(node, bytes.fromhex(content))
                        requests += 1
                    elif content.startswith("text"):
                        self.assertIn(b"failed to restore snapshot", answer)
                        self.assertIn(b"\xa7Success\xc2", answer)
                        answers += 1
                    elif note == "timeout now":  # the snapshot has made it no voter, and Go stands anyhow
                        self.assertIn(b"not a voter of this cluster", answer)
                        answers += 1
                    else:
                        self.assertEqual(answer.hex(), "" if content.strip() == "closed" else content)
                        answers += 1
            self.assertEqual((requests, answers), (33, 33))
            self.assertEqual(node.sum(), (8, "2c62d13e3847a944"))

    def recorded_server(self, held):
        """n1 of three voters, which never begins anything by itself."""
        directory = held.enter_context(tempfile.TemporaryDirectory(prefix="sy-raft-"))
        node = Ours("n1", directory)
        times = {f"{name}_timeout": "60s" for name in ("heartbeat", "election", "lease")}
        founders = {"n1": "127.0.0.1:39977", "n2": "127.0.0.1:1", "n3": "127.0.0.1:2"}
        node.start(
            address=founders["n1"], bootstrap=[{"node": name, "address": address} for name, address in founders.items()], **times
        )  # fmt: skip
        held.callback(node.kill)
        return node

    def say(self, node, request):
        """All that comes back on a connection of its own, on which nothing more is sent."""
        with socket.create_connection(node.server.addresses["server"], timeout=LIMIT) as connection:
            connection.sendall(b"\x01" + request)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: self.receive(connection), b""))

    def receive(self, connection):
        with contextlib.suppress(ConnectionResetError):
            return connection.recv(65536)
        return b""


if __name__ == "__main__":
    unittest.main()
