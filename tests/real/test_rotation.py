"""S6, S11, S12n: DNS gives the servers in another order each time, the NAT another port to each server.

Five or ten minutes in which nothing is broken: nothing may move, no binding may be wrong at any time.
"""

import time

import pytest

from phone import address_of


def samples(seconds, every):
    """Yields until the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(every)


def removals(world):
    return sum(register["removal"] for node in world.nodes for register in node.registers())


@pytest.mark.row
@pytest.mark.lasts(305)
def test_s6_five_minutes_of_rotation(make_world, figure):
    world = make_world(rotate=True, ttl=5)
    phone = world.phone(behind=world.nat(), transport="udp", expires=30)
    phone.start().wait_until_registered()
    node = world.node_at(phone.current_server())
    right, most, taken = 0, 0, 0
    for _ in samples(300, 0.25):
        contacts = node.contacts()
        source = node.registers()[-1]["from"]  # what the NAT made of the phone's address, as the server sees it
        taken += 1
        right += any(f"@{source}" in contact for contact in contacts)
        most = max(most, len(contacts))
    figure("S6 refreshes in 5 min (expires 30, TTL 5, endpoint-dependent NAT)", phone.count("refreshed"), unit="n")
    figure("S6 moves", phone.count("moved"), 0, unit="n")
    figure("S6 un-REGISTERs", removals(world), 0, unit="n")
    figure("S6 share of time in which the Contact is the real mapping", 100.0 * right / taken, unit="%", at_least=100.0)
    figure("S6 stale bindings at most", most - 1, 0, unit="n")
    assert phone.count("refreshed") >= 10
    assert len({tuple(order) for order in [node.address for node in world.nodes if node.registers()]}) == 1


@pytest.mark.row
@pytest.mark.lasts(45)
def test_s11_mapping_is_not_the_contact(make_world, figure):
    """The phone knows only its private address at first; the server's answer shows the mapping (N3)."""
    world = make_world(rotate=True, ttl=5)
    phone = world.phone(behind=world.nat(), transport="udp", expires=30)
    phone.start().wait_until_registered()
    node = world.node_at(phone.current_server())
    without, stale, last = 0.0, 0.0, time.monotonic()
    for _ in samples(35, 0.02):
        contacts, now = node.contacts(), time.monotonic()
        without += (now - last) if not contacts else 0.0
        stale += (now - last) if len(contacts) > 1 else 0.0
        last = now
    figure("S11 mapping ≠ Contact: un-REGISTERs", removals(world), 0, unit="n")
    figure("S11 time without a binding", round(without, 3), 0)
    figure("S11 time with a stale binding, first refresh included", round(stale, 3), 0)
    assert phone.count("refreshed") >= 1
    assert f"@{node.registers()[-1]['from']};" in node.contacts()[0]


QUIET = 32.0  # seconds without a call: more than the 30 s after which the NAT forgets
BURST = 1.3   # … and then each server is rung twice


def server_at(phone, moment):
    """Where the phone was registered at that time, by its own word."""
    told = [event for event in phone.events("registered", "refreshed", "moved") if event["at"] <= moment]
    return address_of(told[-1]["target"])


@pytest.mark.row
@pytest.mark.long
@pytest.mark.lasts(610)
def test_s12n_ten_minutes_with_a_location_service_per_node(make_world, figure):
    """The NAT forgets after 30 s: every node that holds a binding must reach the phone through it. A call holds the
    mapping as well as a keep-alive does, so each burst of calls comes when the one before it cannot have helped. A node
    without a binding says 404; one at which the phone says it is registered must not.

    With HOLDFAST_REAL_BREAK="policy.keepalive=none" it fails: only refreshes open the mapping then, and 15 % ring."""
    world = make_world(shared=False, rotate=True, ttl=5)
    phone = world.phone(behind=world.nat(udp_timeout=30), transport="udp", expires=120)
    phone.start().wait_until_registered()
    caller = world.caller()
    caller.pause()
    begin = time.monotonic()
    bursts = 0
    while time.monotonic() + QUIET + BURST < begin + 600:
        time.sleep(QUIET)
        caller.resume()
        time.sleep(BURST)
        caller.pause()
        time.sleep(1)  # a call that rang is cancelled, and its 487 may come again (RFC 3261 §17.2.1)
        bursts += 1
    placed = caller.calls(after=begin)
    calls = [call for call in placed if call.status != 404 or call.node == server_at(phone, call.at)]
    rang = sum(call.rang for call in calls)
    figure("S12n 10 min, expires 120, NAT timeout 30 s, one location service per node: all bindings answer",
           round(100.0 * rang / len(calls), 2), unit="%", at_least=100.0)
    assert phone.count("moved") == 0
    # Each burst rang the node with the binding, and no call came between them.
    assert bursts >= 15 and len(calls) >= 2 * bursts
    gaps = [later.at - earlier.at for earlier, later in zip(calls, calls[1:])]
    assert sum(gap > 30 for gap in gaps) == bursts - 1
