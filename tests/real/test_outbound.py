"""RFC 5626 and RFC 3327 with Kamailio's outbound and path modules: two flows, and an edge proxy before the registrar."""

import time

import pytest

from test_bound import alive, wait_until_rings
from test_transports import rings


def two_flows(phone):
    first = phone.wait_for("registered", limit=5, where=lambda event: event["reg_id"] == 1)
    second = phone.wait_for("registered", limit=5, where=lambda event: event["reg_id"] == 2)
    return first, second


FLOW_TIMER = 30  # seconds; a keep-alive comes after 80–100 % of it
# … and then shows a dead server: over UDP within 3 s (K2), over a stream after 10 s without the pong (K1), and probes.
NOTICED = {"udp": FLOW_TIMER + 5, "tcp": FLOW_TIMER + 10 + 5, "tls": FLOW_TIMER + 10 + 5}
OUTBOUND = {"OUTBOUND": True, "FLOW_TIMER": FLOW_TIMER}

over_each = pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])


@over_each
def test_the_registrar_agrees_and_two_flows_are_kept(world_over, transport):
    world, options = world_over(transport, defines=OUTBOUND)
    phone = world.phone(behind=world.nat(), **options)
    phone.start()
    first, second = two_flows(phone)
    assert first["target"] != second["target"]
    assert {event["target"].split(":")[0] for event in (first, second)} == {transport}
    # One instance, two reg-ids, in the location service of every node.
    world.wait_until_all_hold(first["contact"], second["contact"])
    for node in world.nodes:
        bindings = node.bindings()
        assert len({binding["Instance"] for binding in bindings}) == 1
        assert sorted(binding["Reg-Id"] for binding in bindings) == [1, 2]
    assert rings(world)
    assert phone.end() == 0
    world.wait_until_all_hold()


@pytest.mark.lasts(60)
@over_each
def test_one_of_two_flows_dies_and_is_replaced(world_over, transport):
    world, options = world_over(transport, defines=OUTBOUND)
    phone = world.phone(behind=world.nat(), expires=60, **options)
    phone.start()
    two_flows(phone)
    world.wait_until_known()
    caller = world.caller(nodes=alive(world))
    time.sleep(2)
    dead = world.node_at(phone.current_server())
    dead.silence()
    fault = time.monotonic()
    phone.wait_for("moved", limit=NOTICED[transport], after=fault)
    time.sleep(2)
    assert wait_until_rings(caller, fault, 5) == 0, "no call was lost meanwhile"
    living = {node.address for node in world.others(dead)}
    assert {binding["Path"] for node in world.others(dead) for binding in node.bindings()} == {
        f"<sip:{address}:5060;lr>" for address in living}


@pytest.mark.lasts(20)
@over_each
def test_an_edge_proxy_with_path_and_outbound(world_over, transport):
    """Two edges, one registrar behind them: the phone knows only the edges (`--outbound-proxy`); the registrar stores
    Path, and calls come back through the edge that has the flow."""
    registrar = "sip:203.0.113.13:5060"
    world, options = world_over(transport, names=["edge.example.test"], start=False,
                                records=["@ A 203.0.113.13", "edge A 203.0.113.11", "edge A 203.0.113.12"])
    edges, core = world.nodes[:2], world.nodes[2]
    for edge in edges:
        edge.defines = {"EDGE": True, "REGISTRAR": registrar, **OUTBOUND}
    core.defines = dict(OUTBOUND)
    for node in world.nodes:
        node.start()
    phone = world.phone(behind=world.nat(), outbound_proxy="sip:edge.example.test;lr", **options)
    phone.start()
    first, second = two_flows(phone)
    port = 5061 if transport == "tls" else 5060
    assert {first["target"], second["target"]} == {f"{transport}:{edge.address}:{port}" for edge in edges}
    bindings = core.bindings()
    assert len(bindings) == 2 and all(";ob" in binding["Path"] for binding in bindings), bindings
    assert rings_at(world, core)


def rings_at(world, node):
    caller = world.caller(nodes=lambda: [node.address])
    time.sleep(2)
    caller.pause()
    calls = caller.calls()
    return len(calls) >= 5 and all(call.rang for call in calls)
