"""switchyard as the tests start it: configuration to file, ports 0, ready when its log says so."""

import json
import os
import pathlib
import socket
import subprocess
import tempfile

from process import Process, START

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("SWITCHYARD_BINARY", ROOT / "build/release/bin/switchyard")).resolve()
PLUGINS = pathlib.Path(os.environ.get("SWITCHYARD_PLUGINS", BINARY.parent.parent / "lib/switchyard")).resolve()
SANITIZED = bool(os.environ.get("SWITCHYARD_SANITIZED"))  # memory and time say little then
SOAK = bool(os.environ.get("SWITCHYARD_SOAK"))  # full size


def toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(str(value) if isinstance(value, pathlib.Path) else value)


def table(name, settings):
    return f"[{name}]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in settings.items())


def configuration(directory, host=(), tls=None, limits=(), swap=None, listeners=None, plugins=None):
    """The text of a plugins.toml: netrpc behind one loopback listener on port 0, unless told otherwise."""
    parts = [table("host", {"data_dir": directory / "data", "plugin_dir": PLUGINS, **dict(host)})]
    if tls:
        parts.append(table("tls", tls))
    parts.append(table("limits", dict(limits)))
    if swap:
        parts.append(table("swap", swap))
    for listener in listeners or [{"name": "server", "address": "127.0.0.1:0"}]:
        parts.append("[" + table("listener", listener).replace("]", "]]", 1))
    for name, settings in (plugins if plugins is not None else {"netrpc": {"library": "netrpc.so"}}).items():
        parts.append(table(f"plugin.{name}", settings))
    return "\n".join(parts)


class Server(Process):
    """`switchyard serve`, listening and ready. `address` is the (ip, port) of its first listener.

    `under` is a command that runs it, such as valgrind."""

    def __init__(self, *, descriptors=None, under=(), **settings):
        self.scratch = tempfile.TemporaryDirectory(prefix="sy-")
        directory = pathlib.Path(self.scratch.name)
        self.file = directory / "plugins.toml"
        self.file.write_text(configuration(directory, **settings))
        self.socket = directory / "data" / "control.sock"
        super().__init__([*under, BINARY, "serve", "--config", self.file], descriptors)
        try:
            self.wait_for_line(r"\bready\b")
        except BaseException:
            self.kill()
            raise
        self.addresses = {}
        for line in self.log.splitlines():
            if "listening name=" in line:
                said = dict(word.split("=", 1) for word in line.split() if "=" in word)
                ip, _, port = said["address"].rpartition(":")
                self.addresses[said["name"]] = (ip.strip("[]"), int(port))
        self.address = next(iter(self.addresses.values()))

    def status(self):
        return json.loads(command("status", "--json", "--socket", self.socket))

    def metrics(self):
        """{name with labels: value} of all metrics."""
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(START)
            control.connect(str(self.socket))
            control.sendall(b'{"command": "metrics"}\n')
            text = json.loads(control.makefile().readline())["text"]
        samples = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in samples}

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            return self.stop()
        self.kill()
        print(f"--- log of {self.pid}\n{self.log}")

    def stop(self, **options):
        try:
            super().stop(**options)
        finally:
            self.scratch.cleanup()


def command(*words, expected=0):
    """Runs `switchyard WORDS`, checks the exit code, returns standard output (or, on failure, error)."""
    done = subprocess.run([str(BINARY), *map(str, words)], capture_output=True, text=True, timeout=START)
    if done.returncode != expected:
        raise AssertionError(f"switchyard {' '.join(map(str, words))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout if expected == 0 else done.stderr
