"""Calls that must not fail while a plugin is swapped: swap_load.py IP PORT METHOD calls until its standard input ends.

16 calls in flight over yamux, each in a stream of its own. A session whose server says GoAway gets no new stream and is
closed once its calls are answered; the next calls go over a new one. Prints `started` after the first 100 calls, at the
end one JSON line with what it saw.
"""

import json
import select
import subprocess
import sys
import time

import wire

IN_FLIGHT = 16


class Session:
    """One connection with its calls in flight: {stream: (sequence, begin, bytes that have come)}."""

    def __init__(self, address, method):
        self.method = method
        self.connection = wire.dial(address)
        self.yamux = wire.Yamux(self.connection)
        self.calls = {}
        self.going = False

    def begin(self, sequence):
        stream = self.yamux.open(wire.request(sequence, self.method))
        self.calls[stream] = (sequence, time.monotonic(), b"")

    def take(self):
        """Reads once; yields the seconds that each call took that is answered by it."""
        more = self.connection.recv(65536)
        if not more:
            raise wire.Closed(f"end with {len(self.calls)} calls in flight") if self.calls else EOFError
        self.yamux.buffered += more
        while (frame := self.whole_frame()) is not None:
            if frame.kind == wire.PING and frame.flags & wire.SYN:
                self.yamux.send(wire.frame(wire.PING, wire.ACK, 0, frame.length))
            elif frame.kind == wire.GO_AWAY:
                self.going = True
            elif frame.stream in self.calls:
                sequence, begin, received = self.calls[frame.stream]
                received += frame.payload
                expected = wire.response(sequence, self.method)
                if not expected.startswith(received):
                    raise AssertionError(f"answer {received!r}, not {expected!r}")
                if received == expected:
                    del self.calls[frame.stream]
                    self.yamux.send(wire.frame(wire.WINDOW, wire.FIN, frame.stream, 0))
                    yield time.monotonic() - begin
                    continue
                if frame.flags & (wire.FIN | wire.RST):
                    raise wire.Closed(f"stream {frame.stream} ended after {received!r}")
                self.calls[frame.stream] = (sequence, begin, received)

    def whole_frame(self):
        buffered = self.yamux.buffered
        if len(buffered) < 12:
            return None
        length = int.from_bytes(buffered[8:12], "big") if buffered[1] == wire.DATA else 0
        return self.yamux.read() if len(buffered) >= 12 + length else None


def main(address, method):
    account = {"calls": 0, "errors": [], "worst": 0.0, "sessions": 0}
    sessions, sequence, started, over = [], 0, False, False
    while sessions or not over:
        if not over and all(each.going for each in sessions):
            sessions.append(Session(address, method))
            account["sessions"] += 1
        while not over and sum(len(each.calls) for each in sessions) < IN_FLIGHT:
            sequence += 1
            sessions[-1].begin(sequence)
        watched = [each.connection for each in sessions]
        readable = select.select(watched if over else [*watched, sys.stdin], [], [], wire.LIMIT)[0]
        if not readable:
            account["errors"].append(f"no answer within {wire.LIMIT} s")
            break
        over = over or sys.stdin in readable
        for session in [each for each in sessions if each.connection in readable]:
            try:
                for took in session.take():
                    account["calls"] += 1
                    account["worst"] = max(account["worst"], took)
            except EOFError:
                session.going = True
            except (OSError, AssertionError, wire.Closed) as error:
                account["errors"].append(f"{type(error).__name__}: {error}")
                session.calls.clear()
                session.going = True
        for session in [each for each in sessions if not each.calls and (each.going or over)]:
            session.connection.close()
            sessions.remove(session)
        if account["calls"] >= 100 and not started:
            started = True
            print("started", flush=True)
        if len(account["errors"]) >= 20:
            break
    print(json.dumps(account), flush=True)


class Load:
    """The same in a process of its own."""

    def __init__(self, address, method="Status.Ping"):
        self.child = subprocess.Popen(
            [sys.executable, __file__, *map(str, address), method], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if self.child.stdout.readline() != "started\n":
            raise AssertionError(f"the load could not start: {self.child.communicate(timeout=wire.LIMIT)[0]}")

    def end(self):
        account, _ = self.child.communicate(timeout=3 * wire.LIMIT)
        return json.loads(account)

    def kill(self):
        if self.child.poll() is None:
            self.child.kill()
            self.child.communicate()


if __name__ == "__main__":
    main((sys.argv[1], int(sys.argv[2])), sys.argv[3])
