"""Each template, as a stranger uses it: begun with `switchyard-plugin new` of an installed SDK, built outside of the tree, tested by
itself, served by the real server, and replaced while a connection is open."""

import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))

import outside_build
import server
import wire

CMAKE = {"plugin": "build/hello.so", "build": [
    ["cmake", "-G", "Ninja", "-S", ".", "-B", "build", "-DCMAKE_COMPILE_WARNING_AS_ERROR=ON"], ["cmake", "--build", "build"],
], "test": ["ctest", "--test-dir", "build", "--output-on-failure", "--no-tests=error"]}  # fmt: skip
CARGO = {"plugin": "target/release/libhello.so", "build": [["cargo", "build", "--release", "--offline"]],
         "test": ["cargo", "test", "--offline"]}  # fmt: skip
WAYS = {"c": CMAKE, "cpp": CMAKE, "rust": CARGO}


def setUpModule():
    global scratch, prefix, environment
    scratch = tempfile.TemporaryDirectory(prefix="sy-template-")
    directory = pathlib.Path(scratch.name)
    prefix = outside_build.install(os.environ["SWITCHYARD_BUILD"], directory)
    # What Debian installs, whatever else there is.
    environment = {"PATH": f"{prefix}/bin:/usr/bin:/bin", "HOME": scratch.name, "CMAKE_PREFIX_PATH": str(prefix),
                   "RUSTFLAGS": "-D warnings"}  # fmt: skip


def tearDownModule():
    scratch.cleanup()


def run(folder, *command):
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def ask(connection, name):
    wire.send(connection, name + b"\n")
    return wire.read_exactly(connection, len(b"hello, ") + len(name) + 1)


class Templates(unittest.TestCase):
    def begun(self, language):
        folder = pathlib.Path(scratch.name) / language
        run(scratch.name, "switchyard-plugin", "new", "com.example.hello", "--lang", language, "--dir", str(folder))
        return folder

    def through_its_life(self, language):
        began = time.monotonic()
        folder, way = self.begun(language), WAYS[language]
        for step in way["build"]:
            run(folder, *step)
        tested = run(folder, *way["test"])
        print(f"{language}: from nothing to a tested plugin in {time.monotonic() - began:.0f} s\n{tested}")
        for isolation in ("none", "process"):
            self.served(folder / way["plugin"], isolation)

    def served(self, plugin, isolation):
        plugin.chmod(0o644)  # as umask 022 makes it
        listener = {"name": "hello", "address": "127.0.0.1:0", "protocol": "hello"}
        with server.Server(plugins={"hello": {"library": str(plugin), "isolation": isolation}}, listeners=[listener]) as running:
            old = wire.dial(running.address)
            self.assertEqual(ask(old, b"ann"), b"hello, ann\n")
            server.command("plugin", "swap", "hello", "--socket", running.socket)
            self.assertEqual(ask(old, b"bob"), b"hello, bob\n")
            with wire.dial(running.address) as new:
                self.assertEqual(ask(new, b"cid"), b"hello, cid\n")
            states = {g["generation"]: g["state"] for g in running.status()["plugins"][0]["generations"]}
            self.assertEqual(states[2], "serving")
            old.close()

    def test_c(self):
        self.through_its_life("c")

    def test_cpp(self):
        self.through_its_life("cpp")

    def test_rust(self):
        self.through_its_life("rust")


if __name__ == "__main__":
    unittest.main()
