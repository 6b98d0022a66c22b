"""A well-behaved gRPC client beside an attack: grpc_witness.py ADDRESS calls until its standard input ends.

Unary calls and a chat on one connection, and new connections all the time. Prints `started` after the first
round, at the end one JSON line with what it saw. Needs python3-grpcio, so Debian's python3.
"""

import json
import queue
import select
import subprocess
import sys
import time

LIMIT = 60.0
PACE = 0.005  # seconds between rounds
ROUNDS = 50  # until a new connection
PYTHON = "/usr/bin/python3"


def main(address):
    import grpc
    from echo_client import Echo, payload, request

    calls, errors, worst, started = 0, [], 0.0, False
    while True:
        with Echo(address) as echo:
            asked = queue.SimpleQueue()
            chat = echo.chat(iter(asked.get, None), timeout=600)
            try:
                for number in range(ROUNDS):
                    begin = time.monotonic()
                    said = b"round %d" % number
                    echo.say(said)
                    asked.put(request(said))
                    if payload(next(chat)) != said:
                        errors.append("another answer")
                    worst = max(worst, time.monotonic() - begin)
                    calls += 2
                    if not started:
                        started = True
                        print("started", flush=True)
                    if select.select([sys.stdin], [], [], PACE)[0]:
                        break
            except (grpc.RpcError, AssertionError, StopIteration) as error:
                errors.append(f"{type(error).__name__}: {error}")
            asked.put(None)
        if len(errors) >= 100 or select.select([sys.stdin], [], [], 0)[0]:
            print(json.dumps({"calls": calls, "errors": errors, "worst": worst}), flush=True)
            return


class Witness:
    """The same in a process of its own."""

    def __init__(self, address):
        self.child = subprocess.Popen(
            [PYTHON, "-B", __file__, "%s:%d" % address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        first = self.child.stdout.readline()
        if first != "started\n":
            raise AssertionError(f"the witness could not start: {first}{self.child.communicate(timeout=LIMIT)[0]}")

    def end(self):
        """Its account: calls, errors, worst (seconds of one round of two calls)."""
        account, _ = self.child.communicate(timeout=3 * LIMIT)
        return json.loads(account)

    def kill(self):
        if self.child.poll() is None:
            self.child.kill()


if __name__ == "__main__":
    main(sys.argv[1])
