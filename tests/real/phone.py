"""`holdfast register` (or call, answer) as a process in a namespace, its events as dictionaries, and when each of them came."""

import json
import os
import signal
import subprocess
import threading
import time

PROGRAM = os.environ.get("HOLDFAST") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "..", "build", "release", "holdfast")


class Phone:
    """`options` are those of the command, without the dashes: transport="tcp", expires=60, set=[…]."""

    def __init__(self, host, directory, dns, aor="sip:alice@example.test", password="secret", **options):
        self.host = host
        self.aor = aor
        self._password = password
        self._directory = directory
        self.options = {"dns": dns, "state": os.path.join(directory, "state"), **options}
        self._process = None
        self._reader = None
        self._events = []
        self._news = threading.Condition()
        self.started_at = None
        self.environment = {}  # of its process, beside what each of them needs

    # Life.

    def _argv(self, command, options, operand=None):
        argv = [os.path.realpath(PROGRAM), command, operand or self.aor, "--json"]
        for name, value in options.items():
            for one in value if isinstance(value, (list, tuple)) else [value]:
                argv += [f"--{name.replace('_', '-')}", str(one)]
        return argv

    def _environment(self):
        # GStreamer's list of its plug-ins is the user's: to make it anew takes seconds.
        cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        return {"HOLDFAST_PASSWORD": self._password, "HOME": self._directory, "PATH": "/usr/bin:/bin",
                "XDG_CACHE_HOME": cache, **self.environment}

    def start(self):
        return self._spawn(self._argv("register", self.options))

    def call(self, uri, **options):
        """One call, as soon as it is registered; the process ends with it."""
        return self._spawn(self._argv("call", {"account": self.aor, **self.options, **options}, uri))

    def call_directly(self, uri, **options):
        """The same without an account: straight at the host of the URI."""
        return self._spawn(self._argv("call", {**self.options, **options}, uri))

    def answer(self, **options):
        """Waits for one call and takes it; the process ends with it."""
        return self._spawn(self._argv("answer", {**self.options, **options}))

    def _spawn(self, argv):
        trace = open(os.path.join(self._directory, "phone.trace"), "ab")
        argv = [*argv, "--trace"]
        for one in os.environ.get("HOLDFAST_REAL_BREAK", "").split():  # to see that a test can fail
            argv += ["--set", one]
        self.started_at = time.monotonic()
        with trace:
            self._process = self.host.spawn(*argv, stdout=subprocess.PIPE, stderr=trace, env=self._environment())
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()
        return self

    def _read(self, pipe):
        with pipe:
            for line in pipe:
                now = time.monotonic()
                event = json.loads(line)
                event["at"] = now
                with self._news:
                    self._events.append(event)
                    self._news.notify_all()

    def signal(self, number):
        self._process.send_signal(number)

    def end(self, limit=10):
        """SIGTERM: it unregisters. Its exit code."""
        self.signal(signal.SIGTERM)
        code = self._process.wait(limit)
        self._reader.join(limit)
        return code

    def wait_for_exit(self, limit):
        code = self._process.wait(limit)
        self._reader.join(limit)
        return code

    def stop(self):
        """At once, without a word to the server: as a crash."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._reader is not None:
            self._reader.join(5)

    # Events.

    def events(self, *kinds, after=0.0):
        with self._news:
            return [event for event in self._events
                    if event["at"] > after and (not kinds or event["event"] in kinds)]

    def count(self, *kinds, after=0.0):
        return len(self.events(*kinds, after=after))

    def wait_for(self, *kinds, limit, after=0.0, where=None):
        """The first such event after that time; fails if it does not come within `limit` seconds from now."""
        end = time.monotonic() + limit
        seen = 0
        with self._news:
            while True:
                for event in self._events[seen:]:
                    if event["at"] > after and event["event"] in kinds and (where is None or where(event)):
                        return event
                seen = len(self._events)
                left = end - time.monotonic()
                if left <= 0 or (self._process.poll() is not None and not self._reader.is_alive()):
                    raise AssertionError(f"no {' or '.join(kinds)} within {limit} s")
                self._news.wait(min(left, 0.5))

    def wait_until_registered(self, limit=30):
        """How soon is another question: by `t`, or of those tests that have the machine to themselves."""
        return self.wait_for("registered", limit=limit)

    def current_server(self):
        """The address of the server that has the registration, by the last event that says so."""
        last = self.events("registered", "refreshed", "moved")
        return address_of(last[-1]["target"]) if last else None

    def ranking(self, **other_options):
        """The servers in the order in which this phone will try them, asked of `holdfast resolve` (L2)."""
        options = {**self.options, **other_options}
        output = self.host.run("env", f"HOME={self._directory}", f"HOLDFAST_PASSWORD={self._password}",
                               *self._argv("resolve", options))
        addresses = [target["address"] for target in json.loads(output)["targets"]]
        return list(dict.fromkeys(addresses))

    def trace(self):
        if self._process is None:
            return "(not started)"
        with open(os.path.join(self._directory, "phone.trace"), encoding="utf-8", errors="replace") as trace:
            return trace.read()

    def story(self):
        return "\n".join(json.dumps({key: value for key, value in event.items() if key not in ("at", "account")})
                         for event in self.events())


def address_of(target):
    """udp:203.0.113.11:5060 → 203.0.113.11"""
    return target.split(":", 1)[1].rsplit(":", 1)[0].strip("[]")
