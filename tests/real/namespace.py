"""A network namespace without a name: it lives while this object holds it, and its processes die with the test.

Nothing is left in /run/netns, and the kernel takes everything away even if the test's own process is killed: the
namespace is held by a file descriptor, and each process in it is told to die with its parent (PR_SET_PDEATHSIG).
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import threading

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def interrupt_with_parent():
    """This process is interrupted when its parent dies, so that it can still take down what it made. (By SIGTERM:
    xdist's workers ignore SIGINT.)"""
    signal.signal(signal.SIGTERM, _interrupt)
    _check(_libc.prctl(1, signal.SIGTERM))  # PR_SET_PDEATHSIG


def _interrupt(*_):
    raise KeyboardInterrupt


def _check(result):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


class Namespace:
    def __init__(self, name):
        self.name = name
        self._fd = -1
        made = threading.Thread(target=self._make)  # a thread of its own: unshare moves the caller
        made.start()
        made.join()
        if self._fd < 0:
            raise OSError(f"namespace {name}: the kernel or the rights do not allow one (needs root)")
        # An IPv6 address counts at once: else each one that becomes usable a second later is a change of the network.
        self.run("sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0")
        self.run("ip", "link", "set", "lo", "up")

    def _make(self):
        with contextlib.suppress(OSError):
            _check(_libc.unshare(CLONE_NEWNET))
            self._fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    @property
    def fd(self):
        return self._fd

    @contextlib.contextmanager
    def entered(self):
        """The calling thread is inside; a socket made meanwhile stays there for its life."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _check(_libc.setns(self._fd, CLONE_NEWNET))
            yield
        finally:
            _check(_libc.setns(home, CLONE_NEWNET))
            os.close(home)

    def _inside(self, argv):
        return ["nsenter", f"--net=/proc/self/fd/{self._fd}", "--", *argv]

    def run(self, *argv, stdin=None, check=True, pass_fds=()):
        """One command to its end, at most 120 s; its output. Fails with what it said."""
        done = subprocess.run(
            self._inside(argv), input=stdin, capture_output=True, text=True, timeout=120, check=False,
            pass_fds=(self._fd, *pass_fds))
        if check and done.returncode != 0:
            raise RuntimeError(f"in {self.name}: {' '.join(argv)}: {done.stderr or done.stdout}\n{stdin or ''}")
        return done.stdout

    def spawn(self, *argv, family=False, pass_fds=(), **options):
        """Starts a process that dies with us. `family`: it forks; then all of it dies with its first process."""
        command = self._inside(argv)
        if family:
            command = ["unshare", "--pid", "--fork", "--kill-child=KILL", "--", *command]
        command = ["setpriv", "--pdeathsig", "KILL", "--", *command]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=(self._fd, *pass_fds), **options)

    def close(self):
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
