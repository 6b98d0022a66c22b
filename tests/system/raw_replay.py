#!/usr/bin/env python3
"""Connections recorded from a real Consul 1.8.7, spoken again to the running server: the same bytes, the same end.

Every recording under vectors/consul-1.8.7/raw stands in exactly one of four tables. Whether a connection stays open is
asked by using it once more, not by waiting. With CONSUL_BINARY in the environment a real Consul is asked again.
"""

import collections
import json
import pathlib
import re
import struct
import tempfile
import unittest

import consul
import wire
from certificates import Authority
from under_test import serve
from wire import ACK, DATA, FIN, GO_AWAY, PING, RST, SYN, WINDOW

RAW = pathlib.Path(__file__).resolve().parents[1] / "vectors/consul-1.8.7/raw"
RECORDINGS = {entry["file"]: entry for entry in json.loads((RAW / "index.json").read_text())}

# The same bytes and the same end.
SAME = """
raw-01-byte0-Status.Ping
raw-08-byte0-unknown-method
raw-09-byte0-unknown-service
raw-10-byte0-ill-formed-method
raw-11-byte0-empty-method
raw-18-byte0-header-as-array
raw-19-byte0-header-int
raw-21-byte0-header-keys-lowercase
raw-23-byte0-seq-u64-max
raw-24-byte0-partial-request-then-close
raw-53-byte0-AutoEncrypt.Sign-on-normal-port
raw-58-first-byte-02
raw-59-first-byte-06
raw-60-first-byte-08
raw-61-first-byte-09
raw-62-first-byte-0a
raw-63-first-byte-16
raw-64-first-byte-47
raw-65-first-byte-ff
raw-66-no-byte-at-all-handshake-timeout
raw-73-byte4-yamux-syn-on-data-frame
raw-74-byte4-yamux-ping
raw-78-byte4-yamux-stream-first-byte-06-gossip
raw-79-byte4-yamux-stream-garbage-msgpack
raw-80-byte4-yamux-bad-version
raw-81-byte4-yamux-bad-type
raw-82-byte4-yamux-duplicate-stream
raw-83-byte4-yamux-unknown-stream-data
raw-84-byte4-yamux-even-stream-id-from-client
raw-85-byte4-yamux-goaway-normal-then-ping
raw-93-byte0-unknown-seq-repeated
raw-96-noleader-Status.Ping
""".split()

# What they show is not about Status.Leader, which needs Raft: Status.Ping stands in its place, in the request and,
# with its empty reply, in the recorded answer. Apart from that the same bytes and the same end.
WITH_PING = """
raw-12-byte0-body-nil
raw-13-byte0-body-wrong-type-int
raw-14-byte0-body-wrong-type-string
raw-16-byte0-body-unknown-fields-ignored
raw-20-byte0-str8-and-bin-in-request
raw-22-byte0-lowercase-body-key
raw-72-byte4-yamux-two-streams
raw-75-byte4-yamux-two-requests-one-stream
""".split()

# Where we want to be different from Consul, and why.
REFUSED_UNREAD = "clear text that is refused is not read beyond its tag, so it ends by RST; Consul has read ahead"
DIFFERENT = {
    "raw-77-byte4-yamux-half-close-before-reply": "a stream is acknowledged also when the client has ended its side before",
    "raw-86-byte4-yamux-rst": "a stream reset before its first byte ends that stream, not the whole session",
    "raw-87-byte4-yamux-idle-stream-blocks-later-streams": "a stream without a byte does not keep later ones waiting",
    "raw-88-byte4-yamux-open-then-fin-without-data": "a stream ended before its first byte ends that stream, not the session",
    "raw-108-tls-plaintext-byte0-refused": REFUSED_UNREAD,
    "raw-109-tls-plaintext-byte4-refused": REFUSED_UNREAD,
}

