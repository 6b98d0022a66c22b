#!/usr/bin/env python3
"""One version of a plugin after another under load: no call fails, and what a bad version says."""

import collections
import contextlib
import json
import os
import pathlib
import re
import shutil
import tempfile
import threading
import unittest

import wire
from process import settles
from server import PLUGINS, SANITIZED, SOAK, Server, command
from swap_load import Load

VERSIONS = pathlib.Path(os.environ.get("SWITCHYARD_SWAPPED", PLUGINS.parent.parent / "tests/system/swapped")).resolve()
SWAPS = 1000 if SOAK else 50
SWAPPED = 64


def setUpModule():
    global scratch, directory
    scratch = tempfile.TemporaryDirectory(prefix="sy-swap-")
    directory = pathlib.Path(scratch.name)
    for file in (*VERSIONS.glob("*.so"), PLUGINS / "netrpc.so"):
        shutil.copy(file, directory)
        (directory / file.name).chmod(0o755)


def tearDownModule():
    scratch.cleanup()


def version(name):
    return directory / f"{name}.so"


class Swap(unittest.TestCase):
    def swap(self, server, plugin, file, expected=0):
        """What `plugin swap` says: its lines as objects, or on failure the sentence."""
        said = command("plugin", "swap", plugin, file, "--json", "--socket", server.socket, expected=expected)
        return [json.loads(line) for line in said.splitlines()]

    def refused(self, server, plugin, file):
        return command("plugin", "swap", plugin, file, "--socket", server.socket, expected=1).strip()

    def plugin(self, server, name):
        return next(plugin for plugin in server.status()["plugins"] if plugin["name"] == name)

    def alone(self, server, name):
        """Waits until one generation of `name` is left."""
        self.assertTrue(settles(lambda: len(self.plugin(server, name)["generations"]) == 1))

    def mapped(self, server):
        return set(re.findall(r"\S+/plugins/\S+\.so", server.proc("maps")))


