"""S5, S7: what happens to a phone that is registered when its server dies, or its NAT forgets it.

A caller rings the account five times a second through the servers that are alive; measured is the time from the fault
until calls ring again, known to 0.2 s. The fault comes 6 s after the registration (S7: 7 s), as in the reference.
"""

import time

import pytest

from network import wait_until

KEEP_ALIVE = 29.0     # seconds: the longest that a keep-alive on UDP waits (K1)
KEEP_ALIVE_TCP = 100.0
KEEP_ALIVE_TCP_LEAST = 80.0
CALL_EVERY = 0.2


def bound_phone(world, **options):
    """A phone behind a NAT with random ports, registered, and ringing."""
    nat = world.nat()
    phone = world.phone(behind=nat, **options)
    phone.start().wait_until_registered()
    world.wait_until_known()
    return phone, nat


def alive(world):
    return lambda: [node.address for node in world.nodes if node.alive]


def wait_until_rings(caller, fault, limit):
    """Until calls ring again and have for 2 s; seconds from the fault, None if they did not within the limit."""
    end = time.monotonic() + limit + 4
    while time.monotonic() < end:
        time.sleep(0.2)
        calls = caller.calls(after=fault)
        if len(calls) >= 10 and all(call.rang for call in calls[-10:]):
            return round(caller.unreachable_since(fault), 3)
    return None


def lose_its_server(world, figure, row, limit, **options):
    phone, _ = bound_phone(world, expires=60, **options)
    caller = world.caller(nodes=alive(world))
    time.sleep(6)
    assert caller.unreachable_since(caller.calls()[0].at - 1) == 0, "calls ring before the fault"
    figure(row, until_it_rings_elsewhere(world, phone, caller, limit), limit + CALL_EVERY)


def until_it_rings_elsewhere(world, phone, caller, limit):
    """Its server goes silent; seconds until calls ring again, None if they do not within the limit."""
    node = world.node_at(phone.current_server())
    node.silence()
    fault = time.monotonic()
    caller.resume()
    measured = wait_until_rings(caller, fault, limit)
    if measured is not None:
        assert phone.current_server() != node.address
        # The old binding is gone from the servers that live.
        living = world.others(node)
        wait_until(lambda: [len(other.contacts()) for other in living] == [1, 1], 10, "one binding on each that lives")
    return measured


@pytest.mark.row
@pytest.mark.lasts(45)
def test_s5_its_server_goes_silent(make_world, figure):
    lose_its_server(make_world(), figure, "S5 bound, its node goes silent, DNS fixed (expires 60)", KEEP_ALIVE + 3,
                    transport="udp")


@pytest.mark.row
@pytest.mark.lasts(45)
def test_s5r_its_server_goes_silent_and_dns_rotates(make_world, figure):
    lose_its_server(make_world(rotate=True, ttl=5), figure, "S5r the same, DNS rotates", KEEP_ALIVE + 3,
                    transport="udp")


@pytest.mark.row
@pytest.mark.lasts(75)
def test_s5t_its_server_goes_silent_over_tcp(make_world, figure):
    # The refresh of a binding of 60 s comes before the first keep-alive of 80–100 s, so it is far below the limit.
    lose_its_server(make_world(), figure, "S5t the same over TCP, node silent", KEEP_ALIVE_TCP + 12, transport="tcp")


@pytest.mark.row
@pytest.mark.lasts(140)
def test_s5t_the_keep_alive_notices_it_over_tcp(make_world, figure):
    """The refresh is minutes away, and nobody calls while the server falls silent: an answer of the phone that is never
    acknowledged would be noticed before the keep-alive (TCP_USER_TIMEOUT)."""
    limit = KEEP_ALIVE_TCP + 12
    world = make_world()
    phone, _ = bound_phone(world, expires=600, transport="tcp")
    caller = world.caller(nodes=alive(world))
    time.sleep(4)
    caller.pause()
    assert caller.calls() and all(call.rang for call in caller.calls()), "calls ring before the fault"
    time.sleep(2)
    measured = until_it_rings_elsewhere(world, phone, caller, limit)
    figure("S5t with expires 600, so that the keep-alive notices it", measured, limit + CALL_EVERY)
    assert phone.count("refreshed") == 0
    # Nothing was said to the server before the keep-alive, whose turn comes 80 s after the registration or later (K1).
    assert measured >= KEEP_ALIVE_TCP_LEAST - 10


@pytest.mark.row
@pytest.mark.alone
@pytest.mark.lasts(14)
def test_s5c_its_server_restarts_over_tcp(make_world, figure):
    """The process is killed: the kernel ends the connection and refuses the next one."""
    world = make_world()
    phone, _ = bound_phone(world, expires=60, transport="tcp")
    caller = world.caller(nodes=alive(world))
    time.sleep(6)
    node = world.node_at(phone.current_server())
    fault = time.monotonic()
    node.kill()
    moved = phone.wait_for("moved", limit=10, after=fault)
    lost = phone.events("flow_lost", after=fault)[0]  # the RST, by the phone's own clock: to kill a process takes what it takes
    figure("S5c TCP, node restarts (RST, then refused)", round(moved["t"] - lost["t"], 3), 0.1)
    assert wait_until_rings(caller, fault, 5) is not None
    # When it is back it gets the location service from its peers, with the one binding in it.
    node.start()
    wait_until(lambda: node.contacts() == [moved["contact"]], 30, "the binding, and no other", every=0.05)


@pytest.mark.row
@pytest.mark.lasts(45)
def test_s7_nat_rebinds(make_world, figure):
    world = make_world()
    phone, nat = bound_phone(world, expires=120, transport="udp")
    caller = world.caller()
    time.sleep(7)
    before = phone.events("registered", "refreshed")[-1]["mapping"]
    nat.rebind()
    fault = time.monotonic()
    measured = wait_until_rings(caller, fault, KEEP_ALIVE + 1)
    figure("S7 NAT rebinding while bound, expires 120: until right again", measured, KEEP_ALIVE + 1 + CALL_EVERY)
    changed = phone.wait_for("mapping_changed", limit=1, after=fault)
    renewed = phone.wait_for("refreshed", limit=1, after=changed["at"] - 0.001)
    assert renewed["mapping"] == changed["mapping"] != before
    assert phone.count("moved") == 0
    world.wait_until_all_hold(renewed["contact"])


@pytest.mark.row
@pytest.mark.lasts(25)
def test_two_flows_leave_no_gap(make_world, figure):
    """With outbound (RFC 5626) the phone has a flow to two servers, and the proxy forks to both: no call is lost."""
    world = make_world(defines={"OUTBOUND": True, "FLOW_TIMER": 30})
    phone, _ = bound_phone(world, expires=60, transport="udp")
    phone.wait_for("registered", limit=5, where=lambda event: event["reg_id"] == 2)
    caller = world.caller(nodes=alive(world))
    time.sleep(6)
    node = world.node_at(phone.current_server())
    node.silence()
    fault = time.monotonic()
    time.sleep(10)
    figure("S5 with two flows (outbound; the proxy forks to both)", caller.unreachable_since(fault), 0)
