"""Servers of one Raft cluster, ours and hashicorp's, under the same commands (README.md has them)."""

import contextlib
import os
import pathlib
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from process import START, TICK
from server import Server

PEER = os.environ.get("INTEROP_RAFT")
HEARTBEAT = 1000  # ms, also of an election: instrumented servers on a busy machine have to keep it
LIMIT = 60.0  # seconds until what is waited for is the case


def address():
    """One that nobody else uses: outgoing connections come from 127.0.0.1."""
    ip = f"127.{random.randrange(1, 255)}.{random.randrange(256)}.{random.randrange(1, 255)}"
    with socket.socket() as probe:
        probe.bind((ip, 0))
        return f"{ip}:{probe.getsockname()[1]}"


def until(reached, what, limit=LIMIT):
    """The first true value of `reached()`."""
    deadline = time.monotonic() + limit
    pause = threading.Event()
    while True:
        value = reached()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {limit} s: {what() if callable(what) else what}")
        pause.wait(0.02)


class Refused(Exception):
    """The answer began with "err"."""


class Node:
    def __init__(self, name, directory):
        self.name, self.address, self.directory = name, address(), pathlib.Path(directory)
        self.founders = []
        self.settings = {}  # of this one alone, of ours

    def ask(self, line):
        answer = self.exchange(line)
        if not answer.startswith("ok"):
            raise Refused(f"{self.name}: {line[:60]}: {answer}")
        return answer[3:]

    def apply(self, command):
        """The response of the state machine."""
        return re.search(r"response=(.*)", self.ask(f"apply {command}"))[1]

    def state(self):
        words = self.ask("state").split()
        return dict({"role": words[0]}, **dict(word.split("=", 1) for word in words[1:]))

    def leads(self):
        return self.state()["role"] == "Leader"

    def sum(self):
        """(commands applied, hash of their history)"""
        words = dict(word.split("=", 1) for word in self.ask("sum").split())
        return int(words["count"]), words["chain"]

    def bench(self, seconds, callers, size):
        """What so many callers in the process of the leader have had of it: {"ops": …, "p99us": …, …}."""
        answer = self.load(f"bench {seconds} {callers} {size}")
        if not answer.startswith("ok"):
            raise Refused(f"{self.name}: {answer}")
        return {key: float(value) for key, value in (word.split("=") for word in answer.split()[1:])}

    def cpu(self):
        """Seconds of processor time, all threads, user and system."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def members(self):
        """{name: whether it votes}"""
        found = re.findall(r"(\S+)=(\S+)/(\w+)", self.ask("config"))
        return {name: suffrage == "Voter" for name, _, suffrage in found}


class Ours(Node):
    """switchyard with raft.so, and the example's store as the state machine."""

    def start(self, tls=None, limits=(), swap=None, padding=0, host=(), load=False, **raft):
        config = {
            "node": self.name, "address": self.address, "data_dir": self.directory / self.name,
            "heartbeat_timeout": f"{HEARTBEAT}ms", "election_timeout": f"{HEARTBEAT}ms",
            "lease_timeout": f"{HEARTBEAT // 2}ms", "segment_bytes": 1 << 20,
        }  # fmt: skip
        if self.founders:
            config["bootstrap"] = [{"node": n.name, "address": n.address} for n in self.founders]
        listeners = [{"name": "server", "address": self.address}]
        plugins = {"raft": {"library": "raft.so", "config": {**config, **raft}}}
        for name, config in {"raft_kv": {"snapshot_padding": padding}, **({"raft_load": {}} if load else {})}.items():
            listeners.append({"name": name, "address": "127.0.0.1:0", "protocol": name})
            plugins[name] = {"library": f"{name}.so", "config": config}
        self.server = Server(tls=tls, limits=limits, swap=swap, host=host, listeners=listeners, plugins=plugins)
        self.line = None
        return self

    def exchange(self, line):
        if self.line is None:
            with socket.create_connection(self.server.addresses["raft_kv"], timeout=LIMIT) as connection:
                self.line = connection.makefile("rw", newline="\n")
        try:
            self.line.write(line + "\n")
            self.line.flush()
            answer = self.line.readline()
        except OSError:
            answer = ""
        if not answer:
            self.hang_up()
            raise Refused(f"{self.name} does not answer")
        return answer.rstrip("\n")

    def load(self, line):
        """What its plugin raft_load says to that."""
        with socket.create_connection(self.server.addresses["raft_load"], timeout=LIMIT) as connection:
            connection.sendall(line.encode() + b"\n")
            return connection.makefile().readline().rstrip("\n")

    def log(self):
        """{index: term, type, data and extensions} of what its files hold (plugins/raft/log/record.hpp)."""
        entries = {}
        for segment in sorted((self.directory / self.name).glob("*.log")):
            content, at = segment.read_bytes(), 64
            while at + 40 <= len(content) and content[at + 32]:
                size, index, term, _, data, kind, type_ = struct.unpack_from("<4xIQQIIBB", content, at)
                payload = content[at + 40 : at + 40 + size]
                if kind != 1:
                    entries = {} if kind == 3 else {i: e for i, e in entries.items() if i < index}
                else:
                    entries[index] = f"term={term} type={type_} data={payload[:data].hex()} ext={payload[data:].hex()}"
                at += (40 + size + 7) // 8 * 8
        return entries

    def hang_up(self):
        line, self.line = self.line, None
        if line is not None:
            with contextlib.suppress(OSError):
                line.close()

    @property
    def pid(self):
        return self.server.pid

    def kill(self):
        self.hang_up()
        self.server.kill()
        self.server.scratch.cleanup()

    def stop(self):
        self.hang_up()
        self.server.stop()

    def signal(self, number):
        self.server.signal(number)

    def requests(self):
        """How many of other servers it has received."""
        return sum(v for k, v in self.server.metrics().items() if k.startswith("switchyard_raft_requests_total"))


