"""Where a 200 wants our next requests to go, and what it says it saw. RFC 3608 §5, RFC 3327 §5.1, RFC 5627 §5.1, RFC 3581 §4,
RFC 5626 §4.4, RFC 6223; rules L8, N1, N2, K1, K3, R1."""

import itertools
import re

import pytest

from behaviours import TRANSPORTS, over_udp_and_some_over_tcp, to_registers, well
from sip_peer import Message


def added(*lines):
    """Those header lines in each 200."""
    own = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]
    return to_registers(lambda request, path: [
        Message(one.start, [*one.headers, *[(name.lower(), value) for name, value in own]]) for one in [well(path, request)]])


FOREIGN = "127.0.0.2"
# What the header says, THERE being a server that listens, and what of it is a Route of our requests if it is Service-Route.
ROUTES = {
    "abroad": (["<sip:THERE;lr>"], ["<sip:THERE;lr>"]),
    "two": (["<sip:THERE;lr>", "<sip:192.0.2.1;lr>"], ["<sip:THERE;lr>", "<sip:192.0.2.1;lr>"]),
    "garbage": (["<<<>>>, ;;, <sip:>"], []),
    "no angle brackets": (["sip:THERE;lr"], []),
    "tel": (["<tel:+4930;lr>"], ["<tel:+4930;lr>"]),  # RFC 3261 §25.1 allows any URI; what to make of it is the server's
    "a hundred": ([f"<sip:192.0.2.{i};lr>" for i in range(100)], []),
    "one readable of three": (["<sip:bad host;lr>, <sip:THERE;lr>, <sip:>"], ["<sip:THERE;lr>"]),
    "long": (["<sip:" + "x" * 7000 + "@192.0.2.1;lr>"] * 3, []),
    "folded": (["<sip:a@b.test\r\n ;lr>,\r\n\t<sip:THERE>"], ["<sip:THERE>"]),
    "quoted": (['"x\\"\\\\ <sip:THERE>" <sip:192.0.2.1;lr>;a="b"'], ['"x\\"\\\\ <sip:THERE>" <sip:192.0.2.1;lr>;a="b"']),
    "no UTF-8": (["<sip:192.0.2.1;lr;x=\udcff\udcfe>"], []),
}


# L8: Service-Route goes into our requests, on the current flow; it is never resolved nor connected to. Path is not used.
@pytest.mark.parametrize("transport, name, what", over_udp_and_some_over_tcp(
    itertools.product(["Service-Route", "Path", "Record-Route", "Route"], ROUTES), 13))
def test_routes_of_a_200(server, phone, transport, name, what):
    foreign = server(transport, address=FOREIGN)
    said, ours = [[one.replace("THERE", f"{FOREIGN}:{foreign.port}") for one in lines] for lines in ROUTES[what]]
    registrar = server(transport, added(*[f"{name}: {one}" for one in said]))
    alice = phone(registrar)
    alice.wait_for("registered")  # none of these makes the 200 unreadable
    registrar.wait_for(lambda: registrar.requests("OPTIONS"), 10, "the proof (R1), where the REGISTER went")
    registrar.happens(lambda: False, 1)
    assert not foreign.requests() and not foreign.connects
    for one in registrar.requests("OPTIONS"):
        assert one.all("route") == (ours if name == "Service-Route" else [])
    for one in registrar.requests("OPTIONS", "REGISTER"):
        assert one.start.endswith(" SIP/2.0") and one.start.count(" ") == 2
        assert not one.all("record-route") and not one.all("path")
    assert len(registrar.registers()) <= 4
    assert alice.end() == 0


# R1, RFC 5627 §5.1: a GRUU that is no SIP URI is none; it never becomes a request line of ours.
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("gruu", ["no uri at all", "sip:a@b SIP/2.0 x", "tel:+4930", "sip:a@b>;x=<", "", "javascript:1", "sip:", "*",
                                  "sip:alice@" + "x" * 5000])
def test_a_gruu_that_is_none(server, phone, transport, gruu):
    def behave(request, path):
        registrar.bind(request)
        return [registrar.ok(request, path, contacts=[
            f'<{uri}>{parameters};pub-gruu="{gruu}";temp-gruu="{gruu}"' for uri, parameters in registrar.bindings.items()])]

    registrar = server(transport, to_registers(behave))
    alice = phone(registrar)
    alice.wait_for("registered")
    registrar.wait_for(lambda: registrar.requests("OPTIONS"), 5, "the proof's OPTIONS (R1)")
    proof = registrar.requests("OPTIONS")[0]
    assert re.fullmatch(r"OPTIONS sips?:[^\s<>\"]+ SIP/2.0", proof.start), proof.start[:200]
    assert len(proof.encode()) < 2000
    assert re.fullmatch(r"<sip:[^<>\"]+>", proof["to"]), proof["to"][:200]
    assert alice.end() == 0


