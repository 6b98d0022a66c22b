#!/usr/bin/env python3
"""Versions of raft and of the plugin whose state machine it has, swapped under load in a cluster of ours: what was
acknowledged is there, once, on every server."""

import json
import os
import pathlib
import re
import shutil
import tempfile
import time
import unittest

from raft_nodes import HEARTBEAT, Cluster, Ours, pause, resume, until
from raft_written import WRITERS, Load

from process import settles  # the path is set by raft_nodes
from server import PLUGINS, SANITIZED, SOAK, command

VERSIONS = pathlib.Path(os.environ.get("INTEROP_RAFT_VERSIONS", PLUGINS.parent.parent / "tests/interop/raft_versions"))
SWAPS = 100 if SOAK else 6


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

    def cluster(self, count=3, **settings):
        # Pauses are judged here: a disk that stands still for a second is not what is tested.
        patient = {"swap": {"pause": "10s"}, "snapshot_threshold": 1_000_000}
        return Cluster(self.directory, [Ours] * count, ours={**patient, **settings})

    def swap(self, node, plugin, file, expected=0):
        words = ["plugin", "swap", plugin, file, "--socket", node.server.socket]
        if expected:
            return command(*words, expected=expected)
        answer = json.loads(command(*words, "--json").splitlines()[-1])
        of = lambda: next(each for each in node.server.status()["plugins"] if each["name"] == plugin)
        if not answer["window_ms"]:
            leaving = lambda: [each for each in of()["generations"] if each["state"] not in ("serving", "retained", "failed")]
            self.assertTrue(settles(lambda: not leaving()), of)
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

    def test_a_leader_is_swapped_under_load(self):
        with self.cluster() as cluster:
            pauses, longest, terms = [], [], {node.name: 0 for node in cluster.nodes}
            with Load(cluster.nodes) as load:
                for number in range(SWAPS):
                    for writer in load.writers:
                        writer.longest = 0.0
                    leader = cluster.leader()
                    answer = self.swap(leader, "raft", self.version("raft") if number % 2 == 0 else PLUGINS / "raft.so")
                    pauses.append(answer["pause_us"] / 1000)
                    load.goes_on()
                    longest.append(1000 * max(writer.longest for writer in load.writers))
                    for node in cluster.nodes:
                        term = int(node.state()["term"])
                        self.assertGreaterEqual(term, terms[node.name])
                        terms[node.name] = term
            middle = lambda times: sorted(times)[len(times) // 2]
            unknown = sum(writer.unknown for writer in load.writers)
            print(f"{SWAPS} swaps of a leader, {load.count()} writes, {unknown} unknown; pause median {middle(pauses):.1f} ms, "
                  f"worst {max(pauses):.1f} ms; a writer waited median {middle(longest):.1f} ms, worst {max(longest):.1f} ms", flush=True)
            if not SANITIZED:
                self.assertLess(middle(pauses), HEARTBEAT / 3)
            self.check(cluster, load)

    def test_nobody_takes_the_leadership_over(self):
        """The others stand still: the old one waits a bounded time, and the new one asks for their votes."""
        with self.cluster() as cluster:
            with Load(cluster.nodes) as load:
                leader = cluster.leader()
                term = int(leader.state()["term"])
                others = [node for node in cluster.nodes if node is not leader]
                for node in others:
                    pause(node)
                try:
                    answer = self.swap(leader, "raft", self.version("raft"))
                finally:
                    for node in others:
                        resume(node)
                if not SANITIZED:
                    self.assertLess(answer["pause_us"] / 1000, HEARTBEAT)
                load.goes_on()
                self.assertGreater(int(cluster.leader().state()["term"]), term)
            print(f"nobody took over: pause {answer['pause_us'] / 1000:.0f} ms", flush=True)
            self.check(cluster, load)

    def test_between_snapshots(self):
        """Servers in turn, while each takes a snapshot every few entries and cuts its log."""
        with self.cluster(snapshot_threshold=40, trailing_entries=10) as cluster:
            with Load(cluster.nodes) as load:
                for number in range(SWAPS):
                    node = cluster.nodes[number % 3]
                    self.swap(node, "raft", self.version("raft") if number % 2 == 0 else PLUGINS / "raft.so")
                    load.goes_on()
            cluster.settle()
            for node in cluster.nodes:
                self.assertGreater(int(node.state()["snapshot"]), 0)
                for key, value in load.written.items():
                    self.assertEqual(node.ask(f"get {key}"), value, f"{key} on {node.name}")

    def test_a_reload_takes_what_may_change(self):
        with self.cluster() as cluster, Load(cluster.nodes) as load:
            server = cluster.leader().server
            before = server.file.read_text()
            server.file.write_text(before.replace("snapshot_threshold = 1000000", "snapshot_threshold = 999999"))
            self.assertNotEqual(server.file.read_text(), before)
            command("reload", "--socket", server.socket)
            generations = lambda: {each["name"]: each["generation"] for each in server.status()["plugins"]}
            self.assertEqual(generations(), {"raft": 2, "raft_kv": 1})
            load.goes_on()
            # Both at once: the state machine is exchanged with the version that takes over.
            both = before.replace("snapshot_threshold = 1000000", "snapshot_threshold = 999998")
            server.file.write_text(both.replace("snapshot_padding = 0", "snapshot_padding = 1"))
            command("reload", "--socket", server.socket)
            self.assertEqual(generations(), {"raft": 3, "raft_kv": 2})
            load.goes_on()
            server.file.write_text(re.sub(r'(config = .*data_dir = ")', r"\1/nowhere", before))
            said = command("reload", "--socket", server.socket, expected=1)
            self.assertRegex(said, "lock of another directory than /nowhere.*a restart only")
            load.goes_on()
            self.assertEqual(generations(), {"raft": 3, "raft_kv": 2})
            cluster.settle()

    def test_a_server_alone_leads_again_at_once(self):
        with self.cluster(1) as cluster:
            times = []
            with Load(cluster.nodes) as load:
                for _ in range(SWAPS // 2):
                    began = time.monotonic()
                    self.swap(cluster.nodes[0], "raft", self.version("raft"))
                    load.goes_on(WRITERS + 1)
                    times.append(time.monotonic() - began)
            if not SANITIZED:  # every one of them would take longer if it waited for an election
                self.assertLess(min(times), HEARTBEAT / 1000)
            self.check(cluster, load)

    def test_a_version_that_cannot_go_on_gives_back(self):
        faults = {
            "crash_in_probe": r"crashed its trial process in check_config\(\)",
            "refuses": r"take_over\(\) failed: it does not like it",
            "unwell": r"health\(\) failed: it is not well",
            "unwell_for_good": r"health\(\) failed: it is not well",
            "hangs": r"take_over\(\) did not return within 2 s",
        }
        settings = {"limits": {"control_timeout": "2s"}}
        for count in (3, 1):
            with self.subTest(servers=count), self.cluster(count, **settings) as cluster:
                with Load(cluster.nodes) as load:
                    for fault, sentence in faults.items():
                        leader = cluster.leader()
                        before = leader.state()
                        with self.subTest(fault=fault):
                            said = self.swap(leader, "raft", VERSIONS / f"raft_{fault}.so", expected=1)
                            self.assertRegex(said, sentence)
                            load.goes_on()
                            until(lambda: int(leader.state()["applied"]) >= int(before["applied"]), leader.state)
                            self.assertGreaterEqual(int(leader.state()["term"]), int(before["term"]))
                    self.swap(leader, "raft", self.version("raft"))
                    load.goes_on()
                self.check(cluster, load)
            shutil.rmtree(self.directory)
            self.directory.mkdir()

    def test_the_state_machine_is_exchanged(self):
        """raft_kv: the new one is brought to where the log is, and the old one when it is taken back."""
        with self.cluster() as cluster:
            with Load(cluster.nodes) as load:
                for node in cluster.nodes:
                    node.ask("sum")  # over a connection that the old one keeps
                    self.assertGreater(self.swap(node, "raft_kv", self.version("raft_kv"))["window_ms"], 0)
                    load.goes_on()
                    until(lambda: "another version" in node.exchange("sum"), "it says that its state is old")
                node = cluster.leader()
                command("plugin", "rollback", "raft_kv", "--socket", node.server.socket)
                load.goes_on()
                until(lambda: node.exchange("sum").startswith("ok"), "it has caught up")
            self.check(cluster, load)


if __name__ == "__main__":
    unittest.main()
