#!/usr/bin/env python3
"""Consul's own client libraries against the server: every way in, 10 000 calls each, every answer checked.

INTEROP_NETRPC is the Go program beside this file, built. With CONSUL_BINARY in the environment it is held against a
real Consul, which proves the program.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from certificates import Authority
from under_test import serve

CALLS = 10_000
LIMIT = 300  # seconds for all legs together, instrumented servers included
PROGRAM = os.environ["INTEROP_NETRPC"]


class NetRpc(unittest.TestCase):
    def test_every_way_in(self):
        with tempfile.TemporaryDirectory(prefix="sy-interop-") as scratch:
            authority = Authority(pathlib.Path(scratch) / "ca")
            certificate, key = authority.issue("server")
            client, client_key = authority.issue("client")
            tls = {"ca": authority.certificate, "certificate": certificate, "key": key}
            with serve(tls=tls) as server:
                ip, port = server.address
                ran = subprocess.run(
                    [PROGRAM, "-address", f"{ip}:{port}", "-calls", str(CALLS), "-ca", authority.certificate,
                     "-cert", client, "-key", client_key],
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT,
                )  # fmt: skip
                print(ran.stdout, end="", flush=True)
                self.assertEqual(ran.returncode, 0, ran.stdout)
                self.assertEqual(ran.stdout.count(f"{CALLS} calls answered as they should be"), 7, ran.stdout)


if __name__ == "__main__":
    unittest.main()