# N1: what the top Via cannot mean says nothing of our mapping.
@pytest.mark.parametrize("transport, seen", over_udp_and_some_over_tcp([
    "received=elsewhere.test;rport=5060", "received=127.0.0.1;rport=0", "received=127.0.0.1;rport=99999",
    "received=;rport=", "received=\"x\";rport=-1", "received=999.1.1.1;rport=1", "received=0.0.0.0;rport=1",
    "received=255.255.255.255;rport=1", "received=224.0.0.1;rport=1", "received=[::];rport=1",
    "received=::1;rport=1"], 6))
def test_a_mapping_that_is_none(server, phone, transport, seen):
    def behave(request, path):
        return [one.with_header("via", re.sub(r"received=[^;]*;rport=\d+", seen, one["via"])) for one in registrar.good(request, path)]

    registrar = server(transport, behave)
    alice = phone(registrar, set="policy.patience=300ms")
    alice.wait_for("registered", "waiting")
    assert not registrar.happens(lambda: len(registrar.registers()) > 4, 1)
    for one in registrar.registers():
        assert re.match(r"sip:alice@127\.0\.0\.1:\d{4,5};", one.contacts()[0][0]), one["contact"]
    alice.end()


# K3, I5: another mapping in each answer is followed 3 times in 5 minutes, then it is left alone, and told (N5).
@pytest.mark.parametrize("transport", ["udp"])
def test_another_mapping_in_every_answer(server, phone, transport):
    ports = iter(range(20_000, 60_000))

    def behave(request, path):
        return [one.with_header("via", re.sub(r"received=[^;]*;rport=\d+", f"received=127.0.0.1;rport={next(ports)}", one["via"]))
                for one in registrar.good(request, path)]

    registrar = server(transport, behave)
    alice = phone(registrar)
    alice.wait_for("registered")
    assert not registrar.happens(lambda: len(registrar.registers()) > 10, 4)
    contacts = dict.fromkeys(one.contacts()[0][0] for one in registrar.registers())
    assert len(contacts) == 4, f"its own address, and three mappings: {list(contacts)}"
    assert "too often" in alice.events("mapping_changed")[-1]["reason"]
    alice.end()
    assert len(registrar.bindings) <= 1


# K1: a Flow-Timer or keep that cannot be meant makes no storm of keep-alives, be they CRLF, STUN or OPTIONS.
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("value", ["0", "1", "-1", "4294967295", "99999999999999", "soon"])
def test_a_flow_timer_that_cannot_be_meant(server, phone, transport, value):
    registrar = server(transport, outbound(value))
    registrar.answers_pings = True  # or the phone would wait for an answer instead of the next one
    alice = phone(registrar)
    alice.wait_for("registered")
    assert not registrar.happens(lambda: len(registrar.requests()) + len(registrar.pings) > 12, 2.5)
    assert len(registrar.pings) <= 1, "the first 5 s are free of them, but for one that tries whether STUN is answered"
    assert alice.processor_seconds() < 1
    assert alice.end() == 0
    assert registrar.bindings == {}


# … and not none: what is too short leads to the shortest interval that there is.
@pytest.mark.parametrize("transport, shortest", [("udp", 5), ("tcp", 15)])
def test_a_flow_timer_of_a_second_is_the_shortest_interval(server, phone, transport, shortest):
    registrar = server(transport, outbound("1"))
    registrar.answers_pings = True
    alice = phone(registrar)
    registered = alice.wait_for("registered")["at"]
    registrar.happens(lambda: False, shortest + 2.5)
    pings = [round(at - registered, 2) for at in registrar.pings]
    assert any(shortest - 0.5 <= at <= shortest + 1.5 for at in pings), pings
    assert len(pings) <= 2, pings
    alice.end()


def outbound(flow_timer):
    return added(f"Flow-Timer: {flow_timer}", "Require: outbound", "Supported: outbound")


@pytest.mark.parametrize("transport, value", over_udp_and_some_over_tcp(
    ["0", "1", "-1", "4294967295", "99999999999999", "soon"], 3))
def test_a_keep_that_cannot_be_meant(server, phone, transport, value):
    registrar = server(transport, to_registers(lambda request, path: [
        one.with_header("via", one["via"].replace(";keep", f";keep={value}")) for one in [well(path, request)]]))
    alice = phone(registrar)
    alice.wait_for("registered")
    assert not registrar.happens(lambda: len(registrar.requests()) > 12, 2)
    assert alice.processor_seconds() < 1
    assert alice.end() == 0
