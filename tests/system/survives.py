#!/usr/bin/env python3
"""What outlives the process of versions that were swapped in."""

import signal
import unittest

from server import SANITIZED, command
from versions import VersionCase


class Swapped(VersionCase):
    def setUp(self):
        super().setUp()
        self.other = self.another("other.so")
        self.write()

    def test_is_started_again(self):
        process = self.start()
        before = self.plugin()["sha256"]
        self.swap(self.other)
        after = self.plugin()["sha256"]
        self.assertNotEqual(after, before)
        process.stop()
        self.other.unlink()

        process = self.start()
        self.assertEqual(self.plugin()["sha256"], after)
        self.assertEqual(self.says(), b"good\n")
        self.assertIn("swapped (swapped)", self.ask("status"))
        self.assertIn(f"swapped in   1.0.0 from {self.other}", self.ask("plugin", "why", "swapped"))
        self.swap()
        self.assertEqual(self.plugin()["sha256"], before, "what the file says")
        self.assertNotIn("(swapped)", self.ask("status"))
        process.stop()

        process = self.start()
        self.assertEqual(self.plugin()["sha256"], before)
        process.stop()

    def test_is_asked_about_by_a_reload(self):
        process = self.start()
        before = self.plugin()["sha256"]
        self.swap(self.other)
        after = self.plugin()["sha256"]
        refused = self.ask("reload", expected=1)
        self.assertRegex(refused, rf"{self.file}:\d+: plugin\.swapped: plugin swap has put another version .*--keep.*--discard")
        self.ask("reload", "--keep")
        self.assertEqual(self.plugin()["sha256"], after)
        process.signal(signal.SIGHUP)
        process.wait_for_line("reloaded .*nothing else has changed", since=len(process.lines) - 1)
        self.assertEqual(self.plugin()["sha256"], after, "nobody can be asked")
        self.ask("reload", "--discard")
        self.assertEqual(self.plugin()["sha256"], before)
        self.ask("reload")
        process.stop()

        process = self.start()
        self.assertEqual(self.plugin()["sha256"], before)
        process.stop()

    def test_needs_no_answer_once_the_file_names_it(self):
        process = self.start()
        self.swap(self.other)
        self.write(library=self.other)
        self.ask("reload")
        self.assertNotIn("(swapped)", self.ask("status"))
        process.stop()

    def test_can_be_taken_back_by_another_process(self):
        process = self.start()
        before = self.plugin()["sha256"]
        self.swap(self.other)
        after = self.plugin()["sha256"]
        process.stop()
        self.install(self.other, self.good.name)  # the file of the version before is gone
        for expected in (before, after, before):
            process = self.start()
            self.ask("plugin", "rollback", "swapped")
            self.settled()
            self.assertEqual(self.plugin()["sha256"], expected)
            process.stop()

    def test_is_left_when_it_is_not_what_it_was(self):
        process = self.start()
        before = self.plugin()["sha256"]
        self.swap(self.other)
        process.stop()
        for kept in (self.directory / "data/kept").glob("*.so"):
            kept.chmod(0o700)
            with kept.open("ab") as file:
                file.write(b"\0")
        process = self.start()
        process.wait_for_line(r"plugin swap has brought, is not used any more: its copy is not what it was")
        self.assertEqual(self.plugin()["sha256"], before)
        process.stop()

    def test_is_left_when_the_file_pins_another(self):
        process = self.start()
        before = self.plugin()["sha256"]
        self.swap(self.other)
        process.stop()
        self.write(sha256=before)
        process = self.start()
        process.wait_for_line(r"plugin swap has brought, is not used any more: sha256 in the configuration names another")
        self.assertEqual(self.plugin()["sha256"], before)
        process.stop()

    def test_leaves_a_record_that_is_refused_when_it_is_broken(self):
        process = self.start()
        self.swap(self.other)
        process.stop()
        (self.directory / "data/swapped.json").write_text("{")
        said = command("serve", "--config", self.file, expected=1)
        self.assertIn("swapped.json, which says what plugin swap has brought, cannot be used", said)


@unittest.skipIf(SANITIZED, "a sanitizer ends a process that crashes in its own way")
class Crashes(VersionCase):
    INSTALLED = ("swapped_good", "swapped_crash_in_serve")

    def setUp(self):
        super().setUp()
        self.bad = self.directory / "swapped_crash_in_serve.so"

    def test_twice_quarantine_what_was_swapped_in(self):
        self.write()
        process = self.start()
        good = self.plugin()["sha256"]
        self.swap(self.bad)
        for time in (1, 2):
            self.assertEqual(self.crash(process), -signal.SIGILL)
            process = self.start()
            process.wait_for_line(rf"has crashed {time} time")
        self.assertIn("is quarantined and 1.0.0", process.log)
        self.assertEqual(self.plugin()["sha256"], good)
        self.assertEqual(self.says(), b"good\n")
        self.assertIn("swapped (quarantine)", self.ask("status"))
        self.assertRegex(self.ask("plugin", "why", "swapped"), r"quarantine +version 1\.0\.0 \(sha256 [0-9a-f]{16}\) has crashed 2 times")
        process.stop()

        process = self.start()
        self.assertEqual(self.says(), b"good\n", "still")
        self.swap(self.another("other.so"))
        self.assertNotIn("quarantine", self.ask("status"), "it is lifted")
        process.stop()

    def test_are_forgotten_when_the_file_holds_again(self):
        self.write()
        process = self.start()
        self.swap(self.bad)
        for _ in range(2):
            self.crash(process)
            process = self.start()
        self.assertIn("swapped (quarantine)", self.ask("status"))
        self.ask("reload")  # it names what serves
        self.assertNotIn("quarantine", self.ask("status"))
        self.assertEqual(self.says(), b"good\n")
        process.stop()

    def test_of_a_file_installed_over_the_one_before_quarantine_it_too(self):
        self.write()
        process = self.start()
        good = self.plugin()["sha256"]
        self.install(self.bad, self.good.name)
        self.swap()
        for _ in range(2):
            self.assertEqual(self.crash(process), -signal.SIGILL)
            process = self.start()
        self.assertEqual(self.plugin()["sha256"], good)
        process.stop()

    def test_within_the_window_quarantine_at_once(self):
        self.window = "60s"
        self.write()
        process = self.start()
        good = self.plugin()["sha256"]
        self.install(self.bad, self.good.name)
        self.ask("plugin", "swap", "swapped")
        self.assertEqual(self.crash(process), -signal.SIGILL)
        process = self.start()
        self.assertIn("has crashed 1 time: it is quarantined", process.log)
        self.assertEqual(self.plugin()["sha256"], good)
        self.assertEqual(self.says(), b"good\n")
        process.stop()

    def test_of_what_was_taken_back_are_not_held_against_it(self):
        self.window = "60s"
        self.write()
        process = self.start()
        self.ask("plugin", "swap", "swapped", self.bad)
        self.ask("plugin", "rollback", "swapped")
        self.assertEqual(self.says(), b"good\n")
        self.assertEqual((self.directory / "data/swapped.json").read_text(), '{"plugins":{}}\n')
        self.assertEqual(list((self.directory / "data/kept").iterdir()), [])
        process.stop()

    def test_change_nothing_when_no_other_version_is_known(self):
        self.write(library=self.bad)
        for _ in range(3):
            self.assertEqual(self.crash(self.start()), -signal.SIGILL)


if __name__ == "__main__":
    unittest.main()
