#!/usr/bin/env python3
"""What outlives the process of versions that were swapped in, and who may be one."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

import wire
from process import Process, settles
from server import BINARY, PLUGINS, SANITIZED, command, configuration

VERSIONS = pathlib.Path(os.environ.get("SWITCHYARD_SWAPPED", PLUGINS.parent.parent / "tests/system/swapped")).resolve()
SWAPPED = 64


class Survives(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="sy-survives-")
        self.addCleanup(scratch.cleanup)
        self.directory = pathlib.Path(scratch.name)
        for name in ("swapped_good", "swapped_crash_in_serve"):
            self.install(VERSIONS / f"{name}.so")
        self.good = self.directory / "swapped_good.so"
        self.bad = self.directory / "swapped_crash_in_serve.so"
        self.file = self.directory / "plugins.toml"
        self.socket = self.directory / "data/control.sock"

    def install(self, file):
        shutil.copy(file, self.directory)
        (self.directory / file.name).chmod(0o755)

    def write(self, host=(), **plugin):
        settings = {"library": self.good, **plugin}
        self.file.write_text(
            configuration(self.directory, host=host, swap={"window": "0s"}, plugins={"swapped": settings})
        )

    def start(self):
        process = Process([BINARY, "serve", "--config", self.file])
        self.addCleanup(process.kill)
        said = process.wait_for_line(r"listening name=server address=([\d.]+):(\d+)")
        process.wait_for_line(r"\bready\b")
        self.address = (said[1], int(said[2]))
        return process

    def ask(self, *words, expected=0):
        return command(*words, "--socket", self.socket, expected=expected)

    def plugin(self):
        return json.loads(self.ask("plugin", "why", "swapped", "--json"))["plugin"]

    def swap(self, file):
        self.ask("plugin", "swap", "swapped", file)
        self.assertTrue(settles(lambda: self.plugin().get("last_swap", {}).get("result") == "committed"))

    def says(self):
        with wire.dial(self.address) as connection:
            wire.send(connection, bytes([SWAPPED]))
            return wire.read_to_end(connection)

    def crash(self, process):
        with wire.dial(self.address) as connection:
            wire.send(connection, bytes([SWAPPED]))
            return process.wait()


class Swapped(Survives):
    def setUp(self):
        super().setUp()
        # Another file that says the same: a version is its bytes.
        self.other = self.directory / "other.so"
        shutil.copy(self.good, self.other)
        with self.other.open("ab") as file:
            file.write(b"\0" * 16)  # behind all that is loaded
        self.other.chmod(0o755)
        self.write()

    def test_is_started_again_and_asked_about(self):
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

        refused = self.ask("reload", expected=1)
        self.assertRegex(refused, rf"{self.file}:\d+: plugin\.swapped: plugin swap has put another version .*--keep.*--discard")
        self.ask("reload", "--keep")
        self.assertEqual(self.plugin()["sha256"], after)
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

    def test_leaves_a_file_that_is_refused_when_it_is_broken(self):
        process = self.start()
        self.swap(self.other)
        process.stop()
        (self.directory / "data/swapped.json").write_text("{")
        said = command("serve", "--config", self.file, expected=1)
        self.assertIn("swapped.json, which says what plugin swap has brought, cannot be used", said)


@unittest.skipIf(SANITIZED, "a sanitizer ends a process that crashes in its own way")
class Crashes(Survives):
    def test_twice_quarantine_what_was_swapped_in(self):
        self.write()
        process = self.start()
        good = self.plugin()["sha256"]
        self.swap(self.bad)
        for time in (1, 2):
            self.assertEqual(self.crash(process), -signal.SIGILL, "it dies by its signal")
            self.assertRegex(
                process.log,
                r"switchyard: crashed signal=4 \(SIGILL\) thread=loop-\d in plugin swapped generation \d+ at offset 0x[0-9a-f]+"
                r" sha256=[0-9a-f]{64}; last call into a plugin: serve\(\) of plugin swapped",
            )
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
        self.ask("reload", "--discard")
        self.assertNotIn("quarantine", self.ask("status"))
        process.stop()

    def test_of_what_the_file_names_change_nothing(self):
        self.write(library=self.bad)
        for _ in range(3):
            self.assertEqual(self.crash(self.start()), -signal.SIGILL)


class Trust(Survives):
    def refused(self):
        """The same sentence from serve, from check, and from reload and swap of a server that serves."""
        text = self.file.read_text()
        said = command("check", "--config", self.file, expected=1)
        self.assertIn(said.split(": ", 1)[1], command("serve", "--config", self.file, expected=1))
        self.write()
        process = self.start()
        self.file.write_text(text)
        self.assertIn(said.split(": ", 1)[1].strip(), self.ask("reload", expected=1))
        self.assertEqual(self.says(), b"good\n")
        process.stop()
        return said

    def test_pins(self):
        pin = command("plugin", "hash", self.good).split('"')[1]
        self.write(sha256=pin)
        process = self.start()
        self.assertIn("has sha256 ", self.ask("plugin", "swap", "swapped", self.bad, expected=1))
        self.assertEqual(self.says(), b"good\n")
        process.stop()
        self.write(sha256="0" * 64)
        self.assertIn(f"{self.good} has sha256 {pin}, but at {self.file}:", self.refused())
        self.write(sha256="beef")
        self.assertIn("plugin.swapped.sha256: takes 64 digits", command("check", "--config", self.file, expected=1))

    def test_signatures(self):
        key, trusted = self.directory / "key.pem", self.directory / "trusted.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True, capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", trusted], check=True, capture_output=True)
        self.write(host={"trusted_keys": [str(trusted)]})
        self.assertIn(f"{self.good} is not signed, and host.trusted_keys asks for that", self.refused())

        command("plugin", "sign", self.good, "--key", key)
        verify = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", trusted, "-in", self.good, "-sigfile", f"{self.good}.sig"]
        subprocess.run(verify, check=True, capture_output=True)
        self.write(host={"trusted_keys": [str(trusted)]})
        process = self.start()
        self.assertEqual(self.says(), b"good\n")
        self.assertIn("is not signed", self.ask("plugin", "swap", "swapped", self.bad, expected=1))
        process.stop()

        with self.good.open("ab") as file:
            file.write(b"\0")
        self.assertIn("is not what any key of host.trusted_keys has signed", command("check", "--config", self.file, expected=1))


if __name__ == "__main__":
    unittest.main()
