#!/usr/bin/env python3
"""One cluster of hashicorp/raft 1.1.2 (Debian's) and ours: who leads, fails, joins and catches up.

INTEROP_RAFT is the Go program in raft/, built. What is acknowledged must be there at the end, everywhere; the hash over all
commands that a state machine has applied says that the histories are the same."""

import contextlib
import json
import math
import os
import pathlib
import random
import re
import socket
import threading
import time
import unittest

import linearizability
from linearizability import Operation
from raft_nodes import HEARTBEAT, LIMIT, Cluster, Go, Ours, Refused, pause, resume, until
from raft_written import COMMANDS, ClusterTest

from certificates import SERVER_NAMES, Authority, client_context  # the path is set by raft_nodes
from server import PLUGINS, SOAK, command

LARGE = "x" * (1 << 20)
SHORT_LOG = {"ours": {"trailing_entries": 5, "snapshot_threshold": 1_000_000}, "theirs": ["-trailing", "5"]}


class Client(threading.Thread):
    """Does one thing after the other to a few registers, and writes down what it saw."""

    KEYS = 40

    def __init__(self, nodes, seed, over):
        super().__init__(daemon=True)
        self.nodes, self.chance, self.over, self.history = nodes, random.Random(seed), over, []

    def run(self):
        number = 0
        while not self.over.wait(0.01):
            number += 1
            key = f"r{self.chance.randrange(self.KEYS)}"
            new, old = (f"{self.name}-{number}" if i == 0 else self.chance.choice(self.values(key)) for i in range(2))
            kind, arguments = self.chance.choice([("set", (new,)), ("get", ()), ("cas", (old, new))])
            if "" in arguments:
                continue  # no command can say it
            begun = time.monotonic()
            result = self.ask(self.chance.choice(self.nodes), " ".join([kind, key, *arguments]))
            returned = time.monotonic()
            if result == "refused":
                continue
            known = result is not None
            self.history.append((key, Operation(begun, returned if known else math.inf, kind, arguments, result)))

    def values(self, key):
        """That it has seen of it."""
        seen = [operation.result for of, operation in self.history if of == key and operation.kind == "get"]
        return [value for value in seen if value] or [""]

    def ask(self, node, command):
        """The result, "refused" when it has certainly not happened, None when nobody knows."""
        try:
            with socket.create_connection(node.server.addresses["raft_kv"], timeout=LIMIT) as connection:
                connection.sendall(f"apply {command}\n".encode())
                answer = connection.makefile().readline()
        except ConnectionRefusedError:
            return "refused"
        except (OSError, AttributeError):
            return None
        if "does not lead" in answer or "handed over" in answer or "does not serve" in answer:
            return "refused"
        if not answer.startswith("ok"):
            return None
        found = re.search(r"response=(.*)", answer)
        return found[1] if found else ""


