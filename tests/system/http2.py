"""HTTP/2 from a client's side, by hand: frames, and header blocks of literals (RFC 9113, RFC 7541)."""

import collections
import struct

import wire

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS = 1, 1, 4
INITIAL_WINDOW_SIZE = 4
WINDOW = 65_535  # bytes that may be sent on a new connection (RFC 9113 section 6.9.2)
SETTINGS_TIMEOUT, CANCEL, ENHANCE_YOUR_CALM = 4, 8, 11

Frame = collections.namedtuple("Frame", "kind flags stream payload")


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(**values):
    """`settings(id4=0)`: the identifier behind "id"."""
    return frame(SETTINGS, payload=b"".join(struct.pack(">HI", int(name[2:]), value) for name, value in values.items()))


def integer(value, bits, first=0):
    """HPACK's integer with a prefix of `bits` bits, the bits before it in `first`."""
    limit = (1 << bits) - 1
    if value < limit:
        return bytes([first | value])
    encoded, value = bytes([first | limit]), value - limit
    while value >= 0x80:
        encoded, value = encoded + bytes([value & 0x7F | 0x80]), value >> 7
    return encoded + bytes([value])


def text(value):
    return integer(len(value), 7) + value


def literal(name, value, indexed=False):
    """A field whose name is spelled out; `indexed` puts it into the dynamic table."""
    return (b"\x40" if indexed else b"\x00") + text(name) + text(value)


def call_headers(path):
    """The header block of a gRPC call: :method POST and :scheme http out of the static table."""
    return (
        b"\x83\x86" + b"\x04" + text(path.encode()) + literal(b":authority", b"localhost")
        + literal(b"content-type", b"application/grpc") + literal(b"te", b"trailers")
    )  # fmt: skip


def message(encoded):
    """A message with gRPC's prefix."""
    return b"\0" + struct.pack(">I", len(encoded)) + encoded


class Client:
    """A connection that has said its preface and `greeting`, SETTINGS unless told otherwise. Reads when told to.

    `window` is what the server still takes of DATA on the connection, as far as has been read; `send` does not look at it.
    """

    def __init__(self, connection, greeting=settings()):  # noqa: B008
        self.connection = connection
        self.buffered = b""
        self.window = WINDOW
        wire.send(connection, PREFACE + greeting)

    def send(self, *frames):
        wire.send(self.connection, b"".join(frames))

    def send_data(self, stream, payload, flags=0):
        """DATA within the window of the connection: reads, and answers pings, until there is room."""
        while self.window < len(payload):
            if (got := self.read()).kind == PING and not got.flags & ACK:
                self.send(frame(PING, ACK, 0, got.payload))
        self.window -= len(payload)
        self.send(frame(DATA, flags, stream, payload))

    def read(self):
        """The next frame, whatever it is; Closed at the end."""
        try:
            while len(self.buffered) < 9 or len(self.buffered) < 9 + int.from_bytes(self.buffered[:3], "big"):
                more = self.connection.recv(65536)
                if not more:
                    raise wire.Closed("end")
                self.buffered += more
        except (ConnectionResetError, BrokenPipeError) as error:
            raise wire.Closed(str(error)) from error
        size = int.from_bytes(self.buffered[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", self.buffered[3:9])
        payload, self.buffered = self.buffered[9 : 9 + size], self.buffered[9 + size :]
        if kind == WINDOW_UPDATE and stream == 0:
            self.window += int.from_bytes(payload, "big")
        return Frame(kind, flags, stream, payload)

    def settle(self):
        """Reads the server's SETTINGS and acknowledges them."""
        while not ((got := self.read()).kind == SETTINGS and not got.flags & ACK):
            pass
        self.send(frame(SETTINGS, ACK))
