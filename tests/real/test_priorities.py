"""S9: two SRV priorities. The better one is silent at the start, and comes back later (L7)."""

import time

import pytest

RECORDS = ["_sip._udp SRV 10 0 5060 best", "_sip._udp SRV 20 0 5060 backup",
           "best A 203.0.113.11", "backup A 203.0.113.12"]


def start(make_world):
    """A phone that is registered at the backup, as the best server is silent."""
    world = make_world(numbers=(11, 12), records=RECORDS)
    best, backup = world.nodes
    best.silence()
    phone = world.phone(behind=world.nat(), transport="udp")
    phone.ranking()  # the identity is made before, as in the other cold starts
    phone.start()
    registered = phone.wait_until_registered()
    assert phone.current_server() == backup.address
    return world, best, backup, phone, registered


@pytest.mark.row
@pytest.mark.alone
@pytest.mark.lasts(5)
def test_s9_to_the_backup(make_world, figure):
    _, _, _, phone, registered = start(make_world)
    figure("S9 SRV: priority 10 silent, 20 alive: to 20", round(registered["t"], 3), 1.5)


@pytest.mark.row
@pytest.mark.lasts(110)
def test_s9_back_to_the_best(make_world, figure):
    world, best, backup, phone, registered = start(make_world)
    world.wait_until_known()
    caller = world.caller(nodes=lambda: [backup.address])
    time.sleep(20)
    healed = time.monotonic()
    best.heal()
    moved = phone.wait_for("moved", limit=90, after=healed)
    figure("S9 then 10 returns: back", round(moved["at"] - healed, 3), 75)
    time.sleep(3)
    # Make before break: every call rang, before, during and after.
    figure("S9 without reachability on the way back", caller.unreachable_since(registered["at"]), 0)
    assert phone.current_server() == best.address
    world.wait_until_all_hold(moved["contact"])
