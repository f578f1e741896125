"""Redirects in circles, abroad, and without end. RFC 3261 §8.1.3.4, §21.3; rules F5, I5.

F5: only to a host in the next hop's domain or a listed target's address, at most 5 of an answer."""

import contextlib
import select
import socket

import pytest

from behaviours import TRANSPORTS, over_udp_and_some_over_tcp, to_all_registers, to_registers
from sip_peer import answer


def redirected_to(*contacts, status=302):
    def do(request, path):
        to = [one(path) if callable(one) else one for one in contacts]
        return [answer(request, status, "Moved", *[f"Contact: {one}" for one in to], source=path.peer)]

    return do


# A redirect to itself: asked once, then S1.
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("status", [300, 301, 302, 305, 380, 399])
def test_a_redirect_to_itself(server, phone, transport, status):
    registrar = server(transport, to_all_registers(redirected_to(lambda path: f"<{path.server.uri}>", status=status)))
    alice = phone(registrar)
    assert alice.wait_for("attempt_failed")["status"] == status
    alice.wait_for("waiting")
    assert not registrar.happens(lambda: len(registrar.registers()) > 1, 1.5)
    assert alice.end() == 16


# A sends to B, B to A: each is asked once.
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_two_servers_that_send_to_each_other(server, phone, transport):
    second = server(transport, to_all_registers(redirected_to(lambda path: f"<{first.uri}>")))
    first = server(transport, to_all_registers(redirected_to(lambda path: f"<{second.uri}>")))
    alice = phone(first)
    alice.wait_for("waiting")
    assert not first.happens(lambda: len(first.registers()) + len(second.registers()) > 2, 1.5)
    assert (len(first.registers()), len(second.registers())) == (1, 1)
    assert alice.end() == 16


# A redirect that helps is followed (the rest of this file is about those that do not).
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_redirect_that_helps(server, phone, transport):
    second = server(transport)
    first = server(transport, to_all_registers(redirected_to(f"<{second.uri}>")))
    alice = phone(first)
    assert alice.wait_for("registered")["target"] == second.target
    assert alice.end() == 0
    assert second.bindings == {}


# To a host that is none of the domain's: nothing goes there, not even a packet, and the user reads why.
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_redirect_to_a_foreign_host(server, phone, transport):
    foreign = server(transport, address="127.0.0.2")
    registrar = server(transport, to_registers(redirected_to(
        f"<{foreign.uri}>", "<sip:elsewhere.test>", "<sips:127.0.0.3>", "<mailto:alice@hostile.test>", "<tel:+4930>")))
    alice = phone(registrar)
    assert "nowhere that is ours" in alice.wait_for("attempt_failed")["reason"]
    assert not registrar.happens(lambda: len(registrar.registers()) > 2, 1)
    assert not foreign.requests() and not foreign.connects
    assert alice.end() == 16


# Thirty Contacts: five of them at most are tried.
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_thirty_redirects_in_one_answer(server, phone, transport):
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    with contextlib.ExitStack() as held:
        taken = [held.enter_context(socket.socket(socket.AF_INET, kind)) for _ in range(30)]
        for one in taken:  # ports that are nobody else's: UDP is silent there, TCP refused, as nobody listens
            one.bind(("127.0.0.1", 0))
        dead = [f"127.0.0.1:{one.getsockname()[1]}" for one in taken]
        registrar = server(transport, to_all_registers(redirected_to(
            *[f"<sip:{one};transport={transport}>" for one in dead])))
        alice = phone(registrar, set="policy.patience=1s")
        alice.wait_for("waiting", limit=15)
        tried = {event["target"] for event in alice.events("attempt", "attempt_failed")} - {registrar.target}
        assert len(tried) == 5 and tried <= {f"{transport}:{one}" for one in dead}
        if transport == "udp":
            assert len(select.select(taken, [], [], 0)[0]) == 5, "nothing has come to the others"
        assert alice.end() == 16


# A server that has a new port for every REGISTER: followed 5 times at most, not for ever.
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_chain_of_redirects_without_end(server, phone, transport):
    def another(path):
        port = registrar.another_socket().getsockname()[1]
        return f"<sip:127.0.0.1:{port};transport={transport}>"

    registrar = server(transport, to_all_registers(redirected_to(another)))
    alice = phone(registrar)
    alice.wait_for("waiting", limit=8)
    assert not registrar.happens(lambda: len(registrar.registers()) > 10, 3)
    assert len({event["target"] for event in alice.events("attempt")}) <= 6
    assert "5 times" in alice.events("attempt_failed")[-1]["reason"]
    assert alice.end() == 16


# Nothing in it: no Contact, or one that cannot be read.
@pytest.mark.parametrize("transport, contact", over_udp_and_some_over_tcp([[], ["<sip:>"], ["<sip:127.0.0.1:0>"], ["*"]], 2))
def test_a_redirect_to_nowhere(server, phone, transport, contact):
    registrar = server(transport, to_all_registers(redirected_to(*contact)))
    alice = phone(registrar, set="policy.patience=300ms")
    alice.wait_for("waiting")
    assert not registrar.happens(lambda: len(registrar.registers()) > 2, 1)
    assert alice.end() == 16
