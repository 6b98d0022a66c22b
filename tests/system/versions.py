"""Cases about versions of the plugin in swapped/: each has a directory of its own, with copies of them."""

import json
import pathlib
import shutil
import tempfile
import unittest

import wire
from process import Process, settles
from server import BINARY, command, configuration
from swap import VERSIONS

SWAPPED = 64  # its tag


class VersionCase(unittest.TestCase):
    INSTALLED = ("swapped_good",)
    window = "0s"

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="sy-versions-")
        self.addCleanup(scratch.cleanup)
        self.directory = pathlib.Path(scratch.name)
        for name in self.INSTALLED:
            self.install(VERSIONS / f"{name}.so", f"{name}.so")
        self.good = self.directory / "swapped_good.so"
        self.file = self.directory / "plugins.toml"
        self.socket = self.directory / "data/control.sock"

    def install(self, file, name):
        shutil.copy(file, self.directory / name)
        (self.directory / name).chmod(0o755)
        return self.directory / name

    def another(self, name):
        """A file that says the same as the good one: a version is its bytes."""
        file = self.install(self.good, name)
        with file.open("ab") as end:
            end.write(name.encode())  # behind all that is loaded
        return file

    def write(self, host=(), **plugin):
        settings = {"library": self.good, **plugin}
        self.file.write_text(
            configuration(self.directory, host=host, swap={"window": self.window}, plugins={"swapped": settings})
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

    def swap(self, *file):
        self.ask("plugin", "swap", "swapped", *file)
        self.settled()

    def settled(self):
        self.assertTrue(settles(lambda: self.plugin().get("last_swap", {}).get("result") == "committed"))

    def says(self):
        with wire.dial(self.address) as connection:
            wire.send(connection, bytes([SWAPPED]))
            return wire.read_to_end(connection)

    def crash(self, process):
        with wire.dial(self.address) as connection:
            wire.send(connection, bytes([SWAPPED]))
            return process.wait()
