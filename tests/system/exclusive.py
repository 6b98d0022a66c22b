#!/usr/bin/env python3
"""A plugin that holds what a second instance cannot, swapped under load: its counter neither skips nor repeats."""

import json
import pathlib
import shutil
import tempfile
import threading
import time
import unittest

import wire
from process import settles
from server import SOAK, Server, command
from swap import VERSIONS

EXCLUSIVE = 65
CLIENTS = 4
SWAPS = 100 if SOAK else 10


class Counting:
    """Clients that connect until told to stop, and what they were told. A connection in the moment in which nobody has
    the counter is closed without a number, and is not counted."""

    def __init__(self, address):
        self.address, self.numbers, self.worst, self.over = address, [], 0.0, False
        self.threads = [threading.Thread(target=self.count) for _ in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def count(self):
        last = time.monotonic()
        while not self.over:
            with wire.dial(self.address) as connection:
                wire.send(connection, bytes([EXCLUSIVE]))
                try:
                    said = wire.read_to_end(connection)
                except OSError:  # reset: closed before it was read
                    said = b""
            if said:
                self.numbers.append(int(said))
                now = time.monotonic()
                self.worst = max(self.worst, now - last)
                last = now

    def end(self):
        self.over = True
        for thread in self.threads:
            thread.join(wire.LIMIT)
        return sorted(self.numbers)


class Exclusive(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="sy-exclusive-")
        self.addCleanup(scratch.cleanup)
        self.directory = pathlib.Path(scratch.name)
        for file in VERSIONS.glob("exclusive_*.so"):
            shutil.copy(file, self.directory)
            (self.directory / file.name).chmod(0o755)
        # Another version that is as good: a version is its bytes.
        other = shutil.copy(self.directory / "exclusive_good.so", self.directory / "exclusive_good_too.so")
        with other.open("ab") as end:
            end.write(b"\0")  # behind all that is loaded

    def server(self, **swap):
        return Server(
            limits={"control_timeout": "4s", "probe_timeout": "4s"},
            swap={"window": "60s", "pause": "10s", "trial_timeout": "1s", **swap},
            plugins={
                "exclusive": {
                    "library": self.directory / "exclusive_good.so",
                    "config": {"file": self.directory / "counter"},
                }
            },
        )

    def swap(self, server, version, expected=0):
        words = ["plugin", "swap", "exclusive", self.directory / f"exclusive_{version}.so", "--socket", server.socket]
        if expected:
            return command(*words, expected=expected)
        return json.loads(command(*words, "--json").splitlines()[-1])

    def generation(self, server):
        return next(plugin for plugin in server.status()["plugins"])["generation"]

    def test_counts_on_through_every_swap(self):
        with self.server() as server:
            counting = Counting(server.address)
            pauses = []
            try:
                for number in range(SWAPS):
                    answer = self.swap(server, ("good_too", "good")[number % 2])
                    self.assertEqual((answer["generation"], answer["window_ms"]), (number + 2, 0))
                    pauses.append(answer["pause_us"])
                    plugin = lambda: next(plugin for plugin in server.status()["plugins"])
                    self.assertTrue(settles(lambda: len(plugin()["generations"]) == 1))
            finally:
                numbers = counting.end()
            self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
            self.assertGreater(len(numbers), SWAPS)
            print(f"{len(numbers)} connections, {SWAPS} swaps, pause median {sorted(pauses)[SWAPS // 2] / 1000:.1f} ms, "
                  f"worst {max(pauses) / 1000:.1f} ms", flush=True)

            said = command("plugin", "rollback", "exclusive", "--socket", server.socket)
            self.assertIn(f"serves as generation {SWAPS + 2}", said)

    def test_takes_over_what_the_one_before_has_registered(self):
        answerer = shutil.copy(VERSIONS / "answerer_exclusive.so", self.directory / "answerer.so")
        answerer.chmod(0o755)
        plugins = {"netrpc": {"library": "netrpc.so"}, "answerer": {"library": answerer}}
        with Server(plugins=plugins, swap={"pause": "10s"}) as server, wire.dial(server.address) as connection:
            wire.send(connection, bytes([wire.RPC]))
            for number in range(4):
                wire.call(connection, wire.request(number, "Answer.Now"), wire.response(number, "Answer.Now"))
                command("plugin", "swap", "answerer", answerer, "--socket", server.socket)
                answerers = lambda: next(each for each in server.status()["plugins"] if each["name"] == "answerer")
                self.assertTrue(settles(lambda: len(answerers()["generations"]) == 1))

    def test_a_version_that_cannot_go_on_gives_back(self):
        cases = {
            "opens_in_check": r"does not take its config at .*: file: is locked by another",
            "fail_in_start": r"start\(\) failed: no memory for the table",
            "fail_in_take_over": r"take_over\(\) failed: the term is smaller",
            "unwell": r"health\(\) failed: the index does not fit the file",
            "unwell_for_good": r"health\(\) failed: the index does not fit the file",
            "no_answer": r"generation \d+ did not answer a trial connection of protocol test\.exclusive within 1 s",
            "hang_in_take_over": r"take_over\(\) did not return within 4 s",
            "hang_in_health": r"health\(\) did not return within 4 s",
        }
        with self.server() as server:
            counting = Counting(server.address)
            try:
                for version, sentence in cases.items():
                    with self.subTest(version=version):
                        self.assertRegex(self.swap(server, version, expected=1), sentence)
                        self.assertEqual(self.generation(server), 1)
                        reached = len(counting.numbers)
                        self.assertTrue(settles(lambda: len(counting.numbers) > reached + 10), "the old one counts on")
                        why = command("plugin", "why", "exclusive", "--socket", server.socket)
                        self.assertRegex(why, r"last swap +failed: plugin exclusive: " + ".*" + sentence)
            finally:
                numbers = counting.end()
            self.assertEqual(numbers, list(range(1, len(numbers) + 1)))

    def test_is_spoken_with_once_it_has_taken_over(self):
        with self.server() as server:
            lines = command("plugin", "swap", "exclusive", self.directory / "exclusive_answers.so", "--json", "--socket", server.socket)
            phases = [json.loads(line).get("phase") for line in lines.splitlines()]
            self.assertEqual(phases[-5:-1], ["activated", "healthy", "answered", "flipped"])

    def test_a_hand_over_that_takes_too_long_is_undone(self):
        with self.server(pause="1s") as server:
            counting = Counting(server.address)
            try:
                said = self.swap(server, "slow_in_take_over", expected=1)
                self.assertRegex(said, r"nobody served for .* while it was handed over, and swap.pause is 1 s")
                self.assertEqual(self.generation(server), 1)
                reached = len(counting.numbers)
                self.assertTrue(settles(lambda: len(counting.numbers) > reached + 10))
            finally:
                numbers = counting.end()
            self.assertEqual(numbers, list(range(1, len(numbers) + 1)))

    def test_one_that_does_not_let_go_serves_on(self):
        with self.server() as server:
            answer = self.swap(server, "fail_in_quiesce")
            self.assertEqual(answer["generation"], 2)
            said = self.swap(server, "good", expected=1)
            self.assertRegex(said, r"quiesce\(\) failed: a write is in flight")
            counting = Counting(server.address)
            self.assertTrue(settles(lambda: len(counting.numbers) > 10))
            numbers = counting.end()
            self.assertEqual(numbers, list(range(1, len(numbers) + 1)))


if __name__ == "__main__":
    unittest.main()
