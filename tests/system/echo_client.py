"""The service of tests/peer/grpc_echo by python3-grpcio (Debian's python3 has it), its messages spelled out here."""

import grpc

SERVICE = "switchyard.test.v1.Echo"
UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
STEP = 60  # seconds any call may take


def varint(value):
    encoded = b""
    while value >= 0x80:
        encoded, value = encoded + bytes([value & 0x7F | 0x80]), value >> 7
    return encoded + bytes([value])


def text_field(number, value):
    return bytes([number << 3 | 2]) + varint(len(value)) + value if value else b""


def number_field(number, value):
    return bytes([number << 3]) + varint(value) if value else b""


def request(payload=b"", count=0, code=0, message="", details=b""):
    """An EchoRequest."""
    return (
        text_field(1, payload) + number_field(2, count) + number_field(3, code)
        + text_field(4, message.encode()) + text_field(5, details)
    )  # fmt: skip


def fields(encoded):
    """{number: value} of a message; a bytes value or a number each."""
    found, at = {}, 0

    def take():
        nonlocal at
        value = shift = 0
        while True:
            byte, at = encoded[at], at + 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(encoded):
        key = take()
        value = take()
        if key & 7 == 2:
            found[key >> 3], at = encoded[at : at + value], at + value
        else:
            found[key >> 3] = value
    return found


def payload(reply):
    return fields(reply).get(1, b"")


class Echo:
    """A channel and the methods of the service on it. Every call has a deadline unless one is named."""

    def __init__(self, address, ca=None, options=(), **more):
        options = [*UNLIMITED, *options]
        if ca:
            credentials = grpc.ssl_channel_credentials(ca.read_bytes())
            self.channel = grpc.secure_channel(address, credentials, options, **more)
        else:
            self.channel = grpc.insecure_channel(address, options, **more)
        path = f"/{SERVICE}/"
        self.unary = self.channel.unary_unary(path + "Unary")
        self.mirror = self.channel.unary_unary(path + "Mirror")
        self.repeat = self.channel.unary_stream(path + "Repeat")
        self.collect = self.channel.stream_unary(path + "Collect")
        self.chat = self.channel.stream_stream(path + "Chat")

    def say(self, said=b"", **options):
        """One unary call, its answer checked."""
        answered = payload(self.unary(request(said), timeout=STEP, **options))
        if answered != said:
            raise AssertionError(f"answer of {len(answered)} bytes to {len(said)}, or other ones")

    def chats(self):
        """How many chats the server has."""
        return fields(self.channel.unary_unary(f"/{SERVICE}/Chats")(b"", timeout=STEP)).get(1, 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()
