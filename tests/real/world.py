"""What a test stands on: a cluster, a DNS server, a NAT, a caller and phones, all its own and all gone afterwards.

    with World(directory) as world:
        phone = world.phone(behind=world.nat())
        phone.start().wait_until_registered()
"""

import contextlib
import os
import shutil
import tempfile

from baresip import Baresip
from caller import Caller
from kamailio import Kamailio, cluster_defines
from nameserver import Knot
from network import STARTS_WITHIN, Internet, wait_until
from phone import Phone
from sipp import Sipp

NUMBERS = (11, 12, 13)


class World:
    """`defines` go to kamailio.cfg; `records` are the zone's, by default the servers as addresses of the domain."""

    def __init__(self, numbers=NUMBERS, shared=True, rotate=False, ttl=60, records=None, tls=None,
                 defines=None, memory=32, start=True):
        self.directory = tempfile.mkdtemp(prefix="holdfast-real-")
        self._closers = contextlib.ExitStack()
        self._closers.callback(shutil.rmtree, self.directory, ignore_errors=True)
        self._phones = []
        self._others = []
        self.callers = []
        try:
            self._build(numbers, shared, rotate, ttl, records, tls, defines or {}, memory, start)
        except BaseException:
            self.close()
            raise

    def _build(self, numbers, shared, rotate, ttl, records, tls, defines, memory, start):
        self.internet = Internet()
        self._closers.callback(self.internet.close)
        addresses = [f"203.0.113.{number}" for number in numbers]
        self.nodes = []
        for number in numbers:
            own = cluster_defines(f"203.0.113.{number}", addresses, shared and len(numbers) > 1, **defines)
            node = Kamailio(self.internet.host(f"ip{number - 10}", number), number, self.directory, own, tls,
                            memory)
            self._closers.callback(node.stop)
            self.nodes.append(node)
        self.dns = Knot(self.internet.host("dns", 53), self.directory, rotate=rotate)
        self._closers.callback(self.dns.stop)
        self._caller_host = self.internet.host("caller", 99)
        self.dns.start(records if records is not None else [f"@ A {address}" for address in addresses], ttl)
        if start:
            for node in self.nodes:
                node.start(wait=False)
            for node in self.nodes:
                node.wait_until_ready()
            self.form_cluster()
        self.dns.wait_until_ready()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._closers.close()

    # Parts.

    def nat(self, behind=None, **options):
        return self.internet.nat(behind, **options)

    def phone(self, behind=None, **options):
        """A phone that is not started yet; behind a NAT, or on the internet itself."""
        directory = os.path.join(self.directory, f"phone{len(self._phones) + 1}")
        os.makedirs(directory)
        options.setdefault("dns", self.dns.address)
        phone = Phone(self.internet.guest(behind or self.internet), directory, **options)
        self._phones.append(phone)
        self._closers.callback(phone.stop)
        return phone

    def baresip(self, **options):
        """A baresip on the internet itself, not started yet."""
        directory = os.path.join(self.directory, f"baresip{len(self._others) + 1}")
        os.makedirs(directory)
        other = Baresip(self.internet.guest(self.internet), directory, self.dns.address, **options)
        self._others.append(other)
        self._closers.callback(other.stop)
        return other

    def sipp(self, scenario, registered=None, calls=None, transport="udp", **options):
        """SIPp on the internet itself, not started yet: it calls a user through the first server (`calls`), or waits for
        the calls of a user whose binding is put into the location service (`registered`)."""
        directory = os.path.join(self.directory, f"sipp{len(self._others) + 1}")
        os.makedirs(directory)
        host, address = self.internet.guest_at(self.internet)
        server = f"{self.nodes[0].address}:5060" if calls else None
        other = Sipp(host, address, directory, scenario, transport=transport, server=server, calls=calls,
                     user=registered or "caller", **options)
        if registered:
            self.nodes[0].rpc("ul.add", "location", registered, other.contact, 600, 1.0, "", 0, 0, 8191)
        self._others.append(other)
        self._closers.callback(other.stop)
        return other

    def caller(self, nodes=None, **options):
        """Calls go to `nodes()`, else to all servers."""
        caller = Caller(self._caller_host, nodes or (lambda: [node.address for node in self.nodes]), **options)
        self.callers.append(caller)
        self._closers.callback(caller.stop)
        return caller.start()

    def node_at(self, address):
        for node in self.nodes:
            if address in (node.address, node.address6):
                return node
        raise KeyError(address)

    def form_cluster(self):
        """Until the nodes know each other. One that asked its peers before they listened would ask again after a
        minute only: it is started once more."""
        for node in self.nodes:
            for _ in range(5):
                try:
                    wait_until(node.knows_its_peers, 10, f"{node.name} knows its peers", every=0.05)
                    break
                except (AssertionError, OSError):  # OSError: no answer in time, or nobody to ask
                    node.kill()
                    node.start()
            else:
                raise AssertionError(f"the cluster of {node.name} does not form")

    def plug_ipv6(self, phone, address):
        """A second cable for the phone's host, with IPv6. Over one that was plugged a moment ago the first questions for a
        neighbour may be lost: every node has answered when this returns."""
        self.internet.plug(phone.host, "eth1", f"{address}/64")
        for node in self.nodes:
            number = node.address.rsplit(".", 1)[1]
            phone.host.run("timeout", "30", "bash", "-c", f"exec 3<>/dev/tcp/2001:db8::{number}/5060")

    def wait_until_known(self, user="alice"):
        """Until every server that runs has heard of the binding (the location service is shared)."""
        running = [node for node in self.nodes if node.running]
        wait_until(lambda: all(node.contacts(user) for node in running), STARTS_WITHIN, "every server knows the binding")

    def wait_until_all_hold(self, *contacts, user="alice"):
        """Until every server that runs holds exactly these: one of them has answered the phone, the
        others have it a moment later. What must stay that way is looked at after it."""
        asked = [node for node in self.nodes if node.running]

        def held():
            return [node.contacts(user) for node in asked]

        try:
            wait_until(lambda: held() == [sorted(contacts)] * len(asked), 10, "every server holds the same", every=0.05)
        except AssertionError as late:
            raise AssertionError(f"{late}: {sorted(contacts)}, not {held()}") from late

    def others(self, node):
        return [other for other in self.nodes if other is not node]

    def story(self):
        """What a failed test prints."""
        parts = []
        for number, phone in enumerate(self._phones, 1):
            parts.append(f"--- phone {number}\n{phone.story()}\n--- its last messages\n{phone.trace()[-6000:]}")
        parts += [f"--- calls that were lost\n{caller.story()}" for caller in self.callers]
        parts += [f"--- {type(other).__name__}\n{other.story()}" for other in self._others]
        for node in self.nodes:
            parts.append(f"--- {node.name}\n" + "\n".join(node.log().splitlines()[-25:]))
        return "\n".join(parts)
