"""The Debian packages in a root file system that has nothing else: both install and start nothing, the server answers, a plugin is begun,
built, checked, served and swapped, and removing keeps what the server has written. A soak: needs root, debootstrap, and a mirror of
Debian 12 (DEBIAN_MIRROR names another than debootstrap's own)."""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

import server
import wire

LIMIT = 1800  # seconds for what downloads
TOML = "/etc/switchyard/plugins.toml"
PING = b"\x00\x82\xa3Seq\x01\xadServiceMethod\xabStatus.Ping\x80"


def run(*command, expected=0, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=LIMIT, **options)
    if expected is not None and done.returncode != expected:
        raise AssertionError(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def inside(command, **options):
    """A line of shell in the root file system."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    environment |= {key: os.environ[key] for key in ("http_proxy", "https_proxy") if key in os.environ}
    return run("chroot", root, "sh", "-ec", command, env=environment, **options)


def setUpModule():
    if not server.SOAK:
        raise unittest.SkipTest("make soak: takes minutes, and downloads")
    global scratch, root, packages
    scratch = tempfile.mkdtemp(prefix="sy-root-")
    root = pathlib.Path(scratch) / "root"
    try:
        packages = pathlib.Path(scratch) / "packages"
        run("cpack", "--config", pathlib.Path(os.environ["SWITCHYARD_BUILD"]) / "CPackConfig.cmake", "-B", packages)
        packages = sorted(packages.glob("*.deb"))
        run("debootstrap", "--variant=minbase", "bookworm", root, *filter(None, [os.environ.get("DEBIAN_MIRROR")]))
        for name in ("etc/apt/apt.conf.d", "usr/local/share/ca-certificates"):  # how this machine reaches the mirror
            if pathlib.Path("/", name).is_dir():
                shutil.copytree(pathlib.Path("/", name), root / name, dirs_exist_ok=True)
        (root / "packages").mkdir()
        for package in packages:
            shutil.copy(package, root / "packages")
        run("mount", "-t", "proc", "proc", root / "proc")
        inside("apt-get update --quiet")
    except BaseException:
        tearDownModule()
        raise


def tearDownModule():
    subprocess.run(["umount", str(root / "proc")], check=False, capture_output=True)
    shutil.rmtree(scratch, ignore_errors=True)


def install(*packages):
    inside("apt-get install --yes --quiet --no-install-recommends " + " ".join(packages))


@contextlib.contextmanager
def serving():
    """The packaged server as its unit starts it, without systemd; yields its address."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    command = f"install -d -o switchyard -g switchyard -m 750 /var/lib/switchyard && cd /etc/switchyard && exec setpriv --reuid=switchyard --regid=switchyard --clear-groups switchyard serve --config {TOML}"  # fmt: skip
    log = pathlib.Path(scratch, "log")
    with log.open("w") as to:
        process = subprocess.Popen(["chroot", str(root), "sh", "-ec", command], stderr=to, env=environment)
    try:
        deadline = time.monotonic() + 60
        while " ready" not in log.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(log.read_text())
            time.sleep(0.05)
        yield {name: (ip, int(port)) for name, ip, port in
               re.findall(r"listening name=(\S+) address=([\d.]+):(\d+)", log.read_text())}  # fmt: skip
    finally:
        process.terminate()
        ended = process.wait(60)
    if ended != 0:
        raise AssertionError(f"the server ended with {ended}\n{log.read_text()}")


class Packages(unittest.TestCase):
    def test_1_lintian_reports_no_error(self):
        run("lintian", "--fail-on", "error", *packages)

    def test_2_installing_starts_nothing(self):
        install("/packages/switchyard_*.deb")
        inside("! ps -e 2>/dev/null | grep -q switchyard; test ! -e /etc/systemd/system/multi-user.target.wants/switchyard.service")
        inside("test ! -e /var/lib/switchyard; getent passwd switchyard")

    def test_3_the_server_answers(self):
        inside(f"sed -i 's/127.0.0.1:8300/127.0.0.1:0/' {TOML} && switchyard check --config {TOML}")
        with serving() as listeners:
            with wire.dial(listeners["server"]) as connection:
                wire.send(connection, PING)
                self.assertIn(b"Status.Ping", wire.read_exactly(connection, 39))
            self.assertIn("netrpc", inside(f"switchyard plugin list --config {TOML}"))

    def test_4_a_plugin_is_made_with_the_other_package_alone(self):
        inside("apt-get remove --yes --quiet switchyard")
        install("/packages/switchyard-dev_*.deb", "g++", "cmake", "make")
        inside("cd /root && switchyard-plugin new com.example.hello --lang cpp && cd hello && "
               "cmake -S . -B build && cmake --build build && ctest --test-dir build --output-on-failure")  # fmt: skip

    def test_5_it_is_served_and_swapped(self):
        install("/packages/switchyard_*.deb")
        inside("install -d /opt/plugins && cp /root/hello/build/hello.so /opt/plugins/ && "
               f"printf '[[listener]]\\nname = \"hello\"\\naddress = \"127.0.0.1:0\"\\nprotocol = \"hello\"\\n"
               f"[plugin.hello]\\nlibrary = \"/opt/plugins/hello.so\"\\n' >> {TOML}")  # fmt: skip
        with serving() as listeners:
            with wire.dial(listeners["hello"]) as connection:
                wire.send(connection, b"ann\n")
                self.assertEqual(wire.read_exactly(connection, 11), b"hello, ann\n")
                inside(f"switchyard plugin swap hello --config {TOML}")
                wire.send(connection, b"bob\n")
                self.assertEqual(wire.read_exactly(connection, 11), b"hello, bob\n")
            with wire.dial(listeners["hello"]) as connection:
                wire.send(connection, b"cid\n")
                self.assertEqual(wire.read_exactly(connection, 11), b"hello, cid\n")

    def test_6_removing_keeps_data_and_purging_does_not(self):
        inside("apt-get remove --yes --quiet switchyard && test -d /var/lib/switchyard && test -e /etc/switchyard/plugins.toml")
        inside("apt-get purge --yes --quiet switchyard && test ! -e /var/lib/switchyard && test ! -e /etc/switchyard")


if __name__ == "__main__":
    unittest.main(failfast=True)
