#!/usr/bin/env python3
"""Whose bytes may run: pins and signatures, the same sentence wherever they are asked for."""

import subprocess
import unittest

from server import command
from versions import VersionCase


class Trust(VersionCase):
    def setUp(self):
        super().setUp()
        self.other = self.another("other.so")
        self.sound = self.another("sound.so")  # stays as it is

    def refused(self):
        """What check says, and the reload of a server that serves, and serve, which is all the same."""
        text = self.file.read_text()
        said = command("check", "--config", self.file, expected=1)
        self.assertIn(said.split(": ", 1)[1], command("serve", "--config", self.file, expected=1))
        self.write(library=self.sound)
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
        self.assertIn("has sha256 ", self.ask("plugin", "swap", "swapped", self.other, expected=1))
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
        process = self.start()
        self.assertEqual(self.says(), b"good\n")
        self.assertIn("is not signed", self.ask("plugin", "swap", "swapped", self.other, expected=1))
        command("plugin", "sign", self.other, "--key", key)
        self.swap(self.other)
        self.assertEqual(self.says(), b"good\n")
        self.swap()
        process.stop()

        with self.good.open("ab") as file:
            file.write(b"\0")
        self.assertIn("is not what any key of host.trusted_keys has signed", self.refused())


if __name__ == "__main__":
    unittest.main()
