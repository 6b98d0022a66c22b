#!/usr/bin/env python3
"""A running server follows its configuration file: all of a change, or nothing of it."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import tempfile
import unittest

import wire
from exclusive import Counting
from process import settles
from server import PLUGINS, Server, command, configuration
from swap import VERSIONS
from swap_load import Load
from versions import SWAPPED

LISTENER = {"name": "server", "address": "127.0.0.1:0"}
NETRPC = {"netrpc": {"library": "netrpc.so"}}


def setUpModule():
    global scratch, directory
    scratch = tempfile.TemporaryDirectory(prefix="sy-reload-")
    directory = pathlib.Path(scratch.name)
    for file in (*VERSIONS.glob("*.so"), PLUGINS / "netrpc.so"):
        install(file, file.name)


def tearDownModule():
    scratch.cleanup()


def install(file, name):
    """As a package does: a new file under the old name."""
    shutil.copy(file, directory / f".{name}")
    (directory / f".{name}").chmod(0o755)
    (directory / f".{name}").rename(directory / name)


def version(name):
    return directory / f"{name}.so"


def swapped(name="good"):
    return {"swapped": {"library": version(f"swapped_{name}")}}


class Reload(unittest.TestCase):
    def start(self, **settings):
        settings.setdefault("limits", {"connections_per_client": 0, "drain_timeout": "20s"})
        server = self.enterContext(Server(**settings))
        self.settings = settings
        return server

    def write(self, server, **changes):
        """The file of `server` with some tables changed."""
        server.file.write_text(configuration(server.file.parent, **{**self.settings, **changes}))

    def reload(self, server, *flags):
        """{(what, name): change} of a reload that succeeds."""
        said = command("reload", "--json", *flags, "--socket", server.socket)
        answer = json.loads(said.splitlines()[-1])
        return {(change["what"], change["name"]): change["change"] for change in answer["changes"]}

    def refused(self, server, *flags):
        return command("reload", *flags, "--socket", server.socket, expected=1).removeprefix("switchyard: ").strip()

    def says(self, address):
        with wire.dial(address) as connection:
            wire.send(connection, bytes([SWAPPED]))
            return wire.read_to_end(connection)

    def pings(self, address):
        with wire.dial(address) as connection:
            wire.ping(connection, opening=bytes([wire.RPC]))

    def plugins(self, server):
        return {plugin["name"]: plugin for plugin in server.status()["plugins"]}

    def address(self, server, name):
        said = {each["name"]: each["address"] for each in server.status()["listeners"]}
        ip, _, port = said[name].rpartition(":")
        return ip, int(port)

    def listening(self, server):
        """Inodes of the sockets that listen."""
        inodes = {line.split()[9] for line in server.proc("net/tcp").splitlines()[1:] if line.split()[3] == "0A"}
        folder = f"/proc/{server.pid}/fd"
        links = set()
        for number in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):
                links.update(re.findall(r"socket:\[(\d+)\]", os.readlink(f"{folder}/{number}")))
        return inodes & links


class Follows(Reload):
    def test_nothing_when_nothing_has_changed(self):
        server = self.start()
        before = self.listening(server)
        self.assertEqual(self.reload(server), {})
        self.assertEqual(self.listening(server), before)
        self.assertEqual(self.plugins(server)["netrpc"]["generation"], 1)

    def test_plugins_that_come_and_go(self):
        server = self.start()
        self.assertEqual(self.says(server.address), b"", "nobody has the tag")
        self.write(server, plugins={**NETRPC, **swapped()})
        self.assertEqual(self.reload(server, "--dry-run"), {("plugin", "swapped"): "added"})
        self.assertEqual(self.says(server.address), b"", "it was tried only")
        self.assertEqual(self.reload(server), {("plugin", "swapped"): "added"})
        self.assertEqual(self.says(server.address), b"good\n")
        self.pings(server.address)

        with wire.dial(server.address) as connection:
            wire.ping(connection, 1, bytes([wire.RPC]))
            self.write(server, plugins=swapped())
            self.assertEqual(self.reload(server), {("plugin", "netrpc"): "removed"})
            self.assertEqual(wire.read_to_end(connection), b"", "it is drained")
        self.assertTrue(settles(lambda: set(self.plugins(server)) == {"swapped"}))
        self.assertNotIn("netrpc", server.proc("maps"))
        self.assertEqual(self.says(server.address), b"good\n")

        self.write(server, plugins={**NETRPC, **swapped()})
        self.reload(server)
        self.pings(server.address)

    def test_another_configuration_of_a_plugin(self):
        server = self.start()
        with wire.dial(server.address) as old:
            wire.ping(old, 1, bytes([wire.RPC]))
            self.write(server, plugins={"netrpc": {"library": "netrpc.so", "config": {"request_timeout": "7s"}}})
            self.assertEqual(self.reload(server), {("plugin", "netrpc"): "changed"})
        self.pings(server.address)
        self.assertTrue(settles(lambda: len(self.plugins(server)["netrpc"]["generations"]) == 1))
        self.assertEqual(self.plugins(server)["netrpc"]["generation"], 2)

    def test_another_file_under_the_same_name(self):
        install(version("netrpc"), "installed.so")
        server = self.start(plugins={"netrpc": {"library": directory / "installed.so"}})
        install(version("netrpc_next"), "installed.so")
        self.assertEqual(self.reload(server), {("plugin", "netrpc"): "swapped"})
        self.assertEqual(self.plugins(server)["netrpc"]["version"], "0.2.0")
        self.pings(server.address)
        command("plugin", "rollback", "netrpc", "--socket", server.socket)
        self.assertEqual(self.plugins(server)["netrpc"]["version"], "0.1.0", "the file of which is gone")
        self.pings(server.address)

    def test_another_route(self):
        server = self.start()
        moved = "\n[[plugin.netrpc.route]]\nprotocol = \"netrpc.single\"\ntag = 99\n"
        server.file.write_text(server.file.read_text() + moved)
        self.assertEqual(self.reload(server), {("plugin", "netrpc"): "rerouted"})
        with wire.dial(server.address) as connection:
            wire.ping(connection, opening=bytes([99]))
        self.assertEqual(self.plugins(server)["netrpc"]["generation"], 1)

    def test_listeners_that_come_go_and_change(self):
        server = self.start()
        kept = self.listening(server)
        second = {"name": "second", "address": "127.0.0.1:0", "protocol": "netrpc.single"}
        self.write(server, listeners=[second, LISTENER])
        self.assertEqual(self.reload(server), {("listener", "second"): "added"})
        self.assertLess(kept, self.listening(server), "the first has all its sockets")
        address = self.address(server, "second")
        self.assertEqual(self.address(server, "server"), server.address)
        with wire.dial(address) as connection:
            wire.ping(connection)
        self.pings(server.address)

        both = self.listening(server)
        self.write(server, listeners=[LISTENER, {"name": "second", "address": "127.0.0.1:0"}])
        self.assertEqual(self.reload(server), {("listener", "second"): "changed"})
        self.assertEqual(self.listening(server), both, "only what is said on it is another")
        self.pings(address)

        with wire.dial(address) as open_connection:
            wire.ping(open_connection, 1, bytes([wire.RPC]))
            self.write(server)
            self.assertEqual(self.reload(server), {("listener", "second"): "removed"})
            with self.assertRaises(ConnectionRefusedError):
                wire.dial(address).close()
            wire.ping(open_connection, 2)
        self.assertEqual(self.listening(server), kept)
        self.pings(server.address)

    def test_connections_that_wait_in_the_queue_of_a_listener(self):
        server = self.start()
        self.write(server, listeners=[LISTENER, {"name": "second", "address": "127.0.0.1:0"}])
        self.reload(server)
        address = self.address(server, "second")
        self.write(server, limits={**self.settings["limits"], "spin": "10us"})  # the second one goes
        with contextlib.ExitStack() as held:
            server.signal(signal.SIGSTOP)
            waiting = []
            for number in range(60):
                connection = held.enter_context(wire.dial((server.address, address)[number % 2]))
                wire.send(connection, bytes([wire.RPC]) + wire.request(number))
                waiting.append(connection)
            server.signal(signal.SIGHUP)
            server.signal(signal.SIGCONT)
            server.wait_for_line("reloaded .*listener second removed")
            for number, connection in enumerate(waiting):
                self.assertEqual(wire.read_exactly(connection, len(wire.response(number))), wire.response(number))

    def test_limits(self):
        server = self.start()
        self.write(server, limits={"connections_per_client": 1, "handshake_timeout": "1s"}, swap={"window": "3s"})
        changes = self.reload(server)
        self.assertEqual(changes[("setting", "limits.connections_per_client")], "changed")
        self.assertEqual(changes[("setting", "swap.window")], "changed")
        with wire.dial(server.address) as silent, wire.dial(server.address) as second:
            self.assertEqual(wire.read_to_end(second), b"", "the limit")
            wire.seconds_until_closed(silent)
        self.assertEqual(server.status()["connections"]["closed"]["opening_timeout"], 1)

    def test_no_call_fails_while_plugins_change(self):
        server = self.start()
        load = Load(server.address)
        self.addCleanup(load.kill)
        for number in range(10):
            config = {"library": "netrpc.so", "config": {"request_timeout": f"{10 + number}s"}}
            self.write(server, plugins={"netrpc": config, **(swapped() if number % 2 else {})})
            self.assertEqual(self.reload(server)[("plugin", "netrpc")], "changed")
            self.assertTrue(settles(lambda: len(self.plugins(server)["netrpc"]["generations"]) == 1))
        account = load.end()
        self.assertEqual(account["errors"], [])
        print(f"{account['calls']} calls, worst {1000 * account['worst']:.1f} ms", flush=True)


class Together(Reload):
    """Plugins that use each other, or that hold what a second instance cannot, by the means of a swap."""

    def alone(self, server, *names):
        self.assertTrue(settles(lambda: all(len(self.plugins(server)[name]["generations"]) == 1 for name in names)))

    def counter(self, version="good", name="counter"):
        return {"library": directory / f"exclusive_{version}.so", "config": {"file": directory / name}}

    def test_a_provider_and_what_has_registered_with_it(self):
        server = self.start(plugins={**NETRPC, "answerer": {"library": version("answerer")}})
        load = Load(server.address, "Answer.Now")
        self.addCleanup(load.kill)
        install(version("answerer"), "answerer_too.so")
        for number in range(10):
            netrpc = {"library": "netrpc.so", "config": {"request_timeout": f"{10 + number}s"}}
            answerer = {"library": version(("answerer_too", "answerer")[number % 2])}
            self.write(server, plugins={"netrpc": netrpc, "answerer": answerer})
            changes = self.reload(server)
            self.assertEqual((changes["plugin", "netrpc"], changes["plugin", "answerer"]), ("changed", "changed"))
            self.alone(server, "netrpc", "answerer")
        account = load.end()
        self.assertEqual(account["errors"], [])
        print(f"{account['calls']} calls, worst {1000 * account['worst']:.1f} ms", flush=True)

    def test_a_registrant_that_comes_and_goes(self):
        server = self.start()
        changed = {"netrpc": {"library": "netrpc.so", "config": {"request_timeout": "7s"}}}
        self.write(server, plugins={**changed, "answerer": {"library": version("answerer")}})
        self.reload(server)
        with wire.dial(server.address) as connection:
            wire.send(connection, bytes([wire.RPC]))
            wire.call(connection, wire.request(1, "Answer.Now"), wire.response(1, "Answer.Now"))
        self.write(server, plugins=changed)
        self.assertEqual(self.reload(server), {("plugin", "answerer"): "removed"})
        self.assertTrue(settles(lambda: set(self.plugins(server)) == {"netrpc"}))
        self.pings(server.address)
        self.write(server, plugins={"answerer": {"library": version("answerer")}})
        self.assertIn("switchyard.netrpc.endpoints/1", self.refused(server))

    def test_an_exclusive_plugin_counts_on(self):
        (directory / "counter").unlink(missing_ok=True)
        beside = {"answerer": {"library": version("answerer")}, **swapped("fail_in_init")}
        server = self.start(
            host={"on_plugin_failure": "continue"},
            limits={"control_timeout": "4s"},
            swap={"pause": "10s"},
            plugins={**NETRPC, "exclusive": self.counter(), **beside},
        )
        install(version("answerer"), "answerer_too.so")
        install(version("exclusive_good"), "exclusive_good_too.so")
        counting = Counting(server.address)
        try:
            for number in range(6):
                netrpc = {"library": "netrpc.so", "config": {"request_timeout": f"{10 + number}s"}}
                exclusive = self.counter(("good_too", "good")[number % 2])
                self.write(server, plugins={"netrpc": netrpc, "exclusive": exclusive, **beside})
                self.assertEqual(self.reload(server)["plugin", "exclusive"], "changed")
                self.alone(server, "netrpc", "exclusive")
                self.assertEqual(self.plugins(server)["exclusive"]["generation"], number + 2)
            serving = lambda: {name: each["generation"] for name, each in self.plugins(server).items() if each["state"] == "serving"}
            before = serving()
            self.assertEqual(set(before), {"netrpc", "answerer", "exclusive"})
            for bad, sentence in {
                "fail_in_take_over": r"take_over\(\) failed: the term is smaller",
                "unwell": r"health\(\) failed: the index does not fit the file",
            }.items():
                netrpc = {"library": "netrpc.so", "config": {"request_timeout": "1s"}}
                answerer = {"library": version("answerer_too")}
                self.write(server, plugins={"netrpc": netrpc, "answerer": answerer, "exclusive": self.counter(bad), **swapped()})
                self.assertRegex(self.refused(server), rf":\d+: plugin exclusive: {sentence}")
                self.assertEqual(serving(), before)
                reached = len(counting.numbers)
                self.assertTrue(settles(lambda: len(counting.numbers) > reached + 10), "the old one counts on")
                with wire.dial(server.address) as connection:
                    wire.send(connection, bytes([wire.RPC]))
                    wire.call(connection, wire.request(1, "Answer.Now"), wire.response(1, "Answer.Now"))
                self.assertEqual(self.says(server.address), b"")
                self.alone(server, "netrpc", "answerer", "exclusive")
        finally:
            numbers = counting.end()
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))

    def test_two_exclusive_plugins_one_after_the_other(self):
        for name in ("one", "two"):
            (directory / name).unlink(missing_ok=True)
        first, second = self.counter(name="one"), self.counter("other", name="two")
        server = self.start(plugins={"first": first, "second": second}, limits={"control_timeout": "4s"}, swap={"pause": "10s"})
        install(version("exclusive_good"), "exclusive_good_too.so")
        install(version("exclusive_other"), "exclusive_other_too.so")
        changed = {"first": self.counter("good_too", "one"), "second": self.counter("other_too", "two")}
        self.write(server, plugins=changed)
        self.assertRegex(self.refused(server), r":\d+: plugin second: is exclusive, like plugin first, which is to change too")
        self.write(server, plugins={**changed, "second": second})
        self.assertEqual(self.reload(server), {("plugin", "first"): "changed"})
        self.write(server, plugins=changed)
        self.assertEqual(self.reload(server), {("plugin", "second"): "changed"})


class Refuses(Reload):
    """Whatever is wrong: nothing has changed afterwards."""

    def setUp(self):
        self.server = self.start(plugins={**NETRPC, **swapped()}, limits={"control_timeout": "4s", "probe_timeout": "4s"})

    def test_and_leaves_everything_as_it_was(self):
        taken = self.enterContext(wire.socket.create_server(("127.0.0.1", 0)))
        more = {"name": "more", "address": "127.0.0.1:0"}
        busy = {"name": "busy", "address": "127.0.0.1:%d" % taken.getsockname()[1]}
        cases = {
            "a key that is none": ({"limits": {"spinn": "1us"}}, r"^{file}:\d+: limits\.spinn: no such key"),
            "loops": ({"host": {"loops": 7}}, r"^{file}:\d+: host\.loops: cannot change from \"0\" to \"7\" while the server runs"),
            "data_dir": ({"host": {"data_dir": "elsewhere"}}, r"^{file}:2: host\.data_dir: cannot change"),
            "a plugin's trial": ({"plugins": {**NETRPC, **swapped("crash_in_probe")}}, r"^{file}:\d+: plugin swapped: .*crashed its trial process"),
            "a plugin's init": ({"plugins": {**NETRPC, **swapped("fail_in_init")}}, r"^{file}:\d+: plugin swapped: init\(\) failed: the table is locked"),
            "a plugin that hangs": ({"plugins": {**NETRPC, **swapped("hang_in_init")}}, r"^{file}:\d+: plugin swapped: init\(\) did not return within 4 s"),
            "a plugin's health": ({"plugins": {**NETRPC, **swapped("unwell")}}, r"^{file}:\d+: plugin swapped: health\(\) failed: the table is full"),
            "a plugin's config": ({"plugins": {"netrpc": {"library": "netrpc.so", "config": {"nothing": 1}}, **swapped()}}, r"^{file}:\d+: plugin netrpc: does not take its config at {file}:\d+: "),
            "no such file": ({"plugins": {**NETRPC, **swapped(), "new": {"library": "none.so"}}}, r"^{file}:\d+: plugin new: .*none\.so does not exist"),
            "a tag twice": ({"plugins": {**NETRPC, **swapped(), "twice": {"library": version("swapped_good")}}}, r"plugin twice: the name of protocol test\.swapped at {file}:\d+ is taken"),
            "a protocol of nobody": ({"listeners": [LISTENER, {**more, "protocol": "no.such"}]}, r"{file}:\d+: listener more speaks protocol \"no\.such\", which no plugin has"),
            "a plugin with a listener goes": ({"listeners": [LISTENER, {**more, "protocol": "test.swapped"}], "plugins": NETRPC}, r"listener more speaks protocol \"test\.swapped\""),
            "an address that is taken": ({"listeners": [LISTENER, more, busy]}, r"^{file}:\d+: listener 'busy' cannot listen on 127\.0\.0\.1:\d+: Address already in use"),
            "certificates": ({"tls": {"certificate": "none.pem", "key": "none.pem"}}, r"^{file}:\d+: .*none\.pem"),
        }  # fmt: skip
        sockets = self.listening(self.server)
        for name, (changes, sentence) in cases.items():
            for flags in ((), ("--dry-run",)):
                if flags and re.search(r"init\\|health\\", sentence):
                    continue  # found only where it runs
                with self.subTest(case=name, flags=flags):
                    # Beside what is wrong something that would be right.
                    self.write(self.server, **{"swap": {"window": "1s"}, **changes})
                    pattern = sentence.replace("{file}", re.escape(str(self.server.file)))
                    self.assertRegex(self.refused(self.server, *flags), pattern)
                    self.assertEqual(self.says(self.server.address), b"good\n")
                    self.pings(self.server.address)
                    self.assertEqual(self.listening(self.server), sockets)
                    plugins = self.plugins(self.server)
                    self.assertEqual({name: each["generation"] for name, each in plugins.items()}, {"netrpc": 1, "swapped": 1})
        self.write(self.server)
        self.assertEqual(self.reload(self.server), {})

    def test_while_a_swap_is_in_its_window(self):
        command("plugin", "swap", "swapped", version("swapped_good"), "--socket", self.server.socket)
        self.assertIn("plugin swapped is in its rollback window: reload once that has ended", self.refused(self.server))

    def test_by_signal_as_well(self):
        self.write(self.server, plugins=swapped("fail_in_init"))
        self.server.signal(signal.SIGHUP)
        self.server.wait_for_line(r"not reloaded, everything stays as it was: .*the table is locked")
        self.pings(self.server.address)


if __name__ == "__main__":
    unittest.main()
