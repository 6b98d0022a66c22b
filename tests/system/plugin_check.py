"""`switchyard plugin check`: good plugins pass, and what is wrong with each bad one is said in a sentence."""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import unittest

import server

FAULTY = pathlib.Path(os.environ["SWITCHYARD_FAULTY"])
LIMIT = 400  # seconds; a machine that does other things as well

# version -> (case, finding)
FAULTS = {
    "leaves_a_descriptor": ("swaps", r"^\d+ descriptors more are open after 10 swaps \(.*/dev/null\): close what the plugin opens$"),
    "leaves_a_descriptor_each": ("connections", r"descriptors more are open after 200 connections"),
    "leaves_memory": ("swaps", r"^\d+ KiB of memory stay behind with each swap: free in destroy\(\)"),
    "leaves_a_thread": ("swaps", r"crashed|threads more run after 10 swaps"),
    "leaves_a_timer": ("life", r"^its code had to stay in memory: 1 timer left: stop every timer before stop\(\) returns$"),
    "keeps_connections": ("connections", r"connections stayed open 10 s after their peers had gone: close one whose peer"),
    "crashes_on_a_byte": ("nonsense", r"^while malformed connections came \(--seed 1\), the process ended: it was ended by SIGSEGV"),
    "hangs_in_stop": ("life", r"^its code had to stay in memory: .*stop\(\) did not return within 5 s"),
}  # fmt: skip
if not server.SOAK:  # limits that pass while everybody waits
    del FAULTS["keeps_connections"], FAULTS["crashes_on_a_byte"]


def check(file, *options):
    done = subprocess.run(
        [server.BINARY, "plugin", "check", "--json", *options, file], capture_output=True, text=True, timeout=LIMIT
    )
    return done.returncode, json.loads(done.stdout)


def findings(report):
    return {case["name"]: case["findings"] for case in report["cases"] if case["findings"]}


class GoodPlugins(unittest.TestCase):
    def passes(self, file, *options):
        code, report = check(file, "--quick", *options)
        self.assertEqual((code, findings(report)), (0, {}))
        self.assertEqual([case["verdict"] for case in report["cases"]], ["passed"] * len(report["cases"]))

    def test_echo(self):
        self.passes(server.PLUGINS / "echo.so")

    def test_echo_with_a_configuration(self):
        self.passes(server.PLUGINS / "echo.so", "--config", '{"greeting":"hello"}')

    def test_echo_in_a_process_of_its_own(self):
        self.passes(server.PLUGINS / "echo.so", "--isolated")

    def test_one_that_could_not_be_unloaded(self):
        file = FAULTY / "faulty_nodelete.so"
        code, report = check(file, "--quick")
        self.assertEqual(code, 1)
        self.assertRegex(findings(report)["file"][0], r'link it without -z nodelete, or run it with isolation = "process"$')
        self.passes(file, "--isolated")

    def test_netrpc(self):
        self.passes(server.PLUGINS / "netrpc.so")

    def test_one_that_closes_at_once(self):
        self.passes(FAULTY / "faulty_good.so")


class BadPlugins(unittest.TestCase):
    def test_hear_what_is_wrong(self):
        def checked(fault):
            options = ["--swaps", "40"] if fault == "leaves_memory" else []
            return check(FAULTY / f"faulty_{fault}.so", "--quick", *options)

        with concurrent.futures.ThreadPoolExecutor(4) as several:  # they mostly wait
            reports = dict(zip(FAULTS, several.map(checked, FAULTS)))
        for fault, (case, sentence) in FAULTS.items():
            with self.subTest(fault):
                code, report = reports[fault]
                self.assertEqual(code, 1)
                found = findings(report)
                self.assertIn(case, found)
                self.assertTrue(any(re.search(sentence, finding) for finding in found[case]), found)

    def test_an_end_of_its_process_is_a_finding(self):
        code, report = check(FAULTY / "faulty_crashes_on_a_byte.so", "--quick", "--isolated")
        self.assertEqual(code, 1)
        self.assertRegex(
            findings(report)["nonsense"][0],
            r"^while malformed connections came \(--seed 1\), the plugin's process ended: signal 11 \(Segmentation fault\)$",
        )

    def test_a_file_that_is_none(self):
        code, report = check("/no/such/plugin.so")
        self.assertEqual(code, 1)
        self.assertRegex(findings(report)["file"][0], "/no/such/plugin.so does not exist")
        self.assertEqual({case["verdict"] for case in report["cases"][1:]}, {"skipped"})

    def test_a_configuration_that_it_refuses(self):
        code, report = check(server.PLUGINS / "echo.so", "--quick", "--config", '{"greeting":5}')
        self.assertEqual((code, list(findings(report))), (1, ["configurations"]))

    def test_wrong_usage(self):
        for words in ([], ["--config", "[]", "x.so"], ["--swaps", "0", "x.so"]):
            done = subprocess.run([server.BINARY, "plugin", "check", *words], capture_output=True, timeout=LIMIT)
            self.assertEqual(done.returncode, 2, words)


if __name__ == "__main__":
    unittest.main()
