"""Clusters of three under load: hashicorp/raft 1.1.2 with its bolt store, and ours."""

import contextlib
import random
import statistics
import tempfile
import threading
import time

import raft_nodes
from raft_nodes import Cluster, Go, Ours, Refused

SIZE = 256  # bytes of a command
CALLERS = (1, 16, 256)
WARM_UP = 1  # second
WITHIN = "re-elections within three time-outs"
NEVER = 1_000_000_000  # entries until a snapshot is taken: neither side takes one while it is measured


class Loaded(Cluster):
    """Three servers, of which the first leads. Their files are on a disk, or in memory: then Go keeps its log in its own
    store for that, and ours writes its files to a tmpfs, where a sync costs its system call alone."""

    def __init__(self, kinds, directory, on_disk=True):
        self.scratch = tempfile.TemporaryDirectory(prefix="sy-raft-", dir=directory if on_disk else "/dev/shm")
        theirs = ["-snapshot-threshold", NEVER, "-log", "OFF"] + ([] if on_disk else ["-store", "inmem", "-snapshots", "inmem"])
        ours = {"load": True, "snapshot_threshold": NEVER, "segment_bytes": 64 << 20}
        super().__init__(self.scratch.name, kinds, ours, theirs)
        try:
            self.lead(self.nodes[0])
        except BaseException:
            self.__exit__(True, None, None)
            raise

    def __exit__(self, *why):
        super().__exit__(*why)
        self.scratch.cleanup()


def rates(cluster, seconds):
    """Of commands through the leader by callers in its process, each one after the other."""
    figures, leader = {}, cluster.nodes[0]
    for callers in CALLERS:
        leader.bench(WARM_UP, callers, SIZE)
        before = sum(node.cpu() for node in cluster.nodes)
        said = leader.bench(seconds, callers, SIZE)
        if said["errors"]:
            raise AssertionError(f"{said['errors']} calls have failed: {cluster.states()}")
        figures |= {
            rate(callers): said["ops"],
            p50(callers): said["p50us"],
            p99(callers): said["p99us"],
            cpu(callers): (sum(node.cpu() for node in cluster.nodes) - before) * 1e6 / said["n"],
        }  # fmt: skip
    return figures


def of(callers):
    return f"{callers} caller{'s' if callers > 1 else ''}"


def rate(callers):
    return f"{of(callers)}: commands/s"


def p50(callers):
    return f"{of(callers)}: p50, µs"


def p99(callers):
    return f"{of(callers)}: p99, µs"


def cpu(callers):
    return f"{of(callers)}: CPU of all three, µs a command"


def elections(directory, trials, timeout):
    """Seconds from the kill -9 of a leader under load until another one has something committed, `trials` times in a
    cluster of ours; `timeout` is its time-out of an election, in seconds."""
    milliseconds = int(timeout * 1000)
    quick = {
        "heartbeat_timeout": f"{milliseconds}ms", "election_timeout": f"{milliseconds}ms",
        "lease_timeout": f"{milliseconds // 2}ms", "load": True,
    }  # fmt: skip
    taken = []
    with tempfile.TemporaryDirectory(prefix="sy-raft-", dir=directory) as scratch, Cluster(scratch, [Ours] * 3, quick) as cluster:
        for _ in range(trials):
            leader = cluster.leader()
            cluster.settle()
            load = threading.Thread(target=under_load, args=[leader])
            load.start()
            time.sleep(0.2 + random.random() * timeout)
            began = time.monotonic()
            leader.kill()
            raft_nodes.until(lambda: somebody_commits(cluster, leader), "somebody leads")
            taken.append(time.monotonic() - began)
            load.join()
            cluster.start(leader)
    return {
        WITHIN: sum(one <= 3 * timeout for one in taken),
        "median, time-outs": statistics.median(taken) / timeout,
        "worst, time-outs": max(taken) / timeout,
    }


def under_load(leader):
    with contextlib.suppress(Refused, OSError):
        leader.bench(60, 4, SIZE)


def somebody_commits(cluster, dead):
    for node in cluster.alive(dead):
        with contextlib.suppress(Refused):
            if node.leads():
                node.ask("barrier")
                return True
    return False

