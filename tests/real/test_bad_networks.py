"""A phone behind a cable that delays, loses and mixes up packets (bad_link.py), DNS included, and Kamailio beyond it.

It registers, stays registered with one binding, and moves when its server dies. What the cable does is drawn from a
seed, but what is drawn for depends on the host's timing: limits are those of a phone that works, not of one run.
Not here: how much of an hour it is reachable (tests/bad_link_test.cpp, virtual time); the cable itself (test_bad_link.py).
"""

import os
import time

import pytest

from certificates import Authority, ServerTls
from network import wait_until
from test_rotation import samples

pytestmark = pytest.mark.tun

SEED = int(os.environ.get("HOLDFAST_REAL_SEED", "1"))  # another one is another world
# Shares are of each direction: at 30 % every second round trip fails.
CABLES = {
    "delay": {"delay_ms": 250},
    "order": {"delay_ms": 50, "jitter_ms": 30, "reorder": 0.5},
    "loss": {"delay_ms": 20, "loss": 0.3},
    "all": {"delay_ms": 250, "jitter_ms": 50, "loss": 0.3, "duplication": 0.05, "reorder": 0.3},
}


@pytest.fixture
def phone_behind(make_world, tmp_path):
    def make(cable, transport, seed=SEED, **options):
        authority = Authority(str(tmp_path / f"ca{seed}"))
        world = make_world(numbers=(11, 12), tls=ServerTls(*authority.issue("server", "DNS:example.test")))
        if transport == "tls":
            options["ca"] = authority.certificate
        # Keep-alives a third as far apart as they are by default, so that a dead server shows within the test.
        phone = world.phone(behind=world.nat(link={**CABLES[cable], "seed": seed}), transport=transport, **options,
                            set=["policy.keepalive_min=8s", "policy.keepalive_max=10s"])
        return world, phone.start()

    return make


def stays_registered(world, seconds):
    """At every moment every server has a binding; a late REGISTER may add one, for a moment."""
    world.wait_until_known()
    for _ in samples(seconds, 0.25):
        held = [len(node.contacts()) for node in world.nodes if node.running]
        assert min(held) >= 1, held


def lapses(world, phone, seconds):
    """What has lapsed in that time, by the servers or by the phone's own word, in words; "" if nothing has."""
    try:
        stays_registered(world, seconds)
    except AssertionError as lapse:
        return f"a server without a binding: {lapse}"
    return "unregistered" if phone.count("unregistered") else ""


def has_one_binding(nodes, phone, limit):
    """The phone's own, on each of these nodes."""
    def settled():
        contact = phone.events("registered", "refreshed", "moved")[-1]["contact"]
        return all(node.contacts() == [contact] for node in nodes)
    wait_until(settled, limit, f"one binding: {[node.contacts() for node in nodes]}", every=0.25)


def loses_its_server(world, phone, limit, may_lapse=False):
    """The kernel of the dead one refuses what comes, if that gets through; the other has the binding then, before the old
    one has lapsed, unless that may be."""
    node = world.node_at(phone.current_server())
    fault = time.monotonic()
    node.kill()
    other = world.others(node)
    # The dead one's last answer may still be under way.
    phone.wait_for("moved", *(["registered"] if may_lapse else []), limit=limit, after=fault,
                   where=lambda event: other[0].address in event["target"])
    has_one_binding(other, phone, 15)
    assert phone.current_server() == other[0].address
    assert may_lapse or phone.count("unregistered") == 0


@pytest.mark.lasts(45)
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("cable", ["delay", "order"])
def test_behind_a_cable_that_loses_nothing(phone_behind, cable, transport):
    """Round trips of half a second; or every second packet late by up to two delays."""
    world, phone = phone_behind(cable, transport, expires=30)
    registered = phone.wait_until_registered(limit=10)
    phone.wait_for("reachable", limit=10)
    stays_registered(world, 20)
    assert phone.count("refreshed", after=registered["at"]) >= 1
    assert phone.count("moved", "flow_lost", "suspect") == 0
    has_one_binding(world.nodes, phone, 0)
    loses_its_server(world, phone, 15)
    left = next(node for node in world.nodes if node.running)
    assert phone.end() == 0
    assert left.contacts() == []


@pytest.mark.lasts(75)
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("cable", ["loss", "all"])
def test_behind_a_cable_that_loses_every_third_packet(phone_behind, cable, transport):
    """Over streams the kernel repeats what was lost, ever more slowly, and gives up after 10 s (K1). If that meets the only
    server that is left, the phone waits (S1), and its probes may be lost too: hence the long limit, in which a binding of 30 s may
    lapse. Most take less than 20 s. Before that none may: the cable's draw can lose all tries of a refresh, though not of two phones
    with cables of their own (of an hour it is tests/bad_link_test.cpp that says how much)."""
    for seed in (SEED, SEED + 1):
        world, phone = phone_behind(cable, transport, seed, expires=30)
        registered = phone.wait_until_registered(limit=60)
        lapse = lapses(world, phone, 45)
        if not lapse:
            break
        print(f"seed {seed}: {lapse}\n{phone.story()}")
    assert not lapse, "twice, with independent cables; both are above"
    assert phone.count("refreshed", "registered", "moved", after=registered["at"]) >= 1
    has_one_binding(world.nodes, phone, 15)
    loses_its_server(world, phone, 120, may_lapse=True)
