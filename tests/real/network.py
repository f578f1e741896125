"""The wires: a switch for the public internet, hosts on it, and NATs (nftables) with what lies behind them.

    203.0.113.0/24, 2001:db8::/64     servers .11 .12 .13, DNS .53, caller .99, NATs from .195
    192.168.N.0/24                    behind the N-th NAT: the NAT is .1, the phone .2

Every network has a switch of its own in namespaces of its own: equal addresses of tests side by side never meet.
"""

import contextlib
import time

from bad_link import BadLink
from namespace import Namespace

PUBLIC = "203.0.113"
STARTS_WITHIN = 120  # seconds for what a test stands on: many worlds begin at once, and no start is a promise


class Switch:
    """A bridge in its own namespace, and the cables to it."""

    def __init__(self, name):
        self.namespace = Namespace(name)
        self._cables = 0
        # No spanning tree and no snooping: a cable works at once.
        self.namespace.run("ip", "link", "add", "bridge", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
        self.namespace.run("ip", "link", "set", "bridge", "up")

    def plug(self, host, interface, *addresses):
        """A cable from the switch to `interface` of `host`, with these addresses (with prefix lengths)."""
        self._cables += 1
        port = f"port{self._cables}"
        fd = host.fd
        self.namespace.run("ip", "link", "add", port, "type", "veth", "peer", "name", interface,
                           "netns", f"/proc/self/fd/{fd}", pass_fds=(fd,))
        self.namespace.run("ip", "link", "set", port, "master", "bridge", "up")
        for address in addresses:
            nodad = ["nodad"] if ":" in address else []  # or the address could not be used for a second
            host.run("ip", "address", "add", address, "dev", interface, *nodad)
        host.run("ip", "link", "set", interface, "up")

    def close(self):
        self.namespace.close()


class Nat:
    """A home router. `random`: every destination gets its own random public port (endpoint-dependent mapping), else
    the port is kept where it is free. Either way only the destination itself may answer (RFC 4787 §5: address- and
    port-dependent filtering): that is what Linux does.

    `udp_timeout`, `tcp_timeout`: after how many seconds without a packet it forgets a mapping, or an open connection.
    `link`: what lies behind it is one host on a bad cable of this kind (bad_link.py), not a network."""

    def __init__(self, outside, number=1, random=True, udp_timeout=None, tcp_timeout=None, link=None):
        self.namespace = Namespace(f"nat{number}")
        self._link_options, self.link = link, None
        self.lan = None if link else Switch(f"lan{number}")
        self._subnet = f"192.168.{number}"
        self._outside = outside
        outside_address = outside.free_address()
        self.address = outside_address.split("/")[0]
        outside.plug(self.namespace, "wan", outside_address)
        if self.lan:
            self.lan.plug(self.namespace, "lan", f"{self._subnet}.1/24")
        if outside.gateway:
            self.namespace.run("ip", "route", "add", "default", "via", outside.gateway)
        self.namespace.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        self.namespace.run("nft", "-f", "-", stdin=f"""
            table ip home {{
              chain source {{
                type nat hook postrouting priority srcnat;
                oifname "wan" masquerade{" fully-random" if random else ""}
              }}
              chain router {{    # a router at home has nothing to say to the world
                type filter hook input priority filter;
                iifname "wan" ct state new drop
              }}
              chain inward {{
                type filter hook forward priority filter;
                iifname "wan" ct state new drop
              }}
            }}""")
        if udp_timeout is not None:
            for name in ("udp_timeout", "udp_timeout_stream"):
                self.namespace.run("sysctl", "-qw", f"net.netfilter.nf_conntrack_{name}={udp_timeout}")
        if tcp_timeout is not None:
            self.namespace.run("sysctl", "-qw", f"net.netfilter.nf_conntrack_tcp_timeout_established={tcp_timeout}")
        self.gateway = f"{self._subnet}.1"
        self._hosts = 1

    def free_address(self):
        self._hosts += 1
        return f"{self._subnet}.{self._hosts}/24"

    def plug(self, host, interface, address):
        if self.lan:
            self.lan.plug(host, interface, address)
        else:
            self.link = BadLink((self.namespace, "lan", f"{self._subnet}.1/24"), (host, interface, address),
                                **self._link_options)

    def rebind(self):
        """The router forgets all mappings, as after a restart."""
        self.namespace.run("conntrack", "-F")

    def mappings(self):
        return self.namespace.run("conntrack", "-L", check=False)

    def close(self):
        if self.link:
            self.link.close()
        if self.lan:
            self.lan.close()
        self.namespace.close()


class Internet:
    """The public network; also what a phone without a NAT is plugged into."""

    gateway = None

    def __init__(self):
        self.switch = Switch("internet")
        self._next_guest = 195
        self._closers = contextlib.ExitStack()
        self._closers.callback(self.switch.close)

    def host(self, name, number):
        """A host at 203.0.113.`number` and 2001:db8::`number`."""
        namespace = Namespace(name)
        self._closers.callback(namespace.close)
        self.plug(namespace, "eth0", f"{PUBLIC}.{number}/24", f"2001:db8::{number}/64")
        return namespace

    def free_address(self):
        self._next_guest += 1
        return f"{PUBLIC}.{self._next_guest - 1}/24"

    def plug(self, host, interface, *addresses):
        self.switch.plug(host, interface, *addresses)

    def nat(self, behind=None, **options):
        nat = Nat(behind or self, **options)
        self._closers.callback(nat.close)
        return nat

    def guest(self, behind):
        """A namespace for a phone, behind a NAT or on the internet itself."""
        return self.guest_at(behind)[0]

    def guest_at(self, behind):
        """The same, and its address."""
        namespace, address = Namespace("phone"), behind.free_address()
        self._closers.callback(namespace.close)
        behind.plug(namespace, "eth0", address)
        if behind.gateway:
            namespace.run("ip", "route", "add", "default", "via", behind.gateway)
        return namespace, address.split("/")[0]

    def close(self):
        self._closers.close()


def wait_until(condition, limit, what, every=0.01):
    """Until condition() is true; its value. After `limit` seconds: fails, saying what did not come."""
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {limit} s: {what}")
        time.sleep(every)
