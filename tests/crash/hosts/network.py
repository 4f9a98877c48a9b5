"""Hosts on a network of their own: each has its processes, host name, address and files, and a cable that can be cut.

They are namespaces of the kernel. All that runs on a host ends with it, and every host ends with the tests, however
these end, since a host lives as long as somebody holds its standard input.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Self

import psutil

from tests.processes import ROOT

ADDRESS = "10.0.0.{}"

# The first process of a host: it takes in the orphans, and has a folder of its own in place of the project's var/.
_INIT = """
import signal, socket, subprocess, sys
socket.sethostname(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "none", sys.argv[2]], check=True)
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print("up", flush=True)
sys.stdin.read()
"""
# What hosts and their network are made of.
_PARTS = """
mount -t tmpfs none /mnt
ip link add switch type bridge
ip link add one-end type veth peer name other-end
"""
_NEW_NAMESPACES = ("--net", "--uts", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
_NET = 0x40000000  # CLONE_NEWNET


def what_hosts_lack() -> str:
    """Return what this machine lacks for hosts, or nothing."""
    if os.geteuid() != 0:
        return "hosts of one's own need root"
    if missing := [name for name in ("ip", "unshare", "nsenter", "mount") if not shutil.which(name)]:
        return f"hosts of one's own need {' and '.join(missing)} (Debian: iproute2, util-linux, mount)"
    tried = subprocess.run(
        ["unshare", *_NEW_NAMESPACES, "sh", "-ec", _PARTS], capture_output=True, text=True, check=False
    )
    return "" if tried.returncode == 0 else f"this machine allows no hosts of one's own: {tried.stderr.strip()}"


class Host:
    """One host, which is up at once."""

    def __init__(self, name: str, number: int) -> None:
        self.name, self.address = name, ADDRESS.format(number)
        self._started: list[subprocess.Popen[str]] = []
        (ROOT / "var").mkdir(exist_ok=True)
        self._unshare = subprocess.Popen(
            ["unshare", *_NEW_NAMESPACES, sys.executable, "-c", _INIT, name, str(ROOT / "var")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._unshare.stdout
        assert self._unshare.stdout.readline() == "up\n"
        [self._init] = psutil.Process(self._unshare.pid).children()

    def power_off(self) -> None:
        """Kill everything on it at once; nothing of it is left."""
        if self._unshare.poll() is None:
            self._init.kill()
            for process in self._started:
                # `nsenter` stops with what it runs, and nobody else buries that.
                process.send_signal(signal.SIGCONT)
            self._unshare.communicate()
        for process in self._started:
            process.wait()

    def kill_all(self) -> None:
        """Kill all that was started on it, at once; the host itself stays."""
        assert self.start("kill", "-KILL", "--", "-1").wait() == 0

    @property
    def pid(self) -> int:
        """Return a process of the host, as others see it."""
        return self._init.pid

    def start(
        self, *command: str | Path, output: IO[str] | None = None, inside: Sequence[str] = (), **environment: str
    ) -> "subprocess.Popen[str]":
        """Start a command of the project there.

        :param inside: options for `nsenter`, such as a user to become
        """
        process = subprocess.Popen(
            self._entered("--uts", "--mount", "--pid", *inside, "env", f"--chdir={ROOT}", *command),
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=output or subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._started.append(process)
        return process

    def ip(self, *arguments: str) -> None:
        """Configure its network."""
        subprocess.run(self._entered("ip", *arguments), check=True)

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Have this thread make its connections, and what it listens on, from there."""
        with open("/proc/thread-self/ns/net") as home, open(f"/proc/{self.pid}/ns/net") as there:  # noqa: PTH123
            _enter(there)
            try:
                yield
            finally:
                _enter(home)

    def _entered(self, *command: str | Path) -> list[str | Path]:
        return ["nsenter", f"--target={self.pid}", "--net", *command]


class Network:
    """A switch with the cables of all hosts, which stands in the first one."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._hosts = 0

    def __enter__(self) -> Self:
        self.services = self._add("services")
        self.services.ip("link", "add", "switch", "type", "bridge")
        self.services.ip("address", "add", f"{self.services.address}/24", "dev", "switch")
        self.services.ip("link", "set", "switch", "up")
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def host(self, name: str) -> Host:
        """Add a host, with its cable plugged in."""
        host = self._add(name)
        cable = _cable(host)
        self.services.ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", str(host.pid))
        self.services.ip("link", "set", cable, "master", "switch", "up")
        host.ip("address", "add", f"{host.address}/24", "dev", "eth0")
        host.ip("link", "set", "eth0", "up")
        return host

    def cut(self, host: Host) -> None:
        """Pull its plug: what is sent is lost, and nobody is told."""
        self.services.ip("link", "set", _cable(host), "down")

    def mend(self, host: Host) -> None:
        """Put the plug back in."""
        self.services.ip("link", "set", _cable(host), "up")

    def _add(self, name: str) -> Host:
        self._hosts += 1
        host = Host(name, self._hosts)
        self._stack.callback(host.power_off)
        return host


def _cable(host: Host) -> str:
    return f"to-{host.address.rpartition('.')[2]}"


def _enter(network: IO[str]) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), _NET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
