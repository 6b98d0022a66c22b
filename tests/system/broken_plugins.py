#!/usr/bin/env python3
"""Every broken plugin at once in one server: each gives its one sentence, and net/rpc beside them answers."""

import os
import pathlib
import shutil
import tempfile
import unittest

import wire
from server import PLUGINS, ROOT, Server, command, configuration
from wire import RPC

FIXTURES = pathlib.Path(
    os.environ.get("SWITCHYARD_FIXTURES", PLUGINS.parent.parent / "tests/host/broken_plugins/fixtures")
).resolve()
SENTENCES = ROOT / "tests/host/broken_plugins/sentences.txt"
CONTINUE = {"on_plugin_failure": "continue"}
LIMITS = {"probe_timeout": "4s", "control_timeout": "4s"}  # as sentences.txt has them
LAUNCHED = "Refused in the process of the host."


def setUpModule():
    global scratch, directory
    scratch = tempfile.TemporaryDirectory(prefix="sy-broken-")
    directory = pathlib.Path(scratch.name)


def tearDownModule():
    scratch.cleanup()


def place(name, fixture=None):
    """A copy of a fixture that only its owner can write to."""
    copy = directory / f"{name}.so"
    if copy.is_dir():
        copy.rmdir()
    shutil.copyfile(FIXTURES / f"{fixture or name}.so", copy)
    copy.chmod(0o755)
    return copy


def sentences():
    """{section: {plugin: sentence}} of sentences.txt."""
    found, section = {}, {}
    for line in SENTENCES.read_text().splitlines():
        if line.startswith("# ") and line.endswith("."):
            section = found.setdefault(line[2:], {})
        elif line and not line.startswith("#"):
            name, _, text = line.partition(": ")
            file = place(name)
            section[name] = f"plugin {name}: " + text.replace("{file}", str(file))
    return {section: lines for section, lines in found.items() if lines}


def damage():
    """{plugin: sentence} of good files that something has happened to."""
    whole = (FIXTURES / "one.so").read_bytes()
    said = {}

    def broken(name, sentence):
        said[name] = f"plugin {name}: " + sentence.format(file=directory / f"{name}.so")
        return place(name, fixture="one")

    for part in (1, 3, 5, 7, 9):
        cut = len(whole) * part // 10
        file = broken(
            f"cut_{part}",
            f"{{file}} has {cut} bytes where its headers speak of {len(whole)}: "
            "it is cut off or half copied, copy it again")
        file.write_bytes(whole[:cut])
    broken("empty", "{file} is empty: copy it again").write_bytes(b"")
    broken("text", "{file} is not an ELF file: library names a shared object (.so)").write_text("#!/bin/sh\n")
    broken(
        "writable",
        "{file} can be written by others than its owner (mode 0777): take that away with chmod go-w",
    ).chmod(0o777)
    file = broken("directory", "{file} is not a regular file: library names a shared object")
    file.unlink()
    file.mkdir()
    file = broken("machine", "{file} was built for ELF machine 8, this host runs on x86-64: build it for that")
    file.write_bytes(whole[:18] + b"\x08\x00" + whole[20:])
    if os.uname().machine != "x86_64":
        del said["machine"]
    return said


def entries(names):
    return {name: {"library": directory / f"{name}.so"} for name in names}


def line_of(file, header):
    return 1 + file.read_text().splitlines().index(header)


def placed(told, file):
    """`told` with the places of the plugins' tables in `file`."""
    return {name: sentence.replace("{config}", f"{file}:{line_of(file, f'[plugin.{name}]')}")
            for name, sentence in told.items()}