# Methods and protocols of handlers that are not there yet: today they are refused, and a test holds that. With its
# handler a recording moves to SAME.
NEEDS = {
    "Raft": """
raw-02-byte0-Status.Leader
raw-03-byte0-Status.Leader-empty-map-body-empty-datacenter
raw-04-byte0-Status.Peers
raw-05-byte0-Status.RaftStats
raw-06-byte0-pipelined-3-pings-then-raftstats
raw-15-byte0-body-field-wrong-type
raw-67-byte1-raft-garbage
raw-94-noleader-Status.Leader
raw-95-noleader-Status.Peers
""",
    "the catalog": """
raw-07-byte0-pipelined-slow-then-fast
raw-17-byte0-body-as-array
raw-25-byte0-no-datacenter-KVS.Get
raw-26-byte0-KVS.Apply-set
raw-27-byte0-KVS.Apply-bin8-value
raw-28-byte0-KVS.Get-that-bin8-value
raw-29-byte0-KVS.Apply-op-get
raw-30-byte0-KVS.Apply-op-get-tree
raw-31-byte0-KVS.Apply-op-check-index
raw-32-byte0-KVS.Apply-op-check-session
raw-33-byte0-KVS.Apply-op-check-not-exists
raw-34-byte0-KVS.Apply-op-delete-cas
raw-35-byte0-KVS.Apply-op-bogus
raw-36-byte0-KVS.Apply-no-key
raw-37-byte0-KVS.Apply-lock-empty-session
raw-38-byte0-KVS.Apply-unlock-missing-key
raw-39-byte0-KVS.Apply-delete-missing-key
raw-40-byte0-Session.Apply-bogus-op
raw-41-byte0-Session.Apply-no-node
raw-42-byte0-Session.Apply-unknown-node
raw-43-byte0-Health.ServiceNodes-no-name
raw-44-byte0-Catalog.NodeServices-no-node
raw-45-byte0-Catalog.Register-bad-uuid
raw-46-byte0-Catalog.Register-no-node
raw-47-byte0-Coordinate.Update-NaN-or-bad
raw-48-byte0-ACL.TokenList-acls-disabled
raw-49-byte0-ACL.PolicyResolve-acls-disabled
raw-50-byte0-ACL.GetPolicy-legacy-acls-disabled
raw-51-byte0-ACL.Authorize-acls-disabled
raw-52-byte0-Internal.KeyringOperation-list
raw-54-byte0-cross-datacenter-KVS.Get-dc2
raw-55-byte0-cross-datacenter-KVS.Apply-dc2
raw-56-byte0-cross-datacenter-unknown
raw-57-byte0-Catalog.ListDatacenters-two-dcs
raw-68-byte5-snapshot-garbage
raw-69-byte5-snapshot-bad-op
raw-70-byte5-snapshot-bad-dc
raw-71-byte5-snapshot-restore-stale
raw-76-byte4-yamux-out-of-order-across-streams
raw-89-byte0-ConnectCA.Roots-connect-enabled
raw-90-byte0-ConfigEntry.ResolveServiceConfig
raw-91-byte0-Catalog.ServiceList
raw-92-byte0-Health.ServiceNodes-consul
raw-97-noleader-KVS.Get
raw-98-noleader-KVS.Get-stale
raw-99-noleader-Catalog.ListDatacenters
raw-100-acl-KVS.Get-anonymous
raw-101-acl-KVS.Apply-anonymous
raw-102-acl-KVS.List-anonymous
raw-103-acl-Catalog.ListNodes-anonymous
raw-104-acl-Catalog.Register-anonymous
raw-105-acl-ACL.TokenList-anonymous
raw-106-acl-KVS.Get-badtoken
raw-107-acl-KVS.Get-master
""",
}


def setUpModule():
    global clear, encrypted
    scratch = tempfile.TemporaryDirectory(prefix="sy-raw-")
    unittest.addModuleCleanup(scratch.cleanup)
    authority = Authority(pathlib.Path(scratch.name) / "ca")
    certificate, key = authority.issue("server")
    tls = {"ca": authority.certificate, "certificate": certificate, "key": key, "verify_incoming": True}
    clear = unittest.enterModuleContext(serve())
    encrypted = unittest.enterModuleContext(serve(tls=tls))


def end_of(connection):
    """What was still to come, and how the server ended the connection: FIN or RST."""
    rest = b""
    while True:
        try:
            more = connection.recv(65536)
        except ConnectionResetError:
            return rest, "RST"
        if not more:
            return rest, "FIN"
        rest += more