class Go(Node):
    """hashicorp/raft 1.1.2: raft/main.go."""

    def start(self, *options):
        command = [
            PEER, "-id", self.name, "-bind", self.address, "-prefix-byte", "-store", "bolt", "-snapshots", "file",
            "-dir", self.directory / self.name, "-heartbeat", f"{HEARTBEAT}ms", "-election", f"{HEARTBEAT}ms",
            "-lease", f"{HEARTBEAT // 2}ms", "-log", "ERROR", *options,
        ]  # fmt: skip
        if self.founders:
            command += ["-bootstrap", ",".join(f"{n.name}={n.address}" for n in self.founders)]
        self.child = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )  # fmt: skip
        if not self.child.stdout.readline().startswith("ready"):
            raise AssertionError(f"{self.name} has not started")
        return self

    @property
    def pid(self):
        return self.child.pid

    def load(self, line):
        return self.exchange(line)

    def exchange(self, line):
        try:
            self.child.stdin.write(line + "\n")
            self.child.stdin.flush()
            answer = self.child.stdout.readline()
        except OSError:
            answer = ""
        if not answer:
            raise Refused(f"{self.name} does not answer")
        return answer.rstrip("\n")

    def log(self):
        """{index: term, type, data and extensions} of what it has; behind a snapshot there may be a hole."""
        self.child.stdin.write("log\n")
        self.child.stdin.flush()
        entries = {}
        for line in iter(self.child.stdout.readline, ".\n"):
            if found := re.match(r"(\d+) (term=\d+ type=\d+ data=\S* ext=\S*)", line):
                entries[int(found[1])] = found[2]
        return entries

    def kill(self):
        self.child.kill()
        self.child.wait(START)
        self.child.stdin.close()
        self.child.stdout.close()

    stop = kill

    def signal(self, number):
        os.kill(self.child.pid, number)


class Cluster:
    """Founding servers, started; the first argument of each kind is its class."""

    def __init__(self, directory, kinds, ours=None, theirs=()):
        self.nodes = [kind(f"s{number}", directory) for number, kind in enumerate(kinds, 1)]
        self.ours, self.theirs = ours or {}, theirs
        for node in self.nodes:
            node.founders = list(self.nodes)
        for node in self.nodes:
            self.start(node)

    def start(self, node):
        return node.start(**{**self.ours, **node.settings}) if isinstance(node, Ours) else node.start(*self.theirs)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        for node in self.nodes:
            try:
                if kind is None:
                    node.stop()
                else:
                    node.kill()
                    if isinstance(node, Ours):
                        print(f"--- log of {node.name}\n{node.server.log}")
            except (AttributeError, ValueError):
                pass

    def alive(self, *without):
        return [node for node in self.nodes if node not in without]

    def leader(self, *without):
        """The one that leads, once one does and the others of `alive` say so too."""

        def found():
            leaders = []
            for node in self.alive(*without):
                try:
                    state = node.state()
                except Refused:
                    continue
                if state["role"] == "Leader":
                    leaders.append((int(state["term"]), node))
            return max(leaders, key=lambda pair: pair[0])[1] if leaders else None

        return until(found, lambda: f"a leader: {self.states()}")

    def states(self):
        states = []
        for node in self.nodes:
            try:
                states.append((node.name, node.ask("state")))
            except (Refused, AttributeError, ValueError, OSError):
                states.append((node.name, "down"))
        return states

    def lead(self, node):
        """Makes `node` lead."""

        def leads():
            leader = self.leader()
            if leader is node:
                return True
            try:
                leader.ask(f"transfer {node.name} {node.address}")
            except Refused:
                pass
            return False

        return until(leads, lambda: f"{node.name} leads: {self.states()}")

    def write(self, command):
        """Through whoever leads, again until it is acknowledged: it may be applied more than once."""

        def written():
            try:
                return self.leader().apply(command)
            except Refused:
                return None

        return until(written, f"written: {command[:40]}")

    def settle(self, *without):
        """All have applied the same; returns the sum."""

        def same():
            try:
                leader = self.leader(*without)
                leader.ask("barrier")
                sums = {node.sum() for node in self.alive(*without)}
            except Refused:
                return None
            return sums.pop() if len(sums) == 1 else None

        return until(same, lambda: f"the same everywhere: {self.states()} {[n.name for n in without]}")


def pause(node):
    node.signal(signal.SIGSTOP)


def resume(node):
    node.signal(signal.SIGCONT)
