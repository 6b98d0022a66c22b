#!/usr/bin/env python3
"""One cluster of hashicorp/raft 1.1.2 (Debian's) and ours: who leads, fails, joins and catches up.

INTEROP_RAFT is the Go program in raft/, built. What is acknowledged must be there at the end, everywhere; the hash over all
commands that a state machine has applied says that the histories are the same."""

import tempfile
import unittest

from raft_nodes import Cluster, Go, Ours, Refused, until

COMMANDS = 30  # of one round
LARGE = "x" * (1 << 20)
SHORT_LOG = {"ours": {"trailing_entries": 5, "snapshot_threshold": 1_000_000}, "theirs": ["-trailing", "5"]}


class Raft(unittest.TestCase):
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

    def test_everybody_leads_in_turn_and_large_entries_pass(self):
        with Cluster(self.directory, [Go, Go, Ours]) as cluster:
            for node in (cluster.nodes[0], cluster.nodes[2], cluster.nodes[1], cluster.nodes[2]):
                cluster.lead(node)
                self.write(cluster)
                self.assertEqual(cluster.write(f"set large-{node.name} {LARGE}"), "ok")
            cluster.settle()
            for node in cluster.nodes:
                self.assertEqual(node.ask("get large-s1"), LARGE)
            self.assertEqual(cluster.write("cas key-0 other new"), "fail value-0")
            self.assertEqual(cluster.write("get key-1"), "value-1")
            self.check(cluster)

    def test_a_leader_dies(self):
        with Cluster(self.directory, [Go, Ours, Ours]) as cluster:
            for dies in (cluster.nodes[0], cluster.nodes[1]):
                cluster.lead(dies)
                self.write(cluster)
                dies.kill()
                cluster.leader(dies)
                self.write_without(cluster, dies)
                cluster.start(dies)
                self.check(cluster)

    def write_without(self, cluster, dead):
        cluster.nodes.remove(dead)
        self.write(cluster)
        cluster.nodes.append(dead)

    def test_snapshots_pass_both_ways(self):
        with Cluster(self.directory, [Go, Go, Ours], **SHORT_LOG) as cluster:
            theirs, ours = cluster.nodes[0], cluster.nodes[2]
            for leader, behind in ((ours, theirs), (theirs, ours)):
                behind.kill()
                cluster.nodes.remove(behind)
                cluster.lead(leader)
                self.write(cluster)
                leader.ask("snapshot")
                self.write(cluster, 3)
                cluster.nodes.append(behind)
                cluster.start(behind)
                self.check(cluster)
            snapshot = int(ours.state()["snapshot"])
            self.assertGreater(snapshot, COMMANDS)
            # What was received is what it starts with.
            ours.kill()
            cluster.start(ours)
            self.assertGreaterEqual(int(ours.state()["snapshot"]), snapshot)
            self.check(cluster)

    def test_servers_come_and_go(self):
        with Cluster(self.directory, [Go, Ours, Ours]) as cluster:
            cluster.lead(cluster.nodes[1])
            self.write(cluster)
            for number, kind in ((8, Go), (9, Ours)):
                joins = kind(f"s{number}", self.directory)
                cluster.nodes.append(joins)
                cluster.start(joins)
                self.change(cluster, f"addnonvoter {joins.name} {joins.address}")
                self.check(cluster)
                self.assertFalse(joins.members()[joins.name])
                self.change(cluster, f"addvoter {joins.name} {joins.address}")
                cluster.settle()
                self.assertTrue(joins.members()[joins.name])
                cluster.lead(joins)
                self.write(cluster)
            # Under a leader of either kind.
            leaves = cluster.nodes[0]
            self.change(cluster, f"demote {leaves.name}")
            self.assertFalse(cluster.leader().members()[leaves.name])
            self.change(cluster, f"remove {leaves.name}")
            leaves.kill()
            cluster.nodes.remove(leaves)
            self.write(cluster)
            self.check(cluster)
            self.assertEqual(set(cluster.leader().members()), {"s2", "s3", "s8", "s9"})

    def change(self, cluster, line):
        def changed():
            try:
                cluster.leader().ask(line)
                return True
            except Refused:
                return False

        until(changed, line)


if __name__ == "__main__":
    unittest.main()
