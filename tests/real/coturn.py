"""coturn as a STUN server (RFC 8489) on 203.0.113.20, and a question to it from any namespace."""

import ipaddress
import os
import secrets
import socket
import struct

from network import wait_until

COOKIE = 0x2112A442


class Coturn:
    def __init__(self, host, directory, address="203.0.113.20"):
        self.host, self.address = host, address
        where = os.path.join(directory, "stun")
        os.makedirs(where)
        with open(os.path.join(where, "log"), "ab") as log:
            self._process = host.spawn(
                "/usr/bin/turnserver", "-n", "--stun-only", "--no-cli", "--no-tls", "--no-dtls", "--no-rfc5780",
                f"--listening-ip={address}", "--listening-port=3478", "--log-file=stdout", "--no-stdout-log",
                f"--pidfile={os.path.join(where, 'pid')}", f"--userdb={os.path.join(where, 'db')}",
                stdout=log, stderr=log)
        wait_until(lambda: host.run("ss", "-Hlnu", "sport", "=", ":3478").strip(), 10, "coturn listens")

    def mapping_of(self, namespace, port):
        """What the server sees of UDP `port` of that namespace, as "address:port"."""
        with namespace.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.bind(("", port))
            asking.settimeout(5)
            transaction = secrets.token_bytes(12)
            asking.sendto(struct.pack("!HHI", 0x0001, 0, COOKIE) + transaction, (self.address, 3478))
            answer = asking.recv(2048)
        assert answer[:2] == b"\x01\x01" and answer[8:20] == transaction
        at = 20
        while at + 4 <= len(answer):
            kind, length = struct.unpack("!HH", answer[at:at + 4])
            value = answer[at + 4:at + 4 + length]
            if kind == 0x0020:  # XOR-MAPPED-ADDRESS (RFC 8489 §14.2)
                seen_port, seen = struct.unpack("!HI", value[2:8])
                return f"{ipaddress.IPv4Address(seen ^ COOKIE)}:{seen_port ^ (COOKIE >> 16)}"
            at += 4 + (length + 3) // 4 * 4
        raise AssertionError("no XOR-MAPPED-ADDRESS")

    def stop(self):
        self._process.kill()
        self._process.wait()