class UnderLoad(Swap):
    def test_no_call_fails(self):
        with Server(swap={"window": "0s"}, limits={"drain_timeout": "20s"}) as server:
            self.swap(server, "netrpc", version("netrpc"))
            self.alone(server, "netrpc")
            descriptors = server.descriptors()
            load = Load(server.address)
            self.addCleanup(load.kill)
            files = [version("netrpc_next"), version("netrpc")]
            sizes = []
            for number in range(SWAPS):
                lines = self.swap(server, "netrpc", files[number % 2])
                self.assertEqual(lines[-1]["generation"], number + 3)
                self.assertEqual(lines[-1]["version"], ["0.2.0", "0.1.0"][number % 2])
                self.alone(server, "netrpc")
                self.assertEqual(len(self.mapped(server)), 1, "the old one is unmapped")
                if number in (10, SWAPS - 1):
                    sizes.append((len(os.listdir(f"/proc/{server.pid}/task")), server.memory()))
            account = load.end()
            self.assertEqual(account["errors"], [])
            self.assertGreater(account["sessions"], SWAPS // 2)
            self.assertTrue(settles(lambda: server.status()["connections"]["open"] == 0))
            self.assertTrue(settles(lambda: server.descriptors() == descriptors), "descriptors")
            (threads, memory), (threads_after, memory_after) = sizes
            self.assertEqual(threads_after, threads)
            if not SANITIZED:
                self.assertLess((memory_after - memory) / (SWAPS - 10), 64, "KiB a swap")
            print(f"{account['calls']} calls over {account['sessions']} sessions, worst {1000 * account['worst']:.1f} ms, "
                  f"{memory_after - memory} KiB in {SWAPS - 10} swaps", flush=True)

    def test_a_connection_stays_with_its_generation(self):
        with Server(swap={"window": "60s"}) as server, wire.dial(server.address) as old:
            wire.ping(old, 1, bytes([wire.RPC]))
            self.swap(server, "netrpc", version("netrpc_next"))
            wire.ping(old, 2)
            with wire.dial(server.address) as new:
                wire.ping(new, 3, bytes([wire.RPC]))
                now, before = self.plugin(server, "netrpc")["generations"]
                self.assertEqual((now["state"], now["version"], now["connections"]), ("serving", "0.2.0", 1))
                self.assertEqual((before["state"], before["version"], before["connections"]), ("warm", "0.1.0", 1))

                said = command("plugin", "rollback", "netrpc", "--socket", server.socket)
                self.assertIn("netrpc 0.1.0 serves as generation 1 again", said)
                self.assertEqual(wire.read_to_end(new), b"", "it is drained with its generation")
            wire.ping(old, 4)
            self.alone(server, "netrpc")
            self.assertEqual(self.plugin(server, "netrpc")["generation"], 1)


class BadVersions(Swap):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(
            swap={"window": "60s", "health_interval": "20ms"},
            limits={"probe_timeout": "4s", "control_timeout": "4s"},
            plugins={"swapped": {"library": version("swapped_good")}},
        )

    @classmethod
    def tearDownClass(cls):
        # One hangs in init: its code is left, and the end is orderly all the same.
        cls.server.stop()

    def says(self):
        with wire.dial(self.server.address) as connection:
            wire.send(connection, bytes([SWAPPED]))
            return wire.read_to_end(connection)

    def why(self):
        return command("plugin", "why", "swapped", "--socket", self.server.socket)

    def test_leave_the_old_one_serving(self):
        cases = {
            "crash_in_probe": r"crashed its trial process .*signal 11",
            "fail_in_init": r"init\(\) failed: the table is locked$",
            "hang_in_init": r"init\(\) did not return within 4 s",
            "unwell": r"health\(\) failed: the table is full$",
        }
        generation = self.plugin(self.server, "swapped")["generation"]
        for name, sentence in cases.items():
            with self.subTest(version=name):
                self.assertRegex(self.refused(self.server, "swapped", version(f"swapped_{name}")), sentence)
                self.assertEqual(self.says(), b"good\n")
                self.assertEqual(self.plugin(self.server, "swapped")["generation"], generation)
                self.assertRegex(self.why(), r"last swap +failed: plugin swapped: " + (".*" + sentence).replace("$", ""))

    def test_are_taken_back_when_they_turn_bad(self):
        before = self.plugin(self.server, "swapped")["generation"]
        lines = self.swap(self.server, "swapped", version("swapped_turns_bad"))
        after = lines[-1]["generation"]
        phases = [line["phase"] for line in lines[:-1]]
        self.assertEqual(phases, ["verified", "planned", "probed", "started", "activated", "healthy", "flipped"])
        self.assertTrue(settles(lambda: self.plugin(self.server, "swapped")["generation"] == before))
        self.assertEqual(self.says(), b"good\n")
        self.assertRegex(
            self.why(), rf"rolled back: plugin swapped: generation {after} was not well \d+ ms after the flip: .*the table is full"
        )

    def test_are_taken_back_when_they_fail_their_connections(self):
        before = self.plugin(self.server, "swapped")["generation"]
        after = self.swap(self.server, "swapped", version("swapped_refuse_connections"))[-1]["generation"]
        tried = 0
        while self.plugin(self.server, "swapped")["generation"] == after and tried < 1000:
            tried += 1
            with wire.dial(self.server.address) as connection, contextlib.suppress(ConnectionError):
                wire.send(connection, bytes([SWAPPED]))
                wire.read_to_end(connection)
        self.assertEqual(self.plugin(self.server, "swapped")["generation"], before)
        self.assertEqual(self.says(), b"good\n")
        self.assertRegex(
            self.why(), rf"rolled back: plugin swapped: generation {after} failed \d+ of its \d+ connections within \d+ ms of the flip"
        )

    def test_are_named_by_a_dry_run(self):
        plan = ["plugin", "swap", "--dry-run", "swapped"]
        self.assertIn("used by            none", command(*plan, version("swapped_good"), "--socket", self.server.socket))
        said = command(*plan, version("swapped_crash_in_probe"), "--socket", self.server.socket, expected=1)
        self.assertIn("crashed its trial process", said)
        said = command(*plan, directory / "nothing.so", "--socket", self.server.socket, expected=1)
        self.assertIn("nothing.so does not exist: install it, or correct library at the command line", said)


class TrialConnections(Swap):
    def test_are_spoken_on_before_the_flip_and_counted_nowhere(self):
        plugins = {"netrpc": {"library": "netrpc.so"}, "swapped": {"library": version("swapped_good")}}
        with Server(swap={"window": "60s"}, plugins=plugins) as server:
            for name, file in (("netrpc", version("netrpc_next")), ("swapped", version("swapped_answers"))):
                phases = [line.get("phase") for line in self.swap(server, name, file)]
                self.assertEqual(phases[-4:-1], ["healthy", "answered", "flipped"])
                self.assertEqual((self.plugin(server, name)["connections"], self.plugin(server, name)["errors"]), (0, 0))
            counts = server.status()["connections"]
            self.assertEqual((counts["open"], counts["accepted"], sum(counts["closed"].values())), (0, 0, 0))
            self.assertIn("trials       netrpc.single, netrpc.multi\n", command("plugin", "why", "netrpc", "--socket", server.socket))

    def test_are_missing_where_the_manifest_offers_none(self):
        with Server(swap={"window": "0s"}, plugins={"swapped": {"library": version("swapped_answers")}}) as server:
            plan = ["plugin", "swap", "swapped", "--dry-run", "--socket", server.socket]
            self.assertIn("trial connections  test.swapped\n", command(*plan))
            self.assertIn("trial connections  none offered by its manifest\n", command(*plan, version("swapped_good")))
            phases = [line.get("phase") for line in self.swap(server, "swapped", version("swapped_good"))]
            self.assertEqual(phases[-3:-1], ["healthy", "flipped"])
            self.assertIn("trials       none offered by its manifest\n", command("plugin", "why", "swapped", "--socket", server.socket))


class Unloading(Swap):
    """What a dry run says of the old generation's end, and what comes of it."""

    def foreseen(self, server, file):
        said = command("plugin", "swap", "swapped", file, "--dry-run", "--json", "--socket", server.socket)
        return json.loads(said)["unload"]

    def test_is_foreseen(self):
        good, bad = version("swapped_good"), version("swapped_thread_local")
        thread_local = "it has something thread_local with a destructor, which keeps it wherever a loop has touched it"
        with Server(swap={"window": "0s"}, plugins={"swapped": {"library": good}}) as server:
            self.assertEqual(self.foreseen(server, bad), {"expected": True, "doubts": [], "ends_first": []})
            self.swap(server, "swapped", bad)
            self.alone(server, "swapped")
            with wire.dial(server.address) as connection:
                wire.send(connection, bytes([SWAPPED]))
                wire.read_to_end(connection)
            self.assertEqual(self.foreseen(server, good), {"expected": False, "doubts": [thread_local], "ends_first": []})
            said = command("plugin", "swap", "swapped", good, "--dry-run", "--socket", server.socket)
            self.assertIn(f"old one unmapped   doubtful: {thread_local}\nends before that   none\n", said)

            self.swap(server, "swapped", good)
            self.assertTrue(settles(lambda: self.plugin(server, "swapped")["generations"][-1]["state"] == "retained"))
            stayed = self.plugin(server, "swapped")["generations"][-1]["generation"]
            self.swap(server, "swapped", bad)
            self.assertEqual(
                self.foreseen(server, good)["doubts"],
                [
                    thread_local,
                    f"generation {stayed}, of the same file, has stayed: plugin swapped: its code stays in memory: the loader keeps it mapped",
                ],
            )

    def test_waits_for_what_it_holds(self):
        with Server(plugins={"netrpc": {"library": "netrpc.so"}}) as server, wire.dial(server.address) as connection:
            wire.ping(connection, 1, bytes([wire.RPC]))
            plan = ["plugin", "swap", "netrpc", "--dry-run", "--socket", server.socket]
            unload = json.loads(command(*plan, "--json"))["unload"]
            self.assertEqual((unload["expected"], unload["ends_first"][0]), (True, "1 connection"))
            self.assertIn("old one unmapped   expected\nends before that   1 connection", command(*plan))


class OverwrittenFile(Swap):
    def test_serves_on_from_its_copy(self):
        file = directory / "overwritten.so"
        shutil.copy(version("swapped_good"), file)
        file.chmod(0o755)
        with Server(plugins={"swapped": {"library": file}}) as server:
            file.write_bytes(file.read_bytes()[:5000])  # the same inode, shorter: what maps it would get SIGBUS
            for _ in range(2):
                with wire.dial(server.address) as connection:
                    wire.send(connection, bytes([SWAPPED]))
                    self.assertEqual(wire.read_to_end(connection), b"good\n")
                self.assertRegex(self.refused(server, "swapped", file), r"overwritten\.so has 5000 bytes where its headers speak of \d+")


class LastOnItsLoop(Swap):
    def test_is_left_before_it_is_unmapped(self):
        """It tells the end of its drain from inside a function on a loop, and stays in there."""
        file = version("swapped_linger_on_loop")
        with Server(swap={"window": "0s"}, plugins={"swapped": {"library": file}}) as server:
            with wire.dial(server.address) as connection:
                wire.send(connection, bytes([SWAPPED]))
                self.assertEqual(connection.recv(100), b"linger_on_loop\n")
                self.swap(server, "swapped", version("swapped_good"))
            self.alone(server, "swapped")
            self.assertIn("unloaded generation=1", server.log)
            with wire.dial(server.address) as connection:
                wire.send(connection, bytes([SWAPPED]))
                self.assertEqual(wire.read_to_end(connection), b"good\n")


class EverySecondVersionBad(Swap):
    """Under callers of the plugin that is swapped, and of another one beside it."""

    BEFORE_THE_FLIP = {
        "crash_in_probe": r"crashed its trial process .*signal 11",
        "crash_in_init": r"a trial of init\(\) failed: .*signal 9",
        "fail_in_init": r"init\(\) failed: the table is locked",
        "unwell": r"health\(\) failed: the table is full",
        "wrong_answer": r"generation \d+ answered a trial connection of protocol test.swapped with 9 bytes that are not what its "
        r"manifest promises: 6e 6f 6e 73 65 6e 73 65 0a",
        "no_answer": r"generation \d+ did not answer a trial connection of protocol test.swapped within 1 s",
        "close_at_once": r"generation \d+ closed a trial connection of protocol test.swapped without an answer: its log may say why",
    }
    AT_ITS_END = {
        "hang_in_drain": r"last swap +committed; generation {} did not drain within 2 s and was cut\n",
        "leak_connections": r"last swap +committed; generation {} left \d+ connections? open, which w\w+ closed\n",
    }

    def test_no_call_fails_but_those_that_a_bad_one_has_taken(self):
        with Server(
            swap={"window": "1s", "health_interval": "20ms", "trial_timeout": "1s"},
            limits={"drain_timeout": "2s", "control_timeout": "4s", "connections_per_client": 0},  # one leaks them
            plugins={"netrpc": {"library": "netrpc.so"}, "swapped": {"library": version("swapped_good")}},
        ) as server:
            self.server = server
            load, callers = Load(server.address), Callers(server.address)
            self.addCleanup(load.kill)
            self.addCleanup(callers.end)
            for _ in range(5 if SOAK else 1):
                for name, sentence in self.BEFORE_THE_FLIP.items():
                    self.assertRegex(self.refused(server, "swapped", version(f"swapped_{name}")), sentence)
                    self.assertRegex(self.why(), rf"last swap +failed: plugin swapped: .*{sentence}")
                    self.good_again()
                self.swap(server, "swapped", version("swapped_turns_bad"))
                self.assertTrue(settles(lambda: "rolled back" in self.why()))
                self.assertRegex(self.why(), r"last swap +rolled back: plugin swapped: .*the table is full")
                self.good_again()
                for name, sentence in self.AT_ITS_END.items():
                    bad = self.swap(server, "swapped", version(f"swapped_{name}"))[-1]["generation"]
                    self.assertTrue(settles(lambda: callers.words[name] > 0))
                    self.good_again()
                    self.assertRegex(self.why(), sentence.format(bad))
            self.assertEqual(callers.end(), [])
            account = load.end()
            self.assertEqual(account["errors"], [])
            print(f"{account['calls']} calls of net/rpc, words of versions: {dict(callers.words)}", flush=True)

    def why(self):
        return command("plugin", "why", "swapped", "--socket", self.server.socket)

    def good_again(self):
        self.swap(self.server, "swapped", version("swapped_good"))
        self.assertTrue(settles(lambda: len(self.plugin(self.server, "swapped")["generations"]) == 1))


class Callers:
    """Four that connect again and again for the word of the version that serves."""

    def __init__(self, address):
        self.address, self.words, self.errors, self.over = address, collections.Counter(), [], threading.Event()
        self.threads = [threading.Thread(target=self.call) for _ in range(4)]
        for thread in self.threads:
            thread.start()

    def call(self):
        while not self.over.wait(0.002):
            try:
                with wire.dial(self.address) as connection:
                    wire.send(connection, bytes([SWAPPED]))
                    word = connection.makefile("rb").readline()
                if not word.endswith(b"\n"):
                    raise wire.Closed(f"{word!r} and the end")
                self.words[word.decode().strip()] += 1
            except (OSError, wire.Closed) as error:
                self.errors.append(f"{type(error).__name__}: {error}")

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join(wire.LIMIT)
        return self.errors


if __name__ == "__main__":
    unittest.main()
