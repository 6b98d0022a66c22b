"""A well-behaved client beside an attack: witness.py IP PORT pings until its standard input ends.

Over tag 0 and over yamux, on streams kept and streams of their own, and over new connections all the
time. Prints `started` after the first round, at the end one JSON line with what it saw.
"""

import contextlib
import json
import select
import subprocess
import sys
import time

import wire

SOURCE = "127.9.9.9"  # an address of its own: limits of an address are not its business
PACE = 0.002  # seconds between calls
ROUNDS = 20  # calls until it connects anew


def main(address):
    calls, errors, worst, started = 0, [], 0.0, False
    sequence = 0
    while True:
        with contextlib.ExitStack() as connections:
            try:
                begin = time.monotonic()
                single = connections.enter_context(wire.dial(address, SOURCE))
                wire.send(single, bytes([wire.RPC]))
                session = wire.Yamux(connections.enter_context(wire.dial(address, SOURCE)))
                stream = session.ping()
                for _ in range(ROUNDS):
                    sequence += 1
                    wire.ping(single, sequence)
                    session.ping(stream, sequence)
                    session.ping()
                    session.echo(sequence)
                    worst = max(worst, time.monotonic() - begin)
                    calls += 4
                    if not started:
                        started = True
                        print("started", flush=True)
                    if select.select([sys.stdin], [], [], PACE)[0]:
                        print(json.dumps({"calls": calls, "errors": errors, "worst": worst}), flush=True)
                        return
                    begin = time.monotonic()
            except (OSError, AssertionError, wire.Closed, wire.Refused) as error:
                errors.append(f"{type(error).__name__}: {error}")
                if len(errors) >= 100 or select.select([sys.stdin], [], [], PACE)[0]:
                    print(json.dumps({"calls": calls, "errors": errors, "worst": worst}), flush=True)
                    return


class Witness:
    """The same in a process of its own, so that the attacker's work is not in its times."""

    def __init__(self, address):
        self.child = subprocess.Popen(
            [sys.executable, __file__, *map(str, address)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        first = self.child.stdout.readline()
        if first != "started\n":
            raise AssertionError(f"the witness could not start: {first}{self.child.communicate(timeout=wire.LIMIT)[0]}")

    def end(self):
        """Its account: calls, errors, worst (seconds of one round of four calls)."""
        account, _ = self.child.communicate(timeout=3 * wire.LIMIT)
        return json.loads(account)

    def kill(self):
        if self.child.poll() is None:
            self.child.kill()
            self.child.communicate()


if __name__ == "__main__":
    main((sys.argv[1], int(sys.argv[2])))
