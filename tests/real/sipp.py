"""SIPp as the other side of a call, in a namespace: scenarios of our own (sipp/*.xml), and it says a prompt.

    bob = world.sipp("answers")          # waits for one call
    bob.start()
    …
    bob.wait_until_done()                # the scenario went as written, to its end
"""

import array
import os
import subprocess
import warnings

from sound import RATE, silence

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # gone in Python 3.13; Debian 12 has 3.11
    import audioop

PROGRAM = "/usr/bin/sipp"
SCENARIOS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sipp")
PORT = 5070
TRANSPORTS = {"udp": "u1", "tcp": "t1"}


class Sipp:
    """One call. `server`: a caller sends to it (host:port), `calls` whom; without it the scenario waits for a call.
    `says`: samples at 8 kHz, said once as PCMU, after `lead` seconds and before a minute of silence. `keys`: words of the scenario, written
    [name] there."""

    def __init__(self, host, address, directory, scenario, transport="udp", user="bob", server=None, calls=None, limit=30,
                 says=(), lead=0.2, **keys):
        self.host = host
        self.contact = f"sip:{user}@{address}:{PORT}" + ("" if transport == "udp" else f";transport={transport}")
        self._directory = directory
        self._process = None
        self._limit = limit
        # It asks the clock for its sound all the time: at the real-time priority of these tests it would take a processor.
        self._argv = ["chrt", "--other", "0", PROGRAM, *([server] if server else []), "-sf", os.path.join(SCENARIOS, f"{scenario}.xml"), "-m", "1",
                      "-i", address, "-mi", address, "-p", str(PORT), "-t",
                      TRANSPORTS[transport], "-nostdin", "-timeout", str(limit), "-timeout_error",
                      "-trace_msg", "-message_file", self._file("messages"), "-trace_err", "-error_file", self._file("errors")]
        if calls:
            self._argv += ["-s", calls]
        for name, value in {"user": user, **keys}.items():
            self._argv += ["-key", name, value]

        with open(self._file("said.ulaw"), "wb") as said:
            said.write(audioop.lin2ulaw(silence(RATE, lead) + array.array("h", says) + silence(RATE, 60), 2))

    def _file(self, name):
        return os.path.join(self._directory, name)

    def start(self):
        with open(self._file("screen"), "wb") as screen:
            self._process = self.host.spawn(*self._argv, stdout=screen, stderr=screen, cwd=self._directory,
                                            env={"HOME": self._directory, "PATH": "/usr/bin:/bin", "TERM": "dumb"})
        return self

    def stop(self):
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def wait_until_done(self):
        """Fails if a message came that the scenario does not have there, or one did not come."""
        code = self._process.wait(self._limit + 5)
        assert code == 0, f"SIPp's scenario did not go as written (code {code}): {self._said()}"

    def messages(self):
        """What it sent and received, as text."""
        return self._read("messages")

    def _read(self, name):
        if not os.path.exists(self._file(name)):
            return ""
        with open(self._file(name), encoding="utf-8", errors="replace") as found:
            return found.read()

    def _said(self):
        return self._read("errors")[-2000:] or self._read("screen")[-1000:]

    def story(self):
        return f"{self._said()}\n{self.messages()[-5000:]}"
