#!/usr/bin/env python3
"""What the command line says and exits with, by the real binary: command_line_test.py BINARY."""

import json
import os
import pathlib
import signal
import stat
import subprocess
import sys
import tempfile
import unittest

BINARY = os.path.abspath(sys.argv.pop(1))
DONE, FAILED, USAGE, NO_SERVER = 0, 1, 2, 3

LISTENER = '[[listener]]\nname = "server"\naddress = "127.0.0.1:0"\n'
BROKEN = "[plugin.broken]\nlibrary = './broken.so'\n"


class CommandLine(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="switchyard-command-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def run_command(self, *arguments):
        return subprocess.run(
            [BINARY, *arguments], cwd=self.directory, capture_output=True, text=True, timeout=60)  # fmt: skip

    def expect(self, code, stdout, stderr, *arguments):
        done = self.run_command(*arguments)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (code, stdout, stderr))

    def configure(self, text, name="plugins.toml"):
        self.directory.joinpath(name).write_text(text)

    def serve(self, *arguments):
        """A server that is ready, and is stopped at the end."""
        server = subprocess.Popen(
            [BINARY, "serve", *arguments], cwd=self.directory, stderr=subprocess.PIPE, text=True)  # fmt: skip
        self.addCleanup(server.stderr.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        for line in server.stderr:
            if "ready" in line:
                return server
        self.fail("the server ended before it was ready")


class Usage(CommandLine):
    def test_help_names_commands_examples_and_exit_codes(self):
        done = self.run_command("--help")
        self.assertEqual((done.returncode, done.stderr), (DONE, ""))
        for word in ("serve", "check", "status", "plugin", "cert", "proxy", "version", "Examples:", "Exit codes:"):
            self.assertIn(word, done.stdout)

    def test_every_command_has_help(self):
        for command in ("serve", "check", "status", "plugin list", "plugin why", "plugin swap", "plugin rollback", "plugin new", "plugin check", "cert create", "proxy", "version"):
            with self.subTest(command):
                done = self.run_command(*command.split(), "--help")
                self.assertEqual((done.returncode, done.stderr), (DONE, ""))
                self.assertIn("--json", done.stdout)
                self.assertNotIn("Exit codes:", done.stdout)

    def test_what_is_not_understood_is_refused(self):
        for arguments in (
            "", "srve", "serve --port 1", "plugin", "plugin why", "plugin list extra", "plugin swap", "plugin rollback", "plugin new", "plugin new a --lang go", "plugin new A", "plugin check", "cert", "status --config",
            "cert create --days 0", "cert create --days x", "serve status", "proxy", "proxy x",
        ):  # fmt: skip
            with self.subTest(arguments):
                done = self.run_command(*arguments.split())
                self.assertEqual((done.returncode, done.stdout), (USAGE, ""))
                self.assertIn("--help", done.stderr)

    def test_a_new_plugin_is_a_project(self):
        done = self.run_command("plugin", "new", "com.example.hello", "--lang", "cpp", "--json")
        made = json.loads(done.stdout)
        self.assertEqual((done.returncode, made["id"], made["folder"]), (DONE, "com.example.hello", "hello"))
        for file in made["files"]:
            self.assertNotRegex((self.directory / "hello" / file).read_text(), "@(name|id|abi)")
        self.assertIn('"id": "com.example.hello"', (self.directory / "hello/manifest.json").read_text())
        self.expect(FAILED, "", "switchyard: hello is already there: name another folder with --dir\n",
                    "plugin", "new", "org.example.hello")  # fmt: skip

    def test_version(self):
        done = self.run_command("version", "--json")
        version = json.loads(done.stdout)
        self.assertEqual(sorted(version), ["abi", "version"])
        self.expect(DONE, f"switchyard {version['version']} (plugin ABI {version['abi']})\n", "", "version")


class Check(CommandLine):
    def test_a_good_configuration(self):
        self.configure(LISTENER)
        self.expect(DONE, "plugins.toml: fine (listeners: 1, plugins: 0)\n", "", "check")
        self.expect(DONE, '{"ok":true,"problems":[]}\n', "", "check", "--json")

    def test_everything_wrong_with_a_configuration(self):
        self.configure('[limits]\nspin = 1\nspun = 2\n' + LISTENER, "x.toml")
        spin = 'takes a duration such as "5s", not an integer'
        spun = 'no such key; did you mean "spin"?'
        for command in ("check", "serve"):
            with self.subTest(command):
                said = f"x.toml:2: limits.spin: {spin}\nx.toml:3: limits.spun: {spun}\n"
                self.expect(FAILED, "", said, command, "--config", "x.toml")
                done = self.run_command(command, "--json", "--config", "x.toml")
                self.assertEqual((done.returncode, done.stderr), (FAILED, ""))
                self.assertEqual(json.loads(done.stdout), {"ok": False, "problems": [
                    {"file": "x.toml", "line": 2, "key": "limits.spin", "text": spin},
                    {"file": "x.toml", "line": 3, "key": "limits.spun", "text": spun},
                ]})  # fmt: skip

    def test_no_configuration(self):
        said = "plugins.toml: cannot be read: No such file or directory; --config FILE names another file\n"
        for command in ("check", "serve", "status", "plugin list", "plugin why x"):
            with self.subTest(command):
                self.expect(FAILED, "", said, *command.split())

    def test_a_plugin_that_is_missing(self):
        self.configure(LISTENER + BROKEN)
        done = self.run_command("check")
        self.assertEqual((done.returncode, done.stdout), (FAILED, ""))
        self.assertRegex(done.stderr, r"^plugins.toml: plugin broken: \S*broken.so does not exist: .*\n$")


class WithoutServer(CommandLine):
    def test_nobody_answers(self):
        self.configure(LISTENER)
        sentence = (
            'no server answers at data/control.sock: is it running? '
            'Start it with "switchyard serve", or name its socket with --socket')  # fmt: skip
        self.expect(NO_SERVER, "", f"switchyard: {sentence}\n", "status")
        done = self.run_command("status", "--json")
        self.assertEqual((done.returncode, json.loads(done.stdout), done.stderr), (NO_SERVER, {"error": sentence}, ""))

    def test_a_socket_by_name_needs_no_configuration(self):
        done = self.run_command("status", "--socket", "x.sock")
        self.assertEqual((done.returncode, done.stdout), (NO_SERVER, ""))
        self.assertIn("no server answers at x.sock", done.stderr)

    def test_plugins_are_told_from_the_configuration(self):
        self.configure(LISTENER + BROKEN)
        done = self.run_command("plugin", "list")
        self.assertEqual(done.returncode, NO_SERVER)
        self.assertRegex(done.stdout, r"\nbroken +not running ")
        self.assertIn("no server answers", done.stderr)

        done = self.run_command("plugin", "why", "broken", "--json")
        answer = json.loads(done.stdout)
        self.assertEqual((done.returncode, done.stderr, answer["plugin"]["state"]), (NO_SERVER, "", "not running"))
        self.assertIn("does not exist", answer["plugin"]["why"])
        self.assertIn("no server answers", answer["offline"])

        self.expect(FAILED, "", 'switchyard: no plugin "brken" in plugins.toml\n', "plugin", "why", "brken")


class WithServer(CommandLine):
    def test_an_address_that_is_taken(self):
        self.configure(LISTENER)
        self.serve()
        address = json.loads(self.run_command("status", "--json").stdout)["listeners"][0]["address"]
        self.configure('[host]\ndata_dir = "other"\n' + LISTENER.replace("127.0.0.1:0", address), "other.toml")
        sentence = f"other.toml:3: listener 'server' cannot listen on {address}: Address already in use\n"
        self.expect(FAILED, "", sentence, "serve", "--config", "other.toml")

    def test_a_second_one_begins_nothing(self):
        self.configure(LISTENER)
        self.serve()
        done = self.run_command("serve", "--json")
        self.assertEqual((done.returncode, done.stderr), (FAILED, ""))
        [problem] = json.loads(done.stdout)["problems"]
        self.assertRegex(problem["text"], r"^another server has the control socket data/control\.sock; ")

    def test_status_and_plugins(self):
        self.configure(LISTENER)
        server = self.serve()
        done = self.run_command("status", "--json")
        status = json.loads(done.stdout)
        self.assertEqual((done.returncode, done.stderr), (DONE, ""))
        self.assertEqual((status["pid"], status["ready"], status["config"]), (server.pid, True, "plugins.toml"))
        self.assertRegex(status["listeners"][0]["address"], r"^127\.0\.0\.1:[1-9][0-9]*$")

        done = self.run_command("status", "--socket", "data/control.sock")
        self.assertEqual((done.returncode, done.stderr), (DONE, ""))
        self.assertIn(status["listeners"][0]["address"], done.stdout)
        self.assertEqual(json.loads(self.run_command("plugin", "list", "--json").stdout), {"plugins": []})

        done = self.run_command("plugin", "why", "x")
        self.assertEqual((done.returncode, done.stdout), (FAILED, ""))
        self.assertIn("x", done.stderr)

        server.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait(timeout=30), DONE)
        self.assertEqual(self.run_command("status").returncode, NO_SERVER)

    def test_a_second_server_with_the_same_directory_is_refused(self):
        self.configure(LISTENER)
        self.serve()
        done = self.run_command("serve")
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("another server has the control socket data/control.sock", done.stderr)
        self.assertEqual(self.run_command("status").returncode, DONE, "the first one goes on")

    def test_the_socket_of_a_killed_server_is_in_nobodys_way(self):
        self.configure(LISTENER)
        killed = self.serve()
        killed.kill()
        killed.wait()
        self.assertTrue(self.directory.joinpath("data/control.sock").is_socket())
        self.serve()
        self.assertEqual(self.run_command("status").returncode, DONE)


