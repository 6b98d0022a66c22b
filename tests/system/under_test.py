"""Which server the tests that hold for both are run against: ours, or with CONSUL_BINARY a real Consul."""

import consul
from server import Server


def serve(**settings):
    return consul.Consul(**settings) if consul.BINARY else Server(**settings)