class Conversation:
    """What was seen of a yamux session in one direction: its pings, and of each stream the data and the end.

    How data was cut into frames, and how streams took turns, says nothing and is not kept.
    """

    def __init__(self):
        self.session = []  # pings and farewells
        self.streams = collections.defaultdict(lambda: {"data": b"", "acked": False, "ended": None})

    def add(self, frame):
        if frame.kind in (PING, GO_AWAY):
            self.session.append(frame)
            return
        stream = self.streams[frame.stream]
        stream["data"] += frame.payload
        stream["acked"] |= bool(frame.flags & ACK)
        if frame.flags & (FIN | RST):
            stream["ended"] = "FIN" if frame.flags & FIN else "RST"

    def __eq__(self, other):
        return self.session == other.session and self.streams == other.streams

    def __repr__(self):
        return f"{self.session} {dict(self.streams)}"

    def forget_acks(self):
        """Drops streams that were only acknowledged: whether that still came before the end of a session is luck."""
        for number in [number for number, stream in self.streams.items() if not stream["data"] and not stream["ended"]]:
            del self.streams[number]


def frames(recorded):
    """The frames of one direction of a recorded session, without the tag."""
    while recorded:
        _, kind, flags, stream, length = struct.unpack(">BBHII", recorded[:12])
        payload, recorded = recorded[12:], b""
        if kind == DATA:
            payload, recorded = payload[:length], payload[length:]
        else:
            payload, recorded = b"", payload
        yield wire.Frame(kind, flags, stream, length, payload)


def conversation(recorded):
    seen = Conversation()
    for frame in frames(recorded):
        seen.add(frame)
    return seen


def with_ping(recorded):
    """net/rpc bytes with Status.Ping and its empty reply for Status.Leader and its address."""
    leader, ping = wire.text("Status.Leader"), wire.text("Status.Ping")
    recorded = recorded.replace(leader + wire.text("127.0.0.3:8300"), ping + b"\x80").replace(leader, ping)
    return recorded.replace(b"\xd9\x0dStatus.Leader", b"\xd9\x0bStatus.Ping")  # str8


