#!/usr/bin/env python3
"""`switchyard cluster …` on servers of ours: what it shows, what it asks before, what it changes."""

import contextlib
import json
import tempfile
import unittest

from raft_nodes import Cluster, Ours, until

from server import Server, command  # the path is set by raft_nodes


class ClusterCommand(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="sy-raft-")
        self.addCleanup(scratch.cleanup)
        self.directory = scratch.name

    def on(self, node, *words, expected=0):
        return command("cluster", *words, "--socket", node.server.socket, expected=expected)

    def peers(self, node):
        return json.loads(self.on(node, "peers", "--json"))

    def test_peers_transfer_remove_and_add(self):
        with Cluster(self.directory, [Ours, Ours, Ours]) as cluster:
            first = cluster.leader()
            shown = self.peers(first)
            self.assertEqual(shown["role"], "leader")
            self.assertEqual(sorted(server["id"] for server in shown["servers"]), ["s1", "s2", "s3"])
            self.assertIn("leader", self.on(first, "peers"))

            other = next(node for node in cluster.nodes if node is not first)
            self.assertIn("does not lead", self.on(other, "transfer", expected=1))
            self.on(first, "transfer", other.name)
            until(lambda: cluster.leader() is other, cluster.states)

            cluster.write("set a 1")
            self.on(other, "snapshot")
            self.assertGreater(self.peers(other)["log"]["snapshot"], 0)

            self.assertIn("--yes", self.on(other, "remove", first.name, expected=2))
            self.assertEqual(len(self.peers(other)["servers"]), 3)
            self.on(other, "remove", first.name, "--yes")
            self.assertEqual(len(self.peers(other)["servers"]), 2)
            self.on(other, "add", first.name, first.address, "--nonvoter")
            votes = {server["id"]: server["voter"] for server in self.peers(other)["servers"]}
            self.assertEqual((votes[first.name], len(votes)), (False, 3))

    def test_bootstrap_once_and_recover_alone(self):
        one = Ours("s1", self.directory)
        one.start()
        two = Ours("s2", self.directory)
        try:
            self.assertEqual(self.peers(one)["servers"], [])
            self.assertIn("--yes", self.on(one, "bootstrap", expected=2))
            self.on(one, "bootstrap", "--yes")
            until(one.leads, one.exchange("state"))
            self.assertIn("already", self.on(one, "bootstrap", "--yes", expected=1))
            self.assertEqual(one.apply("set kept 1"), "ok")

            two.start()
            self.on(one, "add", two.name, two.address)
            until(lambda: two.sum() == one.sum(), "the same")
            self.assertIn("leads", self.on(one, "recover", "--yes", expected=1))
            one.kill()
            self.on(two, "recover", "--yes")
            until(two.leads, "leads alone")
            self.assertEqual(two.ask("get kept"), "1")
            self.assertEqual([server["id"] for server in self.peers(two)["servers"]], ["s2"])
            two.stop()
        finally:
            for node in one, two:
                with contextlib.suppress(Exception):
                    node.kill()

    def test_without_raft_it_says_so(self):
        with Server() as server:
            self.assertIn("plugin.raft", command("cluster", "peers", "--socket", server.socket, expected=1))


if __name__ == "__main__":
    unittest.main()
