"""N4: `--stun` with coturn: what it sees of the SIP port is in the very first Contact, until the registrar has answered.

What coturn saw is read from the NAT's own table. Not here: a STUN server that answers nonsense (stun_desk_test.cpp).
"""

import re
import time

import pytest

from coturn import Coturn
from faults import Faults

ADDRESS = "203.0.113.20"


@pytest.fixture
def stun(make_world):
    """→ a world with a coturn; the coturn, its host."""
    running = []

    def make(records=()):
        world = make_world(numbers=(11,), records=["@ A 203.0.113.11", *records])
        host = world.internet.host("stun", 20)
        running.append(Coturn(host, world.directory, ADDRESS))
        return world, running[-1], host

    yield make
    for one in running:
        one.stop()


def seen_by(nat, server, port):
    """The public endpoints that the NAT gave to flows to that server: {"203.0.113.195:40000"}."""
    wanted = rf"dst={re.escape(server)} sport=\d+ dport={port} .*?src={re.escape(server)} dst=(\S+) sport={port} dport=(\d+)"
    return {f"{address}:{port}" for address, port in re.findall(wanted, nat.mappings())}


@pytest.mark.parametrize("server", [ADDRESS, "stun.example.test"])
@pytest.mark.parametrize("random", [False, True])
def test_the_first_contact_is_what_coturn_saw(stun, server, random):
    """By address, and by name with its SRV record (RFC 8489 §8). Behind a NAT with a port for each destination the
    registrar sees another one: its own word replaces coturn's at once (N2, N3)."""
    world, _, _ = stun(records=["_stun._udp.stun SRV 10 10 3478 coturn", f"coturn A {ADDRESS}"])
    nat = world.nat(random=random)
    phone = world.phone(behind=nat, transport="udp", stun=server)
    registered = phone.start().wait_until_registered()
    mappings = seen_by(nat, ADDRESS, 3478)
    assert len(mappings) == 1, nat.mappings()
    mapping = mappings.pop()
    first = phone.events("attempt")[0]["contact"]
    assert f"@{mapping};" in first
    assert f"@{mapping};" in world.nodes[0].registers()[0]["contacts"]
    assert (registered["mapping"] == mapping) != random
    assert f"@{registered['mapping']};" in registered["contact"]
    assert world.nodes[0].contacts() == [registered["contact"]]
    assert phone.count("notice") == 0


@pytest.mark.alone
@pytest.mark.parametrize("broken", ["killed", "silent"])
def test_a_dead_stun_server_stops_nobody(stun, broken):
    world, coturn, host = stun()
    if broken == "killed":
        coturn.stop()
    else:
        Faults(host, (3478,)).silence()
    phone = world.phone(behind=world.nat(), transport="udp", stun=ADDRESS)
    registered = phone.start().wait_until_registered(limit=5)
    # From the answer of DNS on: that may have been asked twice.
    assert registered["t"] - phone.events("resolved")[0]["t"] <= 1, "half a second, and a busy host"
    notices = [event["reason"] for event in phone.events("notice")]
    assert len(notices) == 1 and notices[0].startswith(f"the STUN server {ADDRESS} is of no use: "), notices
    assert ("refused" in notices[0] or "unreachable" in notices[0]) == (broken == "killed"), notices
    time.sleep(3)  # past the life of the question (2 s): it is said once
    assert phone.count("notice") == 1