class Certificates(CommandLine):
    def create(self, *arguments):
        return self.run_command("cert", "create", "--dir", "tls", "--node", "s1", *arguments)

    def pem(self, name):
        return self.directory.joinpath("tls", name).read_text()

    def openssl(self, *arguments):
        return subprocess.run(
            ["openssl", *arguments], cwd=self.directory / "tls", capture_output=True, text=True, timeout=60
        ).stdout  # fmt: skip

    def test_a_server_takes_one_command(self):
        os.umask(0o022)
        done = self.create("--dc", "dc2", "--domain", "example", "--days", "7")
        self.assertEqual((done.returncode, done.stderr), (DONE, ""))
        files = ["tls/ca-key.pem", "tls/ca.pem", "tls/server-key.pem", "tls/server.pem"]
        self.assertEqual([line.split()[1] for line in done.stdout.splitlines()[:4]], files)
        self.assertEqual(sorted(f"tls/{file.name}" for file in self.directory.joinpath("tls").iterdir()), files)
        for name in files:
            mode = stat.S_IMODE(self.directory.joinpath(name).stat().st_mode)
            self.assertEqual(mode, 0o600 if name.endswith("-key.pem") else 0o644, name)
        self.assertEqual(self.openssl("verify", "-CAfile", "ca.pem", "server.pem"), "server.pem: OK\n")
        names = self.openssl("x509", "-in", "server.pem", "-noout", "-ext", "subjectAltName").split("\n")[1].split(", ")
        self.assertEqual([name.strip() for name in names], [
            "DNS:server.dc2.example", "DNS:s1.server.dc2.example", "DNS:localhost",
            "IP Address:127.0.0.1", "IP Address:0:0:0:0:0:0:0:1",
        ])  # fmt: skip

    def test_nothing_is_replaced_unasked_and_the_authority_never(self):
        self.create()
        server, authority = self.pem("server.pem"), self.pem("ca.pem")
        done = self.create()
        self.assertEqual((done.returncode, done.stdout), (FAILED, ""))
        self.assertEqual(done.stderr, "switchyard: tls/server.pem is already there; --force replaces it\n")
        self.assertEqual(self.pem("server.pem"), server)

        self.assertEqual(self.create("--force").returncode, DONE)
        self.assertNotEqual(self.pem("server.pem"), server)
        self.assertEqual(self.pem("ca.pem"), authority)

    def test_a_client_gets_its_own(self):
        self.create()
        done = self.create("--client", "operator", "--json")
        self.assertEqual(done.returncode, DONE)
        self.assertEqual(json.loads(done.stdout)["files"], ["tls/operator-key.pem", "tls/operator.pem"])
        verified = self.openssl("verify", "-CAfile", "ca.pem", "-purpose", "sslclient", "operator.pem")
        self.assertEqual(verified, "operator.pem: OK\n")

    def test_orders_that_cannot_be_met(self):
        cases = (
            (["--client", "../x"], """--client takes letters, digits, '-' and '.', not "../x\""""),
            (["--client", "ca"], "--client ca would take the place of ca.pem"),
            (["--dc", "a..b"], """--dc takes letters, digits, '-' and '.', not "a..b\""""),
            (["--dir", "none/tls"], "cannot write none/tls/ca-key.pem: No such file or directory"),
        )
        for arguments, sentence in cases:
            with self.subTest(sentence):
                done = self.run_command("cert", "create", *arguments)
                self.assertEqual((done.returncode, done.stderr), (FAILED, f"switchyard: {sentence}\n"))

    def test_half_an_authority_is_none(self):
        self.create()
        self.directory.joinpath("tls/ca-key.pem").unlink()
        done = self.create("--force")
        self.assertEqual(done.returncode, FAILED)
        self.assertIn("tls/ca-key.pem is missing beside the other half of the authority", done.stderr)

    def test_the_server_takes_what_was_made(self):
        self.create()
        tls = '[tls]\nca = "tls/ca.pem"\ncertificate = "tls/server.pem"\nkey = "tls/server-key.pem"\n'
        self.configure(tls + "verify_incoming = true\n" + LISTENER)
        self.serve()
        self.assertEqual(self.run_command("status").returncode, DONE)


if __name__ == "__main__":
    unittest.main()
