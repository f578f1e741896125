"""A server with a location service of its own dies under a phone: the next one knows nothing of it (B7).

Others of this cluster cannot deliver a call for it then: who calls must come to the server that has the binding, as SIP's rotating DNS
brings him there sooner or later. Measured is the time from the fault until calls through the phone's own server ring again. Then the dead
one returns: with the old binding in it, if it was only silent, with none, if it was started anew. Not here: ten minutes without a
fault (S12n in test_rotation.py); that debts outlive the phone's own restart (tests/rules_servers_test.cpp).
"""

import time

import pytest

from network import wait_until
from phone import address_of
from test_bound import CALL_EVERY, KEEP_ALIVE, wait_until_rings

STREAM_KEEP_ALIVE = 20.0  # a fifth of K1's
SET = [f"policy.stream_keepalive_min={STREAM_KEEP_ALIVE * 0.8:.0f}s", f"policy.stream_keepalive_max={STREAM_KEEP_ALIVE:.0f}s"]
# A silent one that we owe something is probed every 25–35 s, and a probe is forgotten after 2 s (B7, F9).
SETTLED_WITHIN = 40


def own_server(world, phone):
    return lambda: [world.node_at(phone.current_server()).address]


def removals(node):
    return [register for register in node.registers() if register["removal"]]


@pytest.mark.lasts(65)
@pytest.mark.parametrize("transport, ends", [("udp", "silent"), ("udp", "killed"), ("tcp", "silent"), ("tls", "killed")])
def test_its_server_dies_and_returns(world_over, figure, transport, ends):
    world, options = world_over(transport, shared=False)
    phone = world.phone(behind=world.nat(), expires=600, set=SET, **options)
    bound = phone.start().wait_until_registered()
    caller = world.caller(nodes=own_server(world, phone))
    time.sleep(6)
    assert caller.unreachable_since(bound["at"] + 1) == 0, "calls ring before the fault"
    dead = world.node_at(phone.current_server())
    old = phone.events("registered", "refreshed")[-1]["contact"]
    assert dead.contacts() == [old]
    dead.silence() if ends == "silent" else dead.kill()
    fault = time.monotonic()
    # A connection that its server's kernel ends is replaced at once (F6); else the keep-alive notices it.
    notices = KEEP_ALIVE if transport == "udp" else STREAM_KEEP_ALIVE if ends == "silent" else 0
    limit = notices + (3 if transport == "udp" else 12)
    measured = wait_until_rings(caller, fault, limit)
    figure(f"a location service per node, its server {ends}, {transport}: not reachable for", measured, limit + CALL_EVERY)

    moved = phone.wait_for("moved", limit=1, after=fault)
    chosen, (third,) = world.node_at(phone.current_server()), [
        node for node in world.nodes if node.address not in (dead.address, phone.current_server())]
    assert chosen is not dead
    assert chosen.contacts() == [moved["contact"]]
    assert third.contacts() == []
    if ends == "silent":
        assert dead.contacts() == [old]  # nobody could tell it
    if ends == "silent" and transport == "udp":  # over a stream it is the connection that is known to be lost
        owed = phone.wait_for("binding_debt", limit=5, after=fault)
        assert (address_of(owed["target"]), owed["contact"]) == (dead.address, old)

    returned = time.monotonic()
    dead.heal() if ends == "silent" else dead.start()
    phone.wait_for("binding_removed", limit=SETTLED_WITHIN, after=fault,
                   where=lambda event: (address_of(event["target"]), event["contact"]) == (dead.address, old))
    assert dead.contacts() == []
    # From then on it says that it does not have the phone; it sends nobody to where the phone was.
    elsewhere = world.caller(nodes=lambda: [dead.address])
    wait_until(lambda: len(elsewhere.calls()) >= 5, 10, "calls through the server that was dead")
    elsewhere.pause()
    assert {call.status for call in elsewhere.calls()} == {404}
    # Nobody who called through the phone's own server noticed any of it, and only there was anything removed (B6).
    assert caller.unreachable_since(returned) == 0
    assert [len(removals(node)) for node in (dead, chosen, third)] == [1 if ends == "silent" else 0, 0, 0]
    assert phone.count("moved") == 1 and phone.count("unregistered") == 0
    assert chosen.contacts() == [phone.events("registered", "refreshed", "moved")[-1]["contact"]]
    assert phone.end() == 0
    assert [node.contacts() for node in world.nodes] == [[], [], []]