class BrokenPlugins(unittest.TestCase):
    def test_each_gives_its_sentence_while_net_rpc_answers(self):
        told = damage()
        for section in sentences().values():
            told |= section
        self.assertGreaterEqual(len(told), 45)
        plugins = {"netrpc": {"library": "netrpc.so"}, **entries(told)}
        with Server(host=CONTINUE, limits=LIMITS, plugins=plugins) as server:
            with wire.dial(server.address) as connection:
                wire.ping(connection, opening=bytes([RPC]))
                states = {plugin.pop("name"): plugin for plugin in server.status()["plugins"]}
                self.assertEqual(states.pop("netrpc")["state"], "serving")
                self.assertEqual(set(states), set(told))
                for name, sentence in placed(told, server.file).items():
                    with self.subTest(plugin=name):
                        self.assertEqual(states[name]["state"], "failed")
                        self.assertEqual(states[name]["why"], sentence)
                        self.assertIn(sentence, command("plugin", "why", name, "--socket", server.socket))
                        self.assertEqual(server.log.count(f" {sentence}\n"), 1)
                        wire.ping(connection, sequence=2)

    def test_check_says_what_can_be_told_without_running_them(self):
        told = damage()
        for section, lines in sentences().items():
            if section != LAUNCHED:
                told |= lines
        del told["hang_in_init"]
        file = directory / "check.toml"
        file.write_text(configuration(directory, limits=LIMITS, plugins=entries(told)))
        said = command("check", "--config", file, expected=1)
        for name, sentence in placed(told, file).items():
            with self.subTest(plugin=name):
                self.assertEqual(said.count(sentence), 1, said)

    def test_one_of_them_keeps_serve_from_starting(self):
        place("fail_in_start")
        file = directory / "exit.toml"
        plugins = {"netrpc": {"library": "netrpc.so"}, **entries(["fail_in_start"])}
        file.write_text(configuration(directory, plugins=plugins))
        said = command("serve", "--config", file, expected=1)
        self.assertIn("plugin fail_in_start: start() failed: port 53 is taken", said)


class BrokenConfigurations(unittest.TestCase):
    def check(self, fixtures, sentences, **settings):
        """`check` says exactly `sentences`, and `serve` serves net/rpc beside what they refuse."""
        for fixture in fixtures:
            place(fixture)
        plugins = {"netrpc": {"library": "netrpc.so"}, **entries(fixtures)}
        for name, more in settings.items():
            plugins[name].update(more)
        file = directory / f"{self.id()}.toml"
        file.write_text(configuration(directory, host=CONTINUE, plugins=plugins))
        places = {name: f"{file}:{line_of(file, f'[plugin.{name}]')}" for name in plugins}
        expected = [sentence.format(file=file, **places) for sentence in sentences]
        said = command("check", "--config", file, expected=1)
        self.assertEqual(said.splitlines(), [f"{file}: {sentence}" for sentence in expected])
        with Server(host=CONTINUE, plugins=plugins) as server, wire.dial(server.address) as connection:
            wire.ping(connection, opening=bytes([RPC]))

    def test_two_plugins_claim_a_tag(self):
        self.check(
            ["tag_64", "tag_64_too"],
            ["plugin tag_64_too: tag 64 of protocol test.tag_64_too at {tag_64_too} is taken by protocol "
             "test.tag_64 of plugin tag_64 at {tag_64}: give one of them another with [[plugin.NAME.route]]"])

    def test_a_tag_that_means_tls(self):
        self.check(
            ["tag_22"],
            ["plugin tag_22: protocol test.tag_22 claims tag 22 at {tag_22}, which means TLS: "
             "give it another one than 3 and 20 to 23"])

    def test_two_plugins_claim_an_alpn_name(self):
        self.check(
            ["alpn", "alpn_too"],
            ["plugin alpn_too: ALPN name \"test/alpn\" of protocol test.alpn_too at {alpn_too} is taken by "
             "protocol test.alpn of plugin alpn at {alpn}: give one of them another with [[plugin.NAME.route]]"])

    def test_plugins_that_require_each_other(self):
        advice = "one of these requirements has to be optional"
        self.check(
            ["hen", "egg"],
            [f"plugin hen: requires itself through others (hen -> egg -> hen): {advice}",
             f"plugin egg: requires itself through others (egg -> hen -> egg): {advice}"])

    def test_a_provider_that_is_not_there(self):
        self.check(
            ["alarm"],
            ["plugin alarm: requires test.clock/1, which no plugin in {file} provides: add one that does"])

    def test_a_configuration_that_the_plugin_refuses(self):
        self.check(
            ["one"],
            ["plugin one: does not take its config at {one}: port: 99999 is no port"],
            one={"config": {"port": 99999}})


if __name__ == "__main__":
    unittest.main()
