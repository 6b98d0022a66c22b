"""A real Consul as the server under test: it proves the tests, and is what the benchmarks compare with.

Its ports cannot be 0, so the system is asked for free ones. Time limits and TLS are set as ours are.
"""

import json
import os
import pathlib
import socket
import tempfile

from process import Process

BINARY = os.environ.get("CONSUL_BINARY")


def free_ports(ip, count):
    held = []
    for _ in range(count):
        listener = socket.socket()
        listener.bind((ip, 0))
        held.append(listener)
    ports = [listener.getsockname()[1] for listener in held]
    for listener in held:
        listener.close()
    return ports


class Consul(Process):
    """A single Consul 1.8.7 server, elected and answering. `address` is its server port."""

    def __init__(self, *, ip="127.0.0.1", tls=None, limits=(), binary=None, descriptors=None, plugins=None):
        del plugins  # it is what it is
        self.scratch = tempfile.TemporaryDirectory(prefix="consul-")
        directory = pathlib.Path(self.scratch.name)
        limits = dict(limits)
        server, lan, wan, http = free_ports(ip, 4)
        settings = {
            "server": True, "bootstrap_expect": 1, "node_name": "s1", "datacenter": "dc1",
            "data_dir": str(directory / "data"), "bind_addr": ip, "client_addr": ip, "log_level": "warn",
            "disable_update_check": True,
            "ports": {"server": server, "serf_lan": lan, "serf_wan": wan, "http": http, "dns": -1, "grpc": -1, "https": -1},
            "limits": {
                "rpc_handshake_timeout": limits.get("handshake_timeout", "5s"),
                "rpc_max_conns_per_client": limits.get("connections_per_client", 100) or 1000000,
            },
        }  # fmt: skip
        if tls:
            settings |= {"ca_file": str(tls["ca"]), "cert_file": str(tls["certificate"]), "key_file": str(tls["key"])}
            settings |= {"verify_incoming": tls.get("verify_incoming", False), "verify_outgoing": True}
        (directory / "consul.json").write_text(json.dumps(settings))
        self.address = (ip, server)
        super().__init__([binary or BINARY, "agent", "-config-file", directory / "consul.json"], descriptors)
        try:
            self.wait_for_line(r"Synced node info|cluster leadership acquired|New leader elected|Consul agent running")
        except BaseException:
            self.kill()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.kill()
        self.scratch.cleanup()
