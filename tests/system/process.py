"""A server as a child process: its log, what it costs (/proc), and its end."""

import contextlib
import os
import pathlib
import re
import resource
import signal
import subprocess
import threading
import time

START = 60.0  # seconds until a server, even an instrumented one, has said what is waited for
TICK = os.sysconf("SC_CLK_TCK")
SANITIZER_REPORT = re.compile(r"(ERROR|WARNING): (Address|Thread|Leak|UndefinedBehavior)Sanitizer|runtime error:")


class Process:
    """Runs `command`; its standard error (and output) is the log, read as it comes."""

    def __init__(self, command, descriptors=None, **options):
        limits = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, descriptors)) if descriptors else None
        self.lines = []
        self.news = threading.Condition()
        self.child = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", preexec_fn=limits, **options,
        )  # fmt: skip
        self.pid = self.child.pid
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.child.stdout:
            with self.news:
                self.lines.append(line.rstrip("\n"))
                self.news.notify_all()
        with self.news:
            self.lines.append(None)  # the end
            self.news.notify_all()

    @property
    def log(self):
        with self.news:
            return "\n".join(line for line in self.lines if line is not None)

    def wait_for_line(self, pattern, since=0, limit=START):
        """The match of the first line from number `since` on that `pattern` is found in."""
        deadline = time.monotonic() + limit
        number = since
        with self.news:
            while True:
                for line in self.lines[number:]:
                    if line is None:
                        raise AssertionError(f"ended before the line /{pattern}/\n" + "\n".join(self.lines[:-1]))
                    found = re.search(pattern, line)
                    if found:
                        return found
                number = len(self.lines)
                if not self.news.wait(deadline - time.monotonic()):
                    raise AssertionError(f"no line /{pattern}/ in {limit} s\n" + "\n".join(self.lines))

    def proc(self, name):
        return pathlib.Path(f"/proc/{self.pid}/{name}").read_text()

    def cpu(self):
        """Seconds of processor time, all threads, user and system."""
        fields = self.proc("stat").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def scheduled(self):
        """The same to the nanosecond, of the threads that run now."""
        return sum(int(thread.joinpath("schedstat").read_text().split()[0]) for thread in pathlib.Path(f"/proc/{self.pid}/task").iterdir()) / 1e9

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def memory(self, what="Rss"):
        """KiB: Rss, Pss, Anonymous, as in smaps_rollup."""
        return int(re.search(rf"^{what}:\s+(\d+) kB", self.proc("smaps_rollup"), re.M)[1])

    def limit_descriptors(self, soft):
        """Changes the limit of the running process; (soft, hard) before."""
        hard = resource.prlimit(self.pid, resource.RLIMIT_NOFILE)[1]
        return resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (soft, hard))

    def signal(self, number):
        os.kill(self.pid, number)

    def wait(self, limit=START):
        """The exit code, when the process has ended by itself within `limit` seconds."""
        code = self.child.wait(limit)
        self.reader.join(limit)
        self.child.stdout.close()
        return code

    def stop(self, expected=0, limit=START):
        """SIGTERM, and the exit code it must end with. A report of a sanitizer fails as well."""
        if self.child.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            code = self.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running {limit} s after SIGTERM\n{self.log}") from None
        if code != expected or SANITIZER_REPORT.search(self.log):
            raise AssertionError(f"exit code {code}, not {expected}\n{self.log}")

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            self.child.kill()
        self.wait()


def settles(reached, limit=START):
    """Waits until `reached()` is true of another process: /proc tells no one when it changes."""
    deadline = time.monotonic() + limit
    pause = threading.Event()
    while not reached():
        if time.monotonic() > deadline:
            return False
        pause.wait(0.01)
    return True
