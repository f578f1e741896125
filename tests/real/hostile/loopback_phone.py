"""The phone of the tests against real servers, on loopback instead of in a namespace, and looked at more closely: every
octet that it prints, what it needs of the host, and how it ends."""

import json
import os
import re
import signal
import subprocess
import time

from phone import PROGRAM, Phone

with open(PROGRAM, "rb") as program:  # the sanitizers need memory of their own
    SANITIZED = b"__asan_init" in program.read()
# B4: 2 s for the un-REGISTER, from its sending to `stopped`, both by the phone's own clock; the rest is for a host that lets it wait
# for a processor. Its process promises no time: until the signal is delivered, and while what it writes at its end is synced,
# a busy host decides. It must end, though.
STOPS_WITHIN = 3.0
ENDS_WITHIN = 20.0
# On a busy host this process may be late to answer; silence is what only those tests mean that set a patience of their own (F3).
UNHURRIED = "8s"
DAY = 86_400
_UNREGISTER = re.compile(r"^(\d\d):(\d\d):([\d.]+) → to [^\n]*\nREGISTER [^\n]*\n(?:[^\n]+\n)*?Expires: 0\r?\n", re.MULTILINE)
MOST_MEMORY = 1024 if SANITIZED else 64  # MiB; a phone that has just registered needs about 10


class Here:
    """This host, where a World has a namespace."""

    @staticmethod
    def spawn(*argv, **options):
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, **options)


class LoopbackPhone(Phone):
    """Started at once. `options` are those of the command, without the dashes: transport="tcp", expires=60, set=[…]."""

    def __init__(self, directory, registrar, aor="sip:alice@hostile.test", json_lines=True, **options):
        self._json = json_lines
        self.output = b""
        self.unreadable = []
        settings = {"registrar": registrar, "local": "127.0.0.1", "set": f"policy.patience={UNHURRIED}", **options}
        super().__init__(Here, directory, "127.0.0.1:1", aor, **settings)  # nobody is asked for names: all are numbers
        self.start()

    def _argv(self, command, options):
        return [word for word in super()._argv(command, options) if self._json or word != "--json"]

    def _environment(self):
        return {**super()._environment(), "TZ": "UTC", "ASAN_OPTIONS": "exitcode=99"}

    def _read(self, pipe):
        with pipe:
            for line in pipe:
                with self._news:
                    self.output += line
                    try:
                        event = json.loads(line.decode("utf-8", "strict")) if self._json else None
                    except ValueError:
                        self.unreadable.append(line)
                        event = None
                    if event is not None:
                        event["at"] = time.monotonic()
                        self._events.append(event)
                    self._news.notify_all()

    # What it says.

    def wait_for(self, *kinds, limit=10, after=0.0, where=None, count=1):
        """The count-th such event; fails if it does not come within `limit` seconds."""
        event = None
        for number in range(count):
            later = event["t"] if event else -1.0
            event = super().wait_for(*kinds, limit=limit, after=after, where=lambda one: one["t"] > later and (
                where is None or where(one)))
        return event

    def wait_for_output(self, octets, limit=10):
        end = time.monotonic() + limit
        with self._news:
            while octets not in self.output:
                left = end - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"{octets!r} was not said within {limit} s:\n{self.output!r}")
                self._news.wait(min(left, 0.2))

    # What it needs.

    def peak_memory(self):
        """In MiB, so far."""
        with open(f"/proc/{self._process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024

    def processor_seconds(self):
        with open(f"/proc/{self._process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    # How it ends.

    def register_now(self):
        self.signal(signal.SIGHUP)

    def is_running(self):
        return self._process.poll() is None

    def end(self, limit=ENDS_WITHIN):
        """SIGTERM: it unregisters (2 s at most). Its exit code."""
        assert self.is_running(), f"it has ended by itself: {self._process.returncode}\n{self.trace()[-3000:]}"
        traced = len(self.trace())
        code = super().end(limit)
        took = self._seconds_to_leave(traced)
        assert took is None or took <= STOPS_WITHIN, f"it stopped {took:.2f} s after its un-REGISTER was sent"
        return code

    def _seconds_to_leave(self, traced):
        """From its first un-REGISTER behind so much of its trace to `stopped`, by its own clock; None without one of them."""
        events = self.events()
        stopped = [event["t"] for event in events if event["event"] == "stopped"]
        sent = _UNREGISTER.search(self.trace(), traced)
        if not stopped or not sent:
            return None
        hours, minutes, seconds = sent.groups()
        wall = (time.time() - time.monotonic()) % DAY  # what the trace says at the beginning of our clock (TZ is UTC)
        unregistered = int(hours) * 3600 + int(minutes) * 60 + float(seconds) - wall
        started = min(one["at"] - one["t"] for one in events)  # the beginning of its clock, on ours
        took = (started + stopped[-1] - unregistered) % DAY
        return took - DAY if took > DAY / 2 else took

    def close(self):
        """Ends it if it still runs, and says what no test may leave unseen. A phone that told its end by itself is
        awaited: a signal would meet it in its last milliseconds, where nobody listens any more."""
        told_its_end = self._json and any(event["event"] == "stopped" for event in self.events())
        code = self.end() if self.is_running() and not told_its_end else self.wait_for_exit(5)
        errors = self.trace()
        assert code >= 0, f"it was ended by signal {-code}\n{errors[-3000:]}"
        for sign in ("Sanitizer", "runtime error:", "CHECK", "terminate called"):
            assert sign not in errors, errors[errors.index(sign):][:6000]
        assert not self.unreadable, f"no JSON, or no UTF-8: {self.unreadable[0]!r}"
