#!/usr/bin/env python3
"""A server whose log is long and is not cut: how soon it is there again after kill -9, and what memory that takes."""

import tempfile
import time
import unittest

from raft_nodes import Ours, until

from server import SANITIZED, SOAK  # the path is set by raft_nodes

ENTRIES = 1_000_000 if SOAK else 100_000
SIZE, CALLERS = 256, 256
RECORD = 40 + SIZE  # bytes of an entry in a file (plugins/raft/log/record.hpp)
INDEX = 12  # bytes of an entry in memory (plugins/raft/log/log.hpp)
READING = 8 << 20  # bytes of what is being read and applied, and of what the allocator keeps
NEVER = 1_000_000_000  # entries until a snapshot is taken
SETTINGS = {"load": True, "snapshot_threshold": NEVER}


def restart(directory, entries):
    """What a server alone takes that finds so many entries: {figure: value}, seconds and bytes."""
    node = Ours("s1", directory)
    node.founders = [node]
    node.start(**SETTINGS)
    try:
        until(node.leads, "it leads")
        node.ask("barrier")
        empty = anonymous(node)
        answer = node.load(f"fill {entries} {CALLERS} {SIZE}")
        if not answer.startswith("ok") or " errors=0 " not in answer:
            raise AssertionError(answer)
        before = node.sum()
        filled = anonymous(node)
        node.kill()
        began = time.monotonic()
        node.start(**SETTINGS)
        ready = time.monotonic() - began
        until(node.leads, "it leads again")
        began = time.monotonic()
        node.ask("barrier")
        replayed = time.monotonic() - began
        if node.sum() != before or int(node.state()["first"]) != 1:
            raise AssertionError(f"{before} before, {node.sum()} after: {node.state()}")
        return {"ready": ready, "replayed": replayed, "filled": filled - empty, "restarted": anonymous(node) - empty}
    finally:
        node.kill()


def anonymous(node):
    return 1024 * node.server.memory("Anonymous")


class LongLog(unittest.TestCase):
    def test_memory_is_not_the_log_s(self):
        with tempfile.TemporaryDirectory(prefix="sy-raft-") as directory:
            seen = restart(directory, ENTRIES)
        print(f"{ENTRIES} entries, {ENTRIES * RECORD >> 20} MiB: ready after {seen['ready']:.2f} s, replayed in {seen['replayed']:.2f} s; "
              f"{seen['filled'] >> 10} KiB more than without them, {seen['restarted'] >> 10} KiB after the restart", flush=True)
        if not SANITIZED:
            self.assertLess(seen["restarted"], ENTRIES * INDEX + READING)


if __name__ == "__main__":
    unittest.main()
