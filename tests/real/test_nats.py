"""Kinds of NAT, one behind another, and a phone that starts again behind them."""

import time

import pytest

from test_bound import CALL_EVERY, KEEP_ALIVE_TCP, KEEP_ALIVE_TCP_LEAST, wait_until_rings
from test_transports import rings


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_nat_that_keeps_ports(make_world, transport):
    world = make_world()
    phone = world.phone(behind=world.nat(random=False), transport=transport)
    registered = phone.start().wait_until_registered()
    assert registered["mapping"].startswith("203.0.113.195:")
    assert rings(world)


@pytest.mark.lasts(45)
def test_a_nat_that_keeps_ports_forgets(make_world):
    """After a restart of the router the mapping is the same, but closed until the phone sends: its keep-alive opens it."""
    world = make_world()
    nat = world.nat(random=False)
    phone = world.phone(behind=nat, transport="udp", expires=300)
    phone.start().wait_until_registered()
    assert rings(world)
    # Its keep-alive is 20 s away, but what it says in a call that has just ended (a 487 again, RFC 3261 §17.2.1) would open the
    # mapping as well, before anybody has noticed that it was closed.
    time.sleep(2)
    contact = world.nodes[0].contacts()
    nat.rebind()
    fault = time.monotonic()
    caller = world.caller()
    measured = wait_until_rings(caller, fault, 30)
    assert not caller.calls(after=fault)[0].rang, "the mapping was closed"
    assert measured is not None and measured <= 30.2
    assert phone.count("mapping_changed", "moved") == 0
    assert [node.contacts() for node in world.nodes] == [contact] * 3


def test_two_nats_in_a_row(make_world):
    """A router behind the provider's NAT: the Contact is what the outer one shows."""
    world = make_world()
    outer = world.nat(number=2)
    inner = world.nat(behind=outer, number=1)
    phone = world.phone(behind=inner, transport="udp")
    registered = phone.start().wait_until_registered()
    assert registered["mapping"].startswith(f"{outer.address}:")
    assert f"@{registered['mapping']}" in registered["contact"]
    assert rings(world)
    assert phone.end() == 0
    world.wait_until_all_hold()


@pytest.mark.lasts(45)
def test_the_outer_of_two_nats_rebinds(make_world):
    world = make_world()
    outer = world.nat(number=2)
    phone = world.phone(behind=world.nat(behind=outer, number=1), transport="udp", expires=120)
    phone.start().wait_until_registered()
    world.wait_until_known()
    caller = world.caller()
    time.sleep(3)
    outer.rebind()
    fault = time.monotonic()
    measured = wait_until_rings(caller, fault, 30)
    assert measured is not None and measured <= 30.2
    world.wait_until_all_hold(phone.events("registered", "refreshed", "moved")[-1]["contact"])


@pytest.mark.lasts(80)
def test_short_udp_timeouts(make_world):
    """A NAT that forgets after 30 s (far less than RFC 4787 REQ-5 asks, and common): keep-alives every 24–29 s hold it."""
    world = make_world()
    phone = world.phone(behind=world.nat(udp_timeout=30), transport="udp", expires=300)
    phone.start().wait_until_registered()
    mapping = phone.events("registered")[0]["mapping"]
    time.sleep(65)  # no calls meanwhile: they would hold the mapping too
    assert phone.count("mapping_changed") == 0
    assert mapping in phone.events("registered", "refreshed")[-1]["mapping"]
    assert rings(world)


over_streams = pytest.mark.parametrize("transport", ["tcp", "tls"])


@pytest.mark.lasts(145)
@over_streams
def test_a_nat_forgets_a_connection(world_over, transport):
    """The router has restarted and has another port for the connection, which the server's kernel refuses (RST). Nobody hears
    of it before the next keep-alive (K1): the refresh is minutes away, and calls end at the router."""
    world, options = world_over(transport)
    nat = world.nat()
    phone = world.phone(behind=nat, expires=600, **options)
    before = phone.start().wait_until_registered()
    phone.wait_for("reachable", limit=5)
    assert rings(world)
    time.sleep(2)  # the kernels have nothing left to repeat
    nat.rebind()
    fault = time.monotonic()
    caller = world.caller()
    measured = wait_until_rings(caller, fault, KEEP_ALIVE_TCP + 3)
    assert measured is not None and measured <= KEEP_ALIVE_TCP + 3 + CALL_EVERY
    assert measured >= KEEP_ALIVE_TCP_LEAST - (fault - before["at"]) - 1, "it was the keep-alive that noticed"
    last = phone.events("registered", "refreshed", "moved")[-1]
    assert last["mapping"] != before["mapping"]
    assert [node.contacts() for node in world.nodes] == [[last["contact"]]] * 3


@pytest.mark.lasts(145)
@over_streams
def test_a_nat_that_keeps_ports_forgets_a_connection(world_over, transport):
    """The same, but the connection gets its old port: the keep-alive opens it again, and nothing was lost."""
    world, options = world_over(transport)
    nat = world.nat(random=False)
    phone = world.phone(behind=nat, expires=600, **options)
    phone.start().wait_until_registered()
    phone.wait_for("reachable", limit=5)
    assert rings(world)
    contacts = [node.contacts() for node in world.nodes]
    time.sleep(2)
    nat.rebind()
    assert "ESTABLISHED" not in nat.mappings(), "it has forgotten"
    time.sleep(KEEP_ALIVE_TCP + 1)  # no calls meanwhile: the servers would go on repeating them
    assert phone.count("flow_lost", "mapping_changed", "suspect", "moved") == 0
    assert rings(world)
    assert [node.contacts() for node in world.nodes] == contacts


@pytest.mark.lasts(185)
@over_streams
def test_short_tcp_timeouts(world_over, transport):
    """A NAT that forgets an idle connection after 106 s (RFC 5382 REQ-5 asks for more than two hours): keep-alives every
    80–100 s hold it (K1), and 95–120 s would not. With HOLDFAST_REAL_BREAK="policy.keepalive=none" it fails."""
    world, options = world_over(transport)
    phone = world.phone(behind=world.nat(tcp_timeout=106), expires=600, **options)
    before = phone.start().wait_until_registered()
    time.sleep(170)  # no calls meanwhile: they would hold the connection too
    assert phone.count("flow_lost", "mapping_changed", "suspect", "moved", "refreshed", after=before["at"] + 10) == 0
    assert rings(world)


def test_a_phone_that_starts_again_leaves_no_stale_binding(make_world):
    """Killed, and the NAT has another port for it at the next start: the old Contact is removed (B3, B6)."""
    world = make_world()
    nat = world.nat()
    phone = world.phone(behind=nat, transport="udp")
    phone.start().wait_until_registered()
    phone.stop()
    nat.rebind()
    before = time.monotonic()
    phone.start()
    registered = phone.wait_for("registered", limit=5, after=before)
    world.wait_until_all_hold(registered["contact"])
    time.sleep(1)
    assert [node.contacts() for node in world.nodes] == [[registered["contact"]]] * 3


def test_no_nat(make_world):
    """A phone on the internet itself; any server of the cluster may send the call (Security, b)."""
    world = make_world(defines={"NO_PATH": True})
    phone = world.phone(transport="udp")
    registered = phone.start().wait_until_registered()
    assert "@203.0.113." in registered["contact"]
    assert rings(world)