class Replay(unittest.TestCase):
    maxDiff = None

    def dial(self, server):
        connection = wire.dial(server.address)
        self.addCleanup(connection.close)
        return connection

    def load(self, name, change=None):
        """(sent, received) as recorded; or changed, which with yamux means the data of each frame."""
        both = []
        for direction in ("c2s", "s2c"):
            recorded = (RAW / f"{name}.{direction}.bin").read_bytes()
            if change is None or "byte4-yamux" not in name:
                both.append(change(recorded) if change else recorded)
                continue
            tag = recorded[:1] if direction == "c2s" else b""
            changed = b""
            for frame in frames(recorded[len(tag) :]):
                payload = change(frame.payload)
                length = len(payload) if frame.kind == DATA else frame.length
                changed += wire.frame(frame.kind, frame.flags, frame.stream, length, payload)
            both.append(tag + changed)
        return both

    def replay(self, name, change=None):
        sent, received = self.load(name, change)
        connection = self.dial(clear)
        begin = wire.time.monotonic()
        wire.send(connection, sent)
        if "byte4-yamux" in name:
            self.check_session(connection, conversation(received), RECORDINGS[name]["server_closed"])
        else:
            self.check_connection(name, connection, received)
        if not sent:  # how long it took is all there is; a busy machine may add to it
            took, recorded = wire.time.monotonic() - begin, RECORDINGS[name]["seconds"]
            self.assertTrue(0.95 * recorded < took < 2 * recorded, f"{took} s, recorded {recorded} s")

    def check_connection(self, name, connection, received):
        closed = RECORDINGS[name]["server_closed"]
        if closed:
            self.assertEqual(end_of(connection), (received, "FIN" if closed is True else "RST"))
            return
        if received:
            self.assertEqual(wire.read_exactly(connection, len(received)), received)
        if name == "raw-24-byte0-partial-request-then-close":
            wire.call(connection, b"ng\x80", wire.response())  # the rest of it
        wire.ping(connection, 77)

    def check_session(self, connection, expected, closed):
        seen = Conversation()
        session = wire.Yamux(connection, tag=None)
        if closed:
            with self.assertRaises(wire.Closed) as end:
                while True:
                    seen.add(session.read())
            expected.forget_acks()
            seen.forget_acks()
            self.assertEqual(seen, expected)
            self.assertIn("end after 0 bytes", str(end.exception), "FIN was recorded")
            return
        try:
            while seen != expected:
                seen.add(session.read())
        except (TimeoutError, wire.Closed) as error:
            self.fail(f"{error!r} after {seen}, not {expected}")
        wire.send(connection, wire.frame(PING, SYN, 0, 0x7E57))
        self.assertEqual(session.read(), wire.Frame(PING, ACK, 0, 0x7E57, b""), "the next word after the recorded ones")

    def not_yet(self, name):
        """What is said today instead of the recorded answer: no such method, or the end without a reply."""
        sent, _ = self.load(name)
        connection = self.dial(clear)
        wire.send(connection, sent)
        if sent[0] in (wire.RAFT, wire.SNAPSHOT):
            self.assertEqual(end_of(connection)[0], b"", "no plugin speaks it")
            return
        said = b""
        while not re.search(rb"rpc: can't find (service|method) [A-Za-z]+\.[A-Za-z]+", said):
            said += wire.read_exactly(connection, 1)

    @unittest.skipIf(consul.BINARY, DIFFERENT["raw-77-byte4-yamux-half-close-before-reply"])
    def test_raw_77_byte4_yamux_half_close_before_reply(self):
        """As recorded with Status.Ping, and acknowledged."""
        sent, received = self.load("raw-77-byte4-yamux-half-close-before-reply", with_ping)
        expected = conversation(received)
        expected.streams[1]["acked"] = True
        connection = self.dial(clear)
        wire.send(connection, sent)
        self.check_session(connection, expected, False)

    @unittest.skipIf(consul.BINARY, REFUSED_UNREAD)
    def test_raw_108_and_109_tls_plaintext_refused(self):
        for name in ("raw-108-tls-plaintext-byte0-refused", "raw-109-tls-plaintext-byte4-refused"):
            with self.subTest(name):
                connection = self.dial(encrypted)
                wire.send(connection, self.load(name)[0])
                self.assertEqual(end_of(connection), (b"", "RST"))

    @unittest.skipIf(consul.BINARY, DIFFERENT["raw-86-byte4-yamux-rst"])
    def test_raw_86_byte4_yamux_rst(self):
        self.session_survives("raw-86-byte4-yamux-rst", 1)

    @unittest.skipIf(consul.BINARY, DIFFERENT["raw-88-byte4-yamux-open-then-fin-without-data"])
    def test_raw_88_byte4_yamux_open_then_fin_without_data(self):
        self.session_survives("raw-88-byte4-yamux-open-then-fin-without-data", 5)

    def session_survives(self, name, opaque):
        """The ping at the end of the recording is answered, and so is a call on a stream after that."""
        sent, _ = self.load(name)
        connection = self.dial(clear)
        wire.send(connection, sent)
        session = wire.Yamux(connection, tag=None)
        while (frame := session.read()).kind != PING:
            self.assertEqual((frame.kind, frame.stream), (WINDOW, 1))
        self.assertEqual(frame, wire.Frame(PING, ACK, 0, opaque, b""))
        session.next_stream = 3
        session.ping()

    @unittest.skipIf(consul.BINARY, DIFFERENT["raw-87-byte4-yamux-idle-stream-blocks-later-streams"])
    def test_raw_87_byte4_yamux_idle_stream_blocks_later_streams(self):
        """Stream 3 is answered before anything is sent on stream 1; then 1 is."""
        sent, _ = self.load("raw-87-byte4-yamux-idle-stream-blocks-later-streams")
        first, second = wire.response(1), wire.response(2)
        late = wire.data(1, wire.request(1))
        self.assertTrue(sent.endswith(late))
        connection = self.dial(clear)
        wire.send(connection, sent[: -len(late)])
        session = wire.Yamux(connection, tag=None)
        self.assertEqual(session.read_data(3, len(second)), second)
        session.send(late)
        self.assertEqual(session.read_data(1, len(first)), first)


class Tables(unittest.TestCase):
    def test_every_recording_stands_in_one_table(self):
        named = [*SAME, *WITH_PING, *DIFFERENT, *(name for names in NEEDS.values() for name in names.split())]
        self.assertEqual(sorted(named), sorted(RECORDINGS))
        self.assertEqual(len(named), 109)


def add_tests():
    """One test a recording, by its name; those of handlers to come hold what is said without them."""

    def add(name, test):
        setattr(Replay, "test_" + name.replace("-", "_").replace(".", "_"), test)

    for name in SAME:
        add(name, lambda self, name=name: self.replay(name))
    for name in WITH_PING:
        add(name, lambda self, name=name: self.replay(name, with_ping))
    for what, names in NEEDS.items():
        for name in names.split():
            add(name, unittest.skipIf(consul.BINARY, f"needs {what}")(lambda self, name=name: self.not_yet(name)))


add_tests()

if __name__ == "__main__":
    unittest.main()
