"""Debian's baresip as the other side of a call: in a namespace, with its own configuration, controlled by ctrl_tcp."""

import contextlib
import glob
import json
import os
import re
import socket
import threading
import time

from network import wait_until

PROGRAM = "/usr/bin/baresip"
MODULES = "/usr/lib/baresip/modules"
RATES = {"PCMU": 8000, "G722": 16000, "opus": 48000}  # of its files, by the codec
ENCRYPTION = {"none": "", "sdes": ";mediaenc=srtp-mand", "dtls": ";mediaenc=dtls_srtp"}
CONTROL = ("127.0.0.1", 4444)


class Baresip:
    """One account. It answers when it is told to, or by itself (`answers`). `play`: what it says, a file of the codec's
    rate. `certificate`: with its key, for those who connect to it by TLS, as Kamailio does."""

    def __init__(self, host, directory, dns, play, transport="udp", codec="PCMU", encryption="none", ca=None,
                 certificate=None, answers=False):
        self.host = host
        self.aor = "sip:bob@example.test"
        self._directory = directory
        self._codec = codec
        self._process = self._socket = self._reader = None
        self._events, self._answers = [], []
        self._news = threading.Condition()
        self._write_configuration(dns, play, ca, certificate)
        with open(os.path.join(directory, "accounts"), "w", encoding="utf-8") as accounts:
            accounts.write(f"<{self.aor};transport={transport}>;auth_pass=secret;answermode={'auto' if answers else 'manual'};regint=300;"
                           f"audio_codecs={codec.lower()}/{RATES[codec]}/1{ENCRYPTION[encryption]}\n")

    def _write_configuration(self, dns, play, ca, certificate):
        lines = ["poll_method epoll", "call_local_timeout 60", "call_max_calls 4",
                 f"audio_source aufile,{play}", "audio_player aubridge,nowhere", "audio_alert aubridge,nowhere",
                 "audio_path /nonexistent", "net_interface eth0", f"dns_server {dns}:53", "rtp_ports 20000-20100",
                 f"snd_path {self._directory}", f"module_path {MODULES}",
                 f"ctrl_tcp_listen {CONTROL[0]}:{CONTROL[1]}",
                 "statmode_default off", "opus_stereo no", "opus_sprop_stereo no", "opus_bitrate 32000"]
        lines += [f"module {name}.so" for name in
                  ("g711", "g722", "opus", "aufile", "aubridge", "sndfile", "srtp", "dtls_srtp")]
        lines += ["module_tmp account.so", "module_app menu.so", "module_app ctrl_tcp.so"]
        if ca:
            lines.append(f"sip_cafile {ca}")
        if certificate:
            lines.append(f"sip_certificate {certificate}")
        with open(os.path.join(self._directory, "config"), "w", encoding="utf-8") as config:
            config.write("\n".join(lines) + "\n")

    # Life.

    def start(self):
        with open(self._log, "ab") as log:
            self._process = self.host.spawn(PROGRAM, "-f", self._directory, "-s", stdout=log, stderr=log,
                                            env={"HOME": self._directory, "PATH": "/usr/bin:/bin"})
        self._socket = wait_until(self._connect, 10, "baresip listens", every=0.02)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def _connect(self):
        assert self._process.poll() is None, f"baresip did not start: {self.story()}"
        with self.host.entered():
            control = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            control.connect(CONTROL)
        except OSError:
            control.close()
            return None
        return control

    def _read(self):
        """Netstrings of JSON: answers to commands, and events."""
        waiting = b""
        while True:
            try:
                more = self._socket.recv(65536)
            except OSError:
                return
            if not more:
                return
            waiting += more
            while b":" in waiting:
                length, rest = waiting.split(b":", 1)
                if len(rest) <= int(length):
                    break
                self._take(json.loads(rest[:int(length)]))
                waiting = rest[int(length) + 1:]

    def _take(self, message):
        message["at"] = time.monotonic()
        with self._news:
            (self._events if "event" in message else self._answers).append(message)
            self._news.notify_all()

    def stop(self):
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._reader.join(5)
            self._socket.close()

    # Commands and events.

    def command(self, name, parameters="", limit=5):
        """What it says about it. Its commands are those of its menu."""
        text = json.dumps({"command": name, "params": parameters, "token": "t"})
        seen = len(self._answers)
        self._socket.sendall(f"{len(text)}:{text},".encode())
        with self._news:
            assert self._news.wait_for(lambda: len(self._answers) > seen, limit), f"no answer to {name} in {limit} s"
            answer = self._answers[seen]
        assert answer.get("ok"), (name, answer)
        return answer.get("data", "")

    def events(self, kind):
        with self._news:
            return [event for event in self._events if event["type"] == kind]

    def wait_for(self, kind, limit=10, where=None):
        """The first event of that type (REGISTER_OK, CALL_INCOMING, CALL_RINGING, CALL_ESTABLISHED, CALL_CLOSED, …)."""
        def found():
            return [event for event in self._events if event["type"] == kind and (where is None or where(event))]
        with self._news:
            assert self._news.wait_for(found, limit), f"baresip: no {kind} within {limit} s"
            return found()[0]

    # Sound.

    def _recording(self, side):
        found = glob.glob(os.path.join(self._directory, f"dump-*-{side}.wav"))
        return found[0] if found else None

    @property
    def heard(self):
        """The file of what it has decoded; whole when the call is over."""
        return self._recording("dec")

    def _seconds(self, side):
        path = self._recording(side)
        return max(0, os.path.getsize(path) - 44) / (2 * RATES[self._codec]) if path else 0.0

    def seconds_said(self):
        return self._seconds("enc")

    def seconds_heard(self):
        return self._seconds("dec")

    def packets(self):
        """Of RTP, in the call that it has: sent, received. (Its files end with the first hold.)"""
        text = self.command("audio_debug")
        found = [re.search(pattern, text) for pattern in (r"TX: packets=(\d+)", r" rcvd=(\d+)")]
        return tuple(int(one[1]) if one else 0 for one in found)  # it names neither before the first packet

    @property
    def _log(self):
        return os.path.join(self._directory, "log")

    def story(self):
        with open(self._log, encoding="utf-8", errors="replace") as log:
            return log.read()[-8000:]
