"""Debian's kamailio as one node of the cluster: started, broken, asked and stopped by the test."""

import itertools
import json
import os
import re
import socket

from faults import Faults
from network import STARTS_WITHIN, wait_until

CONFIG = os.path.join(os.path.dirname(os.path.abspath(__file__)), "kamailio.cfg")
PROGRAM = "/usr/sbin/kamailio"
DMQ_PORT = 5070
_REGISTER = re.compile(r"REGISTER from=(\S+) proto=(\S+) cseq=(\d+) call=(\S+) expires=(\S+) contacts=(.*)$")


class Kamailio:
    """`defines` are those of kamailio.cfg: True, a number or a text; `memory`: MB that all its processes share."""

    def __init__(self, host, number, directory, defines=None, tls=None, memory=32):
        self.host = host
        self.name = f"ip{number - 10}" if number > 10 else f"host{number}"
        self.address = f"203.0.113.{number}"
        self.address6 = f"2001:db8::{number}"
        self._directory = os.path.join(directory, self.name)
        os.makedirs(self._directory)
        self._socket = os.path.join(self._directory, "rpc")
        self._log = os.path.join(self._directory, "log")
        self.defines = dict(defines or {})
        self.tls = tls
        self._memory = memory
        self._process = None
        self._silent = False
        self._ids = itertools.count(1)
        self._faults = Faults(host, (5060, 5061))

    # Life.

    def start(self, wait=True):
        defines = {"RPC_SOCKET": self._socket, **self.defines}
        if self.tls:
            defines["TLS_CONFIG"] = self.tls.kamailio_config(self._directory)
        argv = [PROGRAM, "-DD", "-E", "-f", CONFIG, "-m", str(self._memory), "-M", "4", "-Y", self._directory,
                "-w", self._directory]
        for name, value in defines.items():
            quoted = f'{name}="{value}"' if isinstance(value, str) else f"{name}={value}"
            argv += ["-A", name if value is True else quoted]
        for address in (self.address, f"[{self.address6}]"):
            argv += ["-l", f"udp:{address}:5060", "-l", f"tcp:{address}:5060"]
            if self.tls:
                argv += ["-l", f"tls:{address}:5061"]
        argv += ["-l", f"udp:{self.address}:{DMQ_PORT}"]
        with open(self._log, "ab") as log:
            self._process = self.host.spawn(*argv, family=True, stdout=log, stderr=log)
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self):
        wait_until(self._is_ready, STARTS_WITHIN, f"{self.name} started", every=0.05)

    def _is_ready(self):
        if self._process.poll() is not None:
            raise AssertionError(f"{self.name} did not start: {self.log()[-2000:]}")
        try:
            return self.rpc("core.version")
        except OSError:
            return None

    def kill(self):
        """Power off: all its processes end at once; the kernel then refuses (ICMP, RST)."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        self._process = None
        wait_until(lambda: not self._listens(), 5, f"{self.name} is gone", every=0.002)

    def _listens(self):
        return self.host.run("ss", "-Hlnut", "sport", "=", ":5060").strip()

    # Faults.

    def silence(self, transport="th"):
        """Nothing comes in or goes out any more on the SIP ports (of "tcp" or "udp" only); the cluster's own port works."""
        self._faults.silence(transport)
        self._silent = True

    def heal(self):
        self._faults.heal()
        self._silent = False

    def answer_503(self, retry_after=0):
        self.rpc("pv.shvSet", "busy", "int", 1)
        self.rpc("pv.shvSet", "retry_after", "int", retry_after)

    def answer_again(self):
        self.rpc("pv.shvSet", "busy", "int", 0)

    @property
    def running(self):
        return self._process is not None

    @property
    def alive(self):
        return self._process is not None and not self._silent

    # Questions.

    def rpc(self, method, *params):
        mine = f"{self._socket}.{os.getpid()}.{next(self._ids)}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asking:
            try:
                asking.bind(mine)
                asking.settimeout(30)  # it promises nothing, beside other clusters that start
                question = {"jsonrpc": "2.0", "method": method, "params": list(params), "id": 1}
                asking.sendto(json.dumps(question).encode(), self._socket)
                answer = json.loads(asking.recv(262144))
            finally:
                if os.path.exists(mine):
                    os.unlink(mine)
        if "error" in answer:
            if answer["error"].get("code") in (404, 500) and method == "ul.lookup":
                return None
            raise RuntimeError(f"{self.name}: {method}: {answer['error']}")
        return answer["result"]

    def bindings(self, user="alice"):
        """What the location service of this node holds for the user, as a list of dictionaries (Address, Expires, …)."""
        found = self.rpc("ul.lookup", "location", user)
        if not found:
            return []
        contacts = [entry["Contact"] for entry in found["Contacts"]]
        return [contact for contact in contacts if contact["Expires"] not in ("deleted", "expired")]

    def contacts(self, user="alice"):
        return sorted(binding["Address"] for binding in self.bindings(user))

    def connections(self):
        """The TCP and TLS connections that are open, by the node's own number."""
        return {connection["id"]: connection for connection in self.rpc("core.tcp_list")}

    def knows_its_peers(self):
        """Whether DMQ has all nodes; always where every node has a location service of its own."""
        if "SHARED" not in self.defines:
            return True
        all_nodes = 1 + len({self.defines["PEER_A"], self.defines["PEER_B"]})
        return sum(peer["status"] == "active" for peer in self.rpc("dmq.list_nodes")) == all_nodes

    def log(self):
        with open(self._log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def registers(self):
        """Every REGISTER that reached this node, in order, repetitions of challenges included."""
        seen = []
        for line in self.log().splitlines():
            match = _REGISTER.search(line)
            if match:
                source, proto, cseq, call, expires, contacts = match.groups()
                seen.append({"from": source, "proto": proto, "cseq": int(cseq), "call": call,
                             "expires": expires, "contacts": contacts,
                             "removal": is_removal(expires, contacts)})
        return seen

    def stop(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def is_removal(expires, contacts):
    """An un-REGISTER: it names Contacts, and each of them with an end of 0 (RFC 3261 §10.2.2)."""
    ends = re.findall(r"<sip[^>]*>([^,<]*)", contacts)
    if not ends:
        return False
    for parameters in ends:
        own = re.search(r"expires=(\d+)", parameters)
        if (own.group(1) if own else expires) != "0":
            return False
    return True


def cluster_defines(node, nodes, shared=True, **defines):
    """What makes `node` a member of the cluster of the addresses `nodes`."""
    if not shared:
        return dict(defines)
    peers = [address for address in nodes if address != node]
    return {"SHARED": True, "DMQ_ADDRESS": f"sip:{node}:{DMQ_PORT}", "PEER_A": f"sip:{peers[0]}:{DMQ_PORT}",
            "PEER_B": f"sip:{peers[-1]}:{DMQ_PORT}", **defines}
