"""knot as the authoritative server of example.test: fixed or rotating answers, any TTL, failures, truncation."""

import os
import re
import secrets
import socket
import struct

from faults import Faults
from network import STARTS_WITHIN, wait_until


class Knot:
    """`records` are lines of a zone file, relative to example.test."""

    def __init__(self, host, directory, address="203.0.113.53", rotate=False):
        self.host = host
        self.address = address
        self._directory = os.path.join(directory, "dns")
        os.makedirs(self._directory)
        self._serial = 1
        self._process = None
        self._zone = os.path.join(self._directory, "example.test.zone")
        self._config = os.path.join(self._directory, "knot.conf")
        self._rotate = rotate
        self._ttl = 60
        self._records = []
        self._faults = Faults(host, (53,))
        host.run("nft", "-f", "-", stdin="""
            table inet count {
              chain in { type filter hook input priority -10; udp dport 53 counter; }
            }
        """)

    def start(self, records, ttl=60):
        directory = self._directory
        self._write(records, ttl)
        with open(self._config, "w", encoding="utf-8") as config:
            config.write(f"""
server:
    rundir: "{directory}"
    listen: [ "{self.address}@53", "2001:db8::53@53" ]
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    answer-rotation: {"on" if self._rotate else "off"}
database:
    storage: "{directory}"
log:
  - target: stderr
    any: info
template:
  - id: default
    storage: "{directory}"
    zonefile-load: whole
    journal-content: none
zone:
  - domain: example.test
    file: "{self._zone}"
""")
        log_path = os.path.join(directory, "log")
        with open(log_path, "ab") as log:
            self._process = self.host.spawn("/usr/sbin/knotd", "-c", self._config, stdout=log, stderr=log)

    def wait_until_ready(self):
        wait_until(self._is_ready, STARTS_WITHIN, "knotd has the zone", every=0.05)

    def _is_ready(self):
        if self._process.poll() is not None:
            with open(os.path.join(self._directory, "log"), encoding="utf-8") as log:
                raise AssertionError(f"knotd did not start: {log.read()}")
        return "serial:" in self.control("zone-status", "example.test", check=False)

    def _write(self, records, ttl):
        self._records, self._ttl = list(records), ttl
        with open(self._zone, "w", encoding="utf-8") as zone:
            zone.write(f"$ORIGIN example.test.\n$TTL {ttl}\n")
            zone.write(f"@ SOA ns hostmaster {self._serial} 3600 600 86400 5\n@ NS ns\nns A {self.address}\n")
            zone.write("".join(f"{record}\n" for record in records))

    def control(self, *argv, check=True):
        return self.host.run("knotc", "-c", self._config, "-b", *argv, check=check)

    def change(self, records=None, ttl=None):
        """Another zone, at once."""
        self._serial += 1
        self._write(self._records if records is None else records, self._ttl if ttl is None else ttl)
        self.control("zone-reload", "example.test")

    def truncates(self, name, kind):
        """Whether a plain question by UDP gets an answer with the TC bit (RFC 1035 §4.1.1)."""
        return bool(self._ask(name, kind)[2] & 0x02)

    def code(self, name):
        """The RCODE of an answer: 0 fine, 2 SERVFAIL, 3 NXDOMAIN."""
        return self._ask(name, 1)[3] & 0x0F

    def questions(self):
        """How many have come by UDP so far."""
        return int(re.search(r"counter packets (\d+)", self.host.run("nft", "list", "table", "inet", "count")).group(1))

    def addresses(self, name):
        """The A records, in the order of one answer."""
        answer = self._ask(name, 1)
        count = struct.unpack("!H", answer[6:8])[0]
        records = answer[-16 * count:]  # each: a pointer to the name, type, class, TTL, length, 4 octets
        return tuple(socket.inet_ntoa(records[16 * index + 12:16 * index + 16]) for index in range(count))

    def _ask(self, name, kind):
        labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
        question = struct.pack("!HHHHHH", secrets.randbelow(65536), 0, 1, 0, 0, 0) + labels + b"\0"
        with self.host.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(5)
            asking.sendto(question + struct.pack("!HH", kind, 1), (self.address, 53))
            return asking.recv(4096)

    def fail(self):
        """SERVFAIL to every question: the zone is there no more."""
        os.unlink(self._zone)
        self.control("-f", "zone-purge", "example.test", check=False)
        self.control("zone-reload", "example.test", check=False)

    def silence(self, transport="th"):
        self._faults.silence(transport)

    def heal(self):
        self._faults.heal()

    def stop(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
