#!/usr/bin/env python3
"""What a server that crashes says of itself, and what the next one knows of it."""

import signal
import unittest

from server import SANITIZED
from versions import VersionCase


@unittest.skipIf(SANITIZED, "a sanitizer ends a process that crashes in its own way")
class Crash(VersionCase):
    INSTALLED = ("swapped_good", "swapped_crash_in_serve")

    def test_names_the_plugin_and_the_last_call_into_it(self):
        self.write(library=self.directory / "swapped_crash_in_serve.so")
        process = self.start()
        sha256 = self.plugin()["sha256"]
        self.assertEqual(self.crash(process), -signal.SIGILL, "it dies by its signal")
        self.assertRegex(
            process.log,
            r"switchyard: crashed signal=4 \(SIGILL\) thread=loop-\d in plugin swapped generation 1 at offset 0x[0-9a-f]+"
            rf" sha256={sha256}; last call into a plugin: serve\(\) of plugin swapped",
        )
        told = r'the server before this one has crashed signal=4 plugin=swapped generation=1 function="serve\(\)"'
        self.write()
        process = self.start()
        process.wait_for_line(told)
        self.assertEqual(self.says(), b"good\n")
        process.stop()
        process = self.start()
        self.assertNotRegex(process.log, told, "it is told once")
        process.stop()


if __name__ == "__main__":
    unittest.main()