class Raft(ClusterTest):
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

    def test_snapshots_pass_both_ways(self):
        with Cluster(self.directory, [Go, Go, Ours], **SHORT_LOG) as cluster:
            theirs, ours = cluster.nodes[0], cluster.nodes[2]
            for leader, behind in ((ours, theirs), (theirs, ours)):
                self.leave_behind(cluster, behind, leader)
                cluster.start(behind)
                self.check(cluster)
            snapshot = int(ours.state()["snapshot"])
            self.assertGreater(snapshot, COMMANDS)
            # What was received is what it starts with.
            ours.kill()
            cluster.start(ours)
            self.assertGreaterEqual(int(ours.state()["snapshot"]), snapshot)
            self.check(cluster)

    def test_heartbeats_pass_beside_a_large_snapshot(self):
        padding = 64 << 20
        ours, theirs = {**SHORT_LOG["ours"], "padding": padding}, [*SHORT_LOG["theirs"], "-snapshot-pad", padding]
        with Cluster(self.directory, [Go, Go, Ours], ours=ours, theirs=theirs) as cluster:
            for leader, behind in ((cluster.nodes[2], cluster.nodes[0]), (cluster.nodes[0], cluster.nodes[2])):
                self.leave_behind(cluster, behind, leader)
                term = leader.state()["term"]
                cluster.start(behind)
                self.watch(behind, int(leader.state()["applied"]))
                self.check(cluster)
                self.assertEqual((leader.state()["role"], leader.state()["term"]), ("Leader", term), "nobody began an election")

    def watch(self, node, index):
        """Until it has applied that: once it knows a leader it does so all the time, for it hears of that one."""
        heard, requests, silence, known = None, 0, 0.0, False
        began = time.monotonic()
        while int((state := node.state())["applied"]) < index:
            now = time.monotonic()
            self.assertLess(now - began, LIMIT, state)
            known = known or state["leader"] != ""
            self.assertEqual(known, state["leader"] != "", state)
            if isinstance(node, Ours) and (count := node.requests()) != requests:
                silence, heard, requests = max(silence, now - (heard or now)), now, count
        print(f"64 MiB to {node.name} within {time.monotonic() - began:.1f} s, silence of {1000 * silence:.0f} ms at most", flush=True)
        self.assertLess(silence, HEARTBEAT / 1000)
        snapshot = node.state()["snapshot"] if isinstance(node, Ours) else json.loads(node.ask("stats"))["last_snapshot_index"]
        self.assertGreater(int(snapshot), COMMANDS, "it came as a snapshot")

    def test_a_pipeline_fills_while_a_server_stands_still(self):
        """130 requests are on their way before the first is answered: then all are, in their order."""
        with Cluster(self.directory, [Go, Ours, Ours], ours={"max_pipeline": 130}) as cluster:
            theirs, ours = cluster.nodes[:2]
            for leader, still in ((theirs, ours), (ours, theirs)):
                cluster.lead(leader)
                self.write(cluster, 3)
                cluster.settle()
                pause(still)
                cluster.nodes.remove(still)
                try:
                    self.write(cluster, 200)
                finally:
                    resume(still)
                cluster.nodes.append(still)
                self.check(cluster)  # after an election, if it stood still for longer than its time-out

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
                until(lambda: joins.members()[joins.name], "it knows that it votes")  # no command, no difference in a sum
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

    def test_one_is_cut_off_or_stopped_and_comes_back(self):
        with Cluster(self.directory, [Go, Ours, Ours]) as cluster:
            theirs, ours = cluster.nodes[:2]
            cluster.lead(theirs)
            self.write(cluster)
            theirs.ask("isolate on")
            cluster.nodes.remove(theirs)
            cluster.leader()
            self.write(cluster)
            cluster.nodes.append(theirs)
            theirs.ask("isolate off")
            self.check(cluster)

            cluster.lead(ours)
            pause(ours)  # it still believes to lead when it goes on
            cluster.nodes.remove(ours)
            cluster.leader()
            self.write(cluster)
            resume(ours)
            cluster.nodes.append(ours)
            self.write(cluster, 3)
            self.check(cluster)

    def test_the_checker_of_histories_sees_what_is_wrong(self):
        for history, verdict in linearizability.examples():
            self.assertEqual(linearizability.linearizable(history), verdict, history)

    def test_histories_are_linearizable(self):
        """Clients write, read and compare-and-set through ours while servers are killed, stopped, cut off and swapped."""
        chance = random.Random(os.environ.get("SWITCHYARD_SEED", 1))
        with Cluster(self.directory, [Go, Ours, Ours], ours={"snapshot_threshold": 300}) as cluster:
            theirs, *ours = cluster.nodes
            over = threading.Event()
            clients = [Client(ours, chance.random(), over) for _ in range(4)]
            for client in clients:
                client.start()
            for _ in range(30 if SOAK else 3):
                for disturbed in chance.sample(cluster.nodes, 3):
                    leader = cluster.leader()
                    if leader is theirs:
                        with contextlib.suppress(Refused):
                            leader.ask(f"transfer {ours[0].name} {ours[0].address}")
                    over.wait(1)  # of work
                    self.disturb(cluster, disturbed, chance, over)
            over.wait(1)
            over.set()
            for client in clients:
                client.join(LIMIT)
                self.assertFalse(client.is_alive())
            cluster.settle()
            history = [operation for client in clients for operation in client.history]
            known = [operation for _, operation in history if operation.result is not None]
            print(f"{len(history)} operations, {len(known)} with an outcome", flush=True)
            self.assertGreater(len(known), 100)
            for key in {key for key, _ in history}:
                operations = [operation for of, operation in history if of == key]
                self.assertTrue(linearizability.linearizable(operations), "\n".join(map(str, operations)))

    def disturb(self, cluster, node, chance, over):
        if isinstance(node, Go):
            node.ask("isolate on")
            over.wait(1.5 * HEARTBEAT / 1000)
            node.ask("isolate off")
            return
        how = chance.choice(["stop", "kill", "swap"])
        if how == "stop":
            pause(node)
            over.wait(1.5 * HEARTBEAT / 1000)
            resume(node)
        elif how == "kill":
            node.kill()
            cluster.start(node)
        else:
            command("plugin", "swap", "raft", PLUGINS / "raft.so", "--socket", node.server.socket)

    def test_under_tls_only_a_server_may_speak(self):
        authority = Authority(pathlib.Path(self.directory) / "ca")
        certificate, key = authority.issue("server")
        conf = authority.directory / "ca.conf"
        conf.write_text(conf.read_text().replace(SERVER_NAMES, "DNS:agent.dc1.consul"))
        agent = authority.issue("agent")
        tls = {"ca": authority.certificate, "certificate": certificate, "key": key,
               "verify_incoming": True, "verify_outgoing": True}  # fmt: skip
        theirs = ["-tls-byte", "-tls-cert", certificate, "-tls-key", key, "-tls-ca", authority.certificate,
                  "-tls-name", "server.dc1.consul"]  # fmt: skip
        with Cluster(self.directory, [Go, Ours, Ours], ours={"tls": tls}, theirs=theirs) as cluster:
            for node in cluster.nodes[:2]:
                cluster.lead(node)
                self.write(cluster)
            self.check(cluster)

            ours = cluster.nodes[1]
            ip, port = ours.server.address
            refused = "switchyard_raft_connections_refused_total"
            for identity, count in ((agent, 1), ((certificate, key), 1)):
                with socket.create_connection((ip, port), timeout=LIMIT) as connection:
                    connection.sendall(b"\x03")
                    context = client_context(authority, identity)
                    with context.wrap_socket(connection, server_hostname="server.dc1.consul") as stream:
                        stream.sendall(b"\x01\x03\x81\xafProtocolVersion\x03")  # TimeoutNow
                        with contextlib.suppress(OSError):
                            answer = stream.recv(1)
                        self.assertEqual(bool(answer), identity is not agent)
                self.assertEqual(sum(v for k, v in ours.server.metrics().items() if k.startswith(refused)), count)


if __name__ == "__main__":
    unittest.main()
