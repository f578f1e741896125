"""S10: every server is silent for a while, and comes back (S1 of the rules: no storms, but no long waits either)."""

import time

import pytest

from network import wait_until
from test_bound import bound_phone, wait_until_rings


def outage(make_world, figure, row, seconds):
    world = make_world()
    phone, _ = bound_phone(world, expires=30, transport="udp")
    time.sleep(6)
    for node in world.nodes:
        node.silence()
    time.sleep(seconds)
    healed = time.monotonic()  # before the first one is: the phone may be quicker than we are with the third
    for node in world.nodes:
        node.heal()
    caller = world.caller()
    figure(row, wait_until_rings(caller, healed, 12), 10.0)
    assert phone.count("registered", "moved", "refreshed", after=healed) >= 1
    wait_until(lambda: [len(node.contacts()) for node in world.nodes] == [1, 1, 1], 10, "one binding on every server")


@pytest.mark.row
@pytest.mark.lasts(80)
def test_s10_all_silent_for_a_minute(make_world, figure):
    outage(make_world, figure, "S10 all silent for 60 s, then back", 60)


@pytest.mark.row
@pytest.mark.lasts(170)
def test_s10l_all_silent_for_two_and_a_half_minutes(make_world, figure):
    outage(make_world, figure, "S10l all silent for 150 s, then back", 150)
