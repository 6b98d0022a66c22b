"""Whether what clients saw of one register can have happened in some order that keeps to real time.

The search of Wing and Gong with Lowe's memory: an operation may come next when no other has returned before it was
begun; a state that was reached before with the same operations done is not looked at again."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Operation:
    begun: float
    returned: float  # math.inf: nobody knows whether it has happened or will
    kind: str  # "set", "get" or "cas"
    arguments: tuple
    result: str | None  # None: unknown


def step(value, operation):
    """(whether the result fits, the value after it)"""
    if operation.kind == "set":
        return True, operation.arguments[0]
    if operation.kind == "get":
        return operation.result in (None, value), value
    old, new = operation.arguments
    if value == old:
        return operation.result in (None, "ok"), new
    return operation.result in (None, f"fail {value}"), value


def linearizable(operations, value=""):
    """True if there is an order for the operations on a register that began as `value`."""
    operations = sorted(operations, key=lambda operation: operation.begun)
    everything = (1 << len(operations)) - 1
    needed = sum(1 << i for i, operation in enumerate(operations) if operation.returned < math.inf)
    seen, stack = set(), [(0, value)]
    while stack:
        done, value = stack.pop()
        if done & needed == needed:
            return True
        if (done, value) in seen:
            continue
        seen.add((done, value))
        open_ = [i for i in range(len(operations)) if not done >> i & 1]
        first_return = min(operations[i].returned for i in open_)
        for i in open_:
            if operations[i].begun > first_return:
                break
            fits, after = step(value, operations[i])
            if fits:
                stack.append((done | 1 << i, after))
    return everything == 0


def examples():
    """What the checker itself is checked by: (history, verdict)."""
    a = Operation(0, 1, "set", ("1",), "ok")
    yield [a, Operation(2, 3, "get", (), "1")], True
    yield [a, Operation(2, 3, "get", (), "")], False  # stale
    yield [a, Operation(0.5, 3, "get", (), "")], True  # at the same time
    yield [a, Operation(2, 3, "cas", ("1", "2"), "ok"), Operation(4, 5, "get", (), "2")], True
    yield [a, Operation(2, 3, "cas", ("1", "2"), "fail 1")], False
    lost = Operation(2, math.inf, "set", ("2",), None)
    yield [a, lost, Operation(5, 6, "get", (), "1"), Operation(7, 8, "get", (), "2")], True  # it came late
    yield [a, lost, Operation(5, 6, "get", (), "2"), Operation(7, 8, "get", (), "1")], False  # and went again
