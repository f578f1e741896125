"""RFC 5626 and RFC 3327 with Kamailio's outbound and path modules: two flows, and an edge proxy before the registrar."""

import time

import pytest

from test_bound import alive, wait_until_rings
from test_transports import rings


def two_flows(phone):
    first = phone.wait_for("registered", limit=5, where=lambda event: event["reg_id"] == 1)
    second = phone.wait_for("registered", limit=5, where=lambda event: event["reg_id"] == 2)
    return first, second


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_registrar_agrees_and_two_flows_are_kept(make_world, transport):
    world = make_world(defines={"OUTBOUND": True, "FLOW_TIMER": 30})
    phone = world.phone(behind=world.nat(), transport=transport)
    phone.start()
    first, second = two_flows(phone)
    assert first["target"] != second["target"]
    # One instance, two reg-ids, in the location service of every node.
    world.wait_until_all_hold(first["contact"], second["contact"])
    for node in world.nodes:
        bindings = node.bindings()
        assert len({binding["Instance"] for binding in bindings}) == 1
        assert sorted(binding["Reg-Id"] for binding in bindings) == [1, 2]
    assert rings(world)
    assert phone.end() == 0
    world.wait_until_all_hold()


@pytest.mark.lasts(50)
def test_one_of_two_flows_dies_and_is_replaced(make_world):
    world = make_world(defines={"OUTBOUND": True, "FLOW_TIMER": 30})
    phone = world.phone(behind=world.nat(), transport="udp", expires=60)
    phone.start()
    two_flows(phone)
    world.wait_until_known()
    caller = world.caller(nodes=alive(world))
    time.sleep(2)
    dead = world.node_at(phone.current_server())
    dead.silence()
    fault = time.monotonic()
    phone.wait_for("moved", limit=35, after=fault)
    time.sleep(2)
    assert wait_until_rings(caller, fault, 5) == 0, "no call was lost meanwhile"
    living = {node.address for node in world.others(dead)}
    assert {binding["Path"] for node in world.others(dead) for binding in node.bindings()} == {
        f"<sip:{address}:5060;lr>" for address in living}


@pytest.mark.lasts(20)
def test_an_edge_proxy_with_path_and_outbound(make_world):
    """Two edges, one registrar behind them: the phone knows only the edges (`--outbound-proxy`); the registrar stores
    Path, and calls come back through the edge that has the flow."""
    registrar = "sip:203.0.113.13:5060"
    world = make_world(records=["@ A 203.0.113.13", "edge A 203.0.113.11", "edge A 203.0.113.12"], start=False)
    edges, core = world.nodes[:2], world.nodes[2]
    for edge in edges:
        edge.defines = {"EDGE": True, "REGISTRAR": registrar, "OUTBOUND": True, "FLOW_TIMER": 30}
    core.defines = {"OUTBOUND": True, "FLOW_TIMER": 30}
    for node in world.nodes:
        node.start()
    phone = world.phone(behind=world.nat(), transport="udp", outbound_proxy="sip:edge.example.test;lr")
    phone.start()
    first, second = two_flows(phone)
    assert {first["target"], second["target"]} == {f"udp:{edge.address}:5060" for edge in edges}
    bindings = core.bindings()
    assert len(bindings) == 2 and all(";ob" in binding["Path"] for binding in bindings), bindings
    assert rings_at(world, core)


def rings_at(world, node):
    caller = world.caller(nodes=lambda: [node.address])
    time.sleep(2)
    caller.pause()
    calls = caller.calls()
    return len(calls) >= 5 and all(call.rang for call in calls)
