"""Answers to two requests that are outstanding at once, in another order than that of the requests.

RFC 3261 §17.1.3 (each answer to its own request), §10.2 and §10.2.8; RFC 3581 §4; rules R1, B4, I4. On one connection
and on one port there is nothing but branch and CSeq to tell them apart by."""

import signal

import pytest

from behaviours import TRANSPORTS, well
from loopback_phone import ENDS_WITHIN
from sip_peer import answer


class Crossing:
    """A good registrar that does what it is asked at once, but keeps the answers to some requests until the test sends
    them, in an order of its own."""

    def __init__(self, keeps):
        self._keeps = keeps
        self._held = []

    def __call__(self, request, path):
        if not self._keeps(request):
            return None
        if all(request.branch != one.branch for one in self.requests()):  # a copy gets its answer with the first
            self._held.append((request, path, well(path, request)))
        return []

    def requests(self):
        return [request for request, _, _ in self._held]

    def give(self, number, other=None):
        """The answer to the request that was kept as this one, or what `other` makes of (request, path)."""
        request, path, good = self._held[number]
        path.send(other(request, path) if other else good)


def refreshes(request):
    """A REGISTER that comes with credentials and takes nothing away, once the first binding is there."""
    return request.method == "REGISTER" and request.authorized and request.expires > 0


def proofs(request):
    return request.method == "OPTIONS"


def with_both_outstanding(server, phone, transport):
    """Registered; the proof's OPTIONS has no answer, nor has the refresh behind it."""
    crossing = Crossing(lambda request: proofs(request) or (refreshes(request) and bool(crossing.requests())))
    registrar = server(transport, crossing)
    alice = phone(registrar)
    alice.wait_for("registered")
    registrar.wait_for(crossing.requests, 5, "the proof's OPTIONS (R1)")
    alice.register_now()
    registrar.wait_for(lambda: len(crossing.requests()) == 2, 5, "the refresh, while OPTIONS is outstanding")
    assert [request.method for request in crossing.requests()] == ["OPTIONS", "REGISTER"]
    assert alice.count("refreshed") == 0
    return crossing, registrar, alice


def is_asked_no_more(registrar):
    """The answer to OPTIONS has been taken: no copy comes (Timer E: at most every 0.5 s, 1 s, 2 s)."""
    copies = len(registrar.requests("OPTIONS"))
    return not registrar.happens(lambda: len(registrar.requests("OPTIONS")) > copies, 1.2)


def is_refreshed_once(registrar, alice):
    """One refresh, nothing asked again or twice, and one binding to leave (B4)."""
    assert "unconfirmed" not in alice.wait_for("refreshed")["reason"]
    assert not registrar.happens(lambda: len(registrar.registers()) > 3, 0.7)
    assert alice.count("registered") == alice.count("refreshed") == 1
    assert alice.count("attempt_failed", "refused", "auth_failed", "waiting", "moved") == 0
    assert alice.end() == 0
    assert registrar.bindings == {}


# R1: the proof's OPTIONS is out first, the refresh behind it; the refresh is answered first.
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_refresh_is_answered_before_the_proof_that_went_first(server, phone, transport):
    crossing, registrar, alice = with_both_outstanding(server, phone, transport)
    crossing.give(1)
    alice.wait_for("refreshed")
    crossing.give(0)
    assert is_asked_no_more(registrar)
    is_refreshed_once(registrar, alice)


# The reverse: the proof is challenged, so that its next OPTIONS goes out behind the refresh, and is answered before it.
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_proof_is_answered_before_a_refresh_that_went_first(server, phone, transport):
    crossing, registrar, alice = with_both_outstanding(server, phone, transport)
    crossing.give(0, registrar.challenge)
    registrar.wait_for(lambda: len(crossing.requests()) == 3, 5, "the OPTIONS with credentials")
    assert crossing.requests()[2].method == "OPTIONS"
    crossing.give(2)
    assert is_asked_no_more(registrar)
    assert alice.count("refreshed") == 0, "the answer to OPTIONS is none to REGISTER"
    crossing.give(1)
    is_refreshed_once(registrar, alice)


# R1: 404 to the proof, while the refresh has no answer yet, refuses no refresh.
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_refused_proof_refuses_no_refresh(server, phone, transport):
    crossing, registrar, alice = with_both_outstanding(server, phone, transport)
    crossing.give(0, lambda request, path: answer(request, 404, "Not Found", source=path.peer))
    assert is_asked_no_more(registrar)
    crossing.give(1)
    is_refreshed_once(registrar, alice)


# B4, I4: at the end the removal goes out behind a refresh that has no answer yet, with the next CSeq. The removal is answered
# first (with 401 too: then once more); the refresh's 200 behind it registers nobody, and the binding is gone.
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("challenged", [False, True])
def test_a_refresh_is_answered_behind_the_unregister(server, phone, transport, challenged):
    crossing = Crossing(lambda request: request.method == "REGISTER" and len(registrar.registers()) > 2)
    registrar = server(transport, crossing)
    alice = phone(registrar)
    alice.wait_for("registered")
    alice.register_now()
    registrar.wait_for(crossing.requests, 5, "the refresh")
    alice.signal(signal.SIGTERM)
    registrar.wait_for(lambda: len(crossing.requests()) == 2, 10, "the un-REGISTER, while the refresh is outstanding")
    if challenged:
        crossing.give(1, registrar.challenge)
        registrar.wait_for(lambda: len(crossing.requests()) == 3, 10, "the un-REGISTER with the new nonce")
        crossing.give(0)
        crossing.give(2)
    else:
        crossing.give(1)
        crossing.give(0)
    assert alice.wait_for_exit(ENDS_WITHIN) == 0
    assert alice.count("registered") == 1 and alice.count("refreshed") == 0
    assert alice.events("unregistered")[-1]["reason"] == "un-registered on exit"
    assert [one.expires for one in crossing.requests()] == [300] + [0] * (len(crossing.requests()) - 1)
    assert [one.cseq for one in crossing.requests()] == sorted({one.cseq for one in crossing.requests()})
    assert registrar.bindings == {}
