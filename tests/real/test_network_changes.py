"""The phone's own network changes under it, or the phone does not run for a while (K5, B6).

Addresses are taken from and given to the phone's real interface, as by DHCP or a router's advertisement. Not here: what is
reported of an interface (src/runtime/network_change_test.cpp); K5's timing to the millisecond (tests/rules_network_test.cpp).
"""

import os
import signal
import time

import pytest

from network import wait_until
from phone import address_of
from test_rotation import removals
from test_transports import rings

V6 = "2001:db8::100"
SOON = 5  # seconds; K5 leads to a REGISTER within about 1 s, the rest is for a busy host

needs_ipv6 = pytest.mark.skipif(not os.path.exists("/proc/net/if_inet6"), reason="this kernel has no IPv6")


def has_one_binding(world, phone, limit=SOON):
    """On every node that runs: the phone's last Contact and no other."""
    def settled():
        contact = phone.events("registered", "refreshed", "moved")[-1]["contact"]
        return all(node.contacts() == [contact] for node in world.nodes if node.running)
    wait_until(settled, limit, "one binding, the current one", every=0.05)


def options_sent(phone):
    return phone.trace().count("\nOPTIONS sip:")


@pytest.mark.lasts(25)
@pytest.mark.parametrize("gap", [0, 5], ids=["at once", "5 s later"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_its_address_is_replaced_by_another(make_world, transport, gap):
    """K5, B6: one new binding from the new address, the old one removed by the same REGISTER, calls ring."""
    world = make_world()
    phone = world.phone(behind=world.nat(), transport=transport, expires=300)
    before = phone.start().wait_until_registered()
    phone.wait_for("reachable", limit=5)
    world.wait_until_known()
    host = phone.host
    host.run("ip", "address", "del", "192.168.1.2/24", "dev", "eth0")  # the routes go with it
    time.sleep(gap)
    assert phone.count("moved", "refreshed", after=before["at"]) == 0
    host.run("ip", "address", "add", "192.168.1.77/24", "dev", "eth0")
    host.run("ip", "route", "add", "default", "via", "192.168.1.1")
    usable = time.monotonic()
    after = phone.wait_for("registered", "refreshed", "moved", limit=SOON, after=usable)
    assert after["contact"] != before["contact"] and after["mapping"] != before["mapping"]
    has_one_binding(world, phone)
    time.sleep(2)  # what would come late: a second binding, a removal
    has_one_binding(world, phone, 0)
    assert removals(world) == 0, "a removal travels with the new Contact, never alone (B6)"
    named = [one for node in world.nodes for one in node.registers() if f"<{before['contact']}>" in one["contacts"]]
    assert any("expires=0" in one["contacts"] and f"<{after['contact']}>" in one["contacts"] for one in named), named
    assert rings(world)
    assert phone.end() == 0
    world.wait_until_all_hold()


@needs_ipv6
@pytest.mark.lasts(20)
def test_ipv6_comes_and_goes_beside_it(make_world):
    """K5: each change is looked into by a question to the server; the flow over IPv4 is as it was, and so is the binding."""
    world = make_world()
    phone = world.phone(behind=world.nat(), transport="udp", expires=300)
    registered = phone.start().wait_until_registered()
    phone.wait_for("reachable", limit=5)
    world.wait_until_known()
    sent = sum(len(node.registers()) for node in world.nodes)
    for change in (("add", f"{V6}/64", "nodad"), ("del", f"{V6}/64")):
        asked = options_sent(phone)
        phone.host.run("ip", "address", *change[:2], "dev", "eth0", *change[2:])
        wait_until(lambda asked=asked: options_sent(phone) > asked, SOON, f"verified after {change[0]}", every=0.05)
        time.sleep(1)
        assert [node.contacts() for node in world.nodes] == [[registered["contact"]]] * 3
    assert phone.count("moved", "flow_lost", "suspect", "unregistered") == 0
    assert sum(len(node.registers()) for node in world.nodes) == sent, "nothing is registered anew"
    assert rings(world)


@needs_ipv6
@pytest.mark.lasts(25)
def test_ipv6_vanishes_under_its_registration_and_comes_back(make_world):
    """Registered over IPv6, the domain's first choice: without that address the binding moves to the IPv4 server, the old one
    goes by the same REGISTER (B6, B7). When IPv6 is back there is still one binding, wherever S9 has put it."""
    world = make_world(numbers=(11, 12), defines={"NO_PATH": True}, records=[
        "_sip._udp SRV 10 10 5060 six", "_sip._udp SRV 20 10 5060 four", "six AAAA 2001:db8::11", "four A 203.0.113.12"])
    phone = world.phone(transport="udp", expires=300)
    world.plug_ipv6(phone, V6)
    before = phone.start().wait_until_registered()
    assert address_of(before["target"]) == "2001:db8::11" and f"[{V6}]" in before["contact"]
    phone.wait_for("reachable", limit=5)
    world.wait_until_known()
    phone.host.run("ip", "address", "del", f"{V6}/64", "dev", "eth1")
    gone = time.monotonic()
    after = phone.wait_for("moved", "registered", limit=SOON, after=gone)
    assert address_of(after["target"]) == "203.0.113.12" and V6 not in after["contact"]
    has_one_binding(world, phone)
    assert removals(world) == 0
    assert rings(world)
    phone.host.run("ip", "address", "add", f"{V6}/64", "dev", "eth1", "nodad")
    time.sleep(4)
    has_one_binding(world, phone, 1)
    assert phone.count("unregistered") == 0
    assert phone.end() == 0
    world.wait_until_all_hold()


STOPPED = [("udp", True), ("tcp", True), ("tls", True), ("tcp", False), ("tls", False)]


@pytest.mark.lasts(175)
@pytest.mark.parametrize("transport, forgets", STOPPED,
                         ids=[f"{transport}-{'forgotten' if forgets else 'remembered'}" for transport, forgets in STOPPED])
def test_stopped_for_minutes(world_over, transport, forgets):
    """SIGSTOP, as by a debugger or a frozen container, for 150 s: meanwhile its binding of 60 s has lapsed, and perhaps the NAT
    has forgotten it (after 30 s). It registers as soon as it runs, with its mapping, and rings. A connection that the NAT
    remembers has outlived it all; of one that it has forgotten, the server's RST tells (F2)."""
    world, options = world_over(transport)
    nat = world.nat(udp_timeout=30, tcp_timeout=30) if forgets else world.nat()
    phone = world.phone(behind=nat, expires=60, **options)
    before = phone.start().wait_until_registered()
    phone.wait_for("reachable", limit=5)
    world.wait_until_known()
    phone.signal(signal.SIGSTOP)
    time.sleep(150)
    assert [node.contacts() for node in world.nodes] == [[], [], []], "the fault is one: nobody could ring it"
    asked = sum(len(node.registers()) for node in world.nodes)
    runs = time.monotonic()
    phone.signal(signal.SIGCONT)
    # For a moment the first 200 has the Contact of before, which is no use to who calls just then.
    last = phone.wait_for("registered", "refreshed", "moved", limit=SOON, after=runs,
                          where=lambda event: f"@{event['mapping']};" in event["contact"])
    has_one_binding(world, phone)
    assert rings(world)
    assert (last["mapping"] != before["mapping"]) == forgets, (before, last)
    has_one_binding(world, phone, 1)
    assert removals(world) == 0
    assert sum(len(node.registers()) for node in world.nodes) - asked <= 8, "no storm of what was due meanwhile (I5)"
