"""The server port from a client's side, by hand: tags, TLS, net/rpc calls, yamux frames.

Bytes are spelled out here once more, apart from the codecs under test. Every socket has a time limit.
"""

import collections
import socket
import ssl
import struct
import time

LIMIT = 20.0  # seconds any single read, write, connect or handshake may take

RPC, RAFT, TLS, YAMUX, SNAPSHOT, GOSSIP, INSECURE, GRPC, FORWARDING = 0, 1, 3, 4, 5, 6, 7, 8, 9


class Closed(Exception):
    """The server ended the connection (FIN or RST) before the bytes that were waited for."""


class Refused(Exception):
    """The server ended the connection in or by TLS: an alert, or its end during the handshake."""


def dial(address, source=None):
    """A TCP connection to (ip, port), from the loopback address `source` if one is given."""
    connection = socket.create_connection(address, LIMIT, (source, 0) if source else None)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def read_exactly(connection, count):
    received = b""
    while len(received) < count:
        try:
            more = connection.recv(count - len(received))
        except ssl.SSLError as error:
            raise Refused(f"{error} after {len(received)} bytes") from error
        except (ConnectionResetError, BrokenPipeError) as error:
            raise Closed(f"{error} after {received.hex(' ') or 'no bytes'}") from error
        if not more:
            raise Closed(f"end after {received.hex(' ') or 'no bytes'}")
        received += more
    return received


def read_to_end(connection):
    """All bytes until the server ends the connection."""
    received = b""
    while True:
        try:
            more = connection.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            return received
        if not more:
            return received
        received += more


def send(connection, data):
    """Writes all of `data`; a connection the server has ended already is Closed."""
    try:
        connection.sendall(data)
    except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
        raise Closed(str(error)) from error
    except ssl.SSLError as error:
        raise Refused(str(error)) from error


def seconds_until_closed(connection):
    """How long the server took to end the connection; any byte from it is an AssertionError."""
    begin = time.monotonic()
    received = read_to_end(connection)
    if received:
        raise AssertionError(f"closed without a reply was due, came {received[:64].hex(' ')}")
    return time.monotonic() - begin


def handshake(connection, context, tag=TLS, server_name="server.dc1.consul"):
    """TLS on `connection`, after the byte `tag` unless that is None."""
    try:
        if tag is not None:
            connection.sendall(bytes([tag]))
        return context.wrap_socket(connection, server_hostname=server_name)
    except (ssl.SSLError, ConnectionResetError, BrokenPipeError, EOFError) as error:
        connection.close()
        raise Refused(f"handshake: {error}") from error


# net/rpc over msgpack (proto/netrpc/README.md): two objects in each direction, header and body.


def text(value):
    """A msgpack raw string shorter than 64 KiB."""
    encoded = value.encode()
    if len(encoded) < 32:
        return bytes([0xA0 | len(encoded)]) + encoded
    return b"\xda" + struct.pack(">H", len(encoded)) + encoded


def number(value):
    """The smallest msgpack form of an unsigned integer."""
    for limit, head, form in ((0x80, b"", ">B"), (0x100, b"\xcc", ">B"), (0x10000, b"\xcd", ">H"), (1 << 32, b"\xce", ">I")):
        if value < limit:
            return head + struct.pack(form, value)
    return b"\xcf" + struct.pack(">Q", value)


def request(sequence=1, method="Status.Ping", body=b"\x80"):
    return b"\x82" + text("Seq") + number(sequence) + text("ServiceMethod") + text(method) + body


def response(sequence=1, method="Status.Ping", error="", body=b"\x80"):
    return (
        b"\x83" + text("Error") + text(error) + text("Seq") + number(sequence) + text("ServiceMethod") + text(method) + body
    )


def ping(connection, sequence=1, opening=b""):
    """One Status.Ping right on the connection, `opening` written in front of it; checks every byte."""
    call(connection, request(sequence), response(sequence), opening)


def call(connection, asked, expected, opening=b""):
    send(connection, opening + asked)
    answered = read_exactly(connection, len(expected))
    if answered != expected:
        raise AssertionError(f"answer {answered!r}, not {expected!r}")


# yamux (proto/yamux/README.md): a header of 12 bytes, big endian; only Data frames carry a body.

DATA, WINDOW, PING, GO_AWAY = 0, 1, 2, 3
SYN, ACK, FIN, RST = 1, 2, 4, 8

Frame = collections.namedtuple("Frame", "kind flags stream length payload")


def frame(kind, flags, stream, length, payload=b""):
    return struct.pack(">BBHII", 0, kind, flags, stream, length) + payload


def opening(stream):
    return frame(WINDOW, SYN, stream, 0)


def data(stream, payload, flags=0):
    return frame(DATA, flags, stream, len(payload), payload)


class Yamux:
    """The client's half of a yamux session, frame by frame. Reads when told to, and only then."""

    def __init__(self, connection, tag=YAMUX):
        self.connection = connection
        self.next_stream = 1
        self.buffered = b""
        if tag is not None:
            send(connection, bytes([tag]))

    def send(self, *frames):
        send(self.connection, b"".join(frames))

    def open(self, payload=b""):
        """Opens a stream, with `payload` as its first data if there is any."""
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        self.send(opening(stream), data(stream, payload) if payload else b"")
        return stream

    def _take(self, count):
        while len(self.buffered) < count:
            more = self.connection.recv(65536)
            if not more:
                raise Closed(f"end after {len(self.buffered)} bytes of a frame")
            self.buffered += more
        taken, self.buffered = self.buffered[:count], self.buffered[count:]
        return taken

    def read(self):
        """The next frame, whatever it is."""
        try:
            version, kind, flags, stream, length = struct.unpack(">BBHII", self._take(12))
            if version != 0 or kind > GO_AWAY:
                raise AssertionError(f"not a yamux frame: version {version}, type {kind}")
            return Frame(kind, flags, stream, length, self._take(length) if kind == DATA else b"")
        except (ConnectionResetError, BrokenPipeError) as error:
            raise Closed(str(error)) from error

    def read_data(self, stream, count):
        """`count` bytes of one stream. Answers pings meanwhile; data of other streams is an error."""
        received = b""
        while len(received) < count:
            got = self.read()
            if got.kind == PING and got.flags & SYN:
                self.send(frame(PING, ACK, 0, got.length))
            elif got.kind == GO_AWAY:
                raise Closed(f"go away with code {got.length}")
            elif got.kind == DATA and got.payload:
                if got.stream != stream:
                    raise AssertionError(f"data of stream {got.stream} while {stream} was asked")
                received += got.payload
            if got.stream == stream and got.flags & (FIN | RST) and len(received) < count:
                raise Closed(f"stream {stream} ended after {received!r}")
        return received

    def ping(self, stream=None, sequence=1):
        """One Status.Ping over `stream`, or over a stream of its own. Returns the stream."""
        if stream is None:
            stream = self.open(request(sequence))
        else:
            self.send(data(stream, request(sequence)))
        expected = response(sequence)
        answered = self.read_data(stream, len(expected))
        if answered != expected:
            raise AssertionError(f"answer {answered!r}, not {expected!r}")
        return stream

    def echo(self, opaque):
        """A yamux ping and its answer; frames before the answer are dropped."""
        self.send(frame(PING, SYN, 0, opaque))
        while True:
            got = self.read()
            if got.kind == PING and got.flags & ACK:
                if got.length != opaque:
                    raise AssertionError(f"ping {opaque} answered with {got.length}")
                return
