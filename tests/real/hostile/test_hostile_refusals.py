"""Refusals with wishes that cannot be met, and waits that cannot be meant.

RFC 3261 §10.2.8 (423), §8.1.3.5 (420), §20.33 (Retry-After), §21.4; RFC 5626 §11.6 (439), RFC 3329 (494); rules F5, S1, I5."""

import pytest

from behaviours import TRANSPORTS, over_udp_and_some_over_tcp, to_registers
from sip_peer import answer


def refused(status, *headers, reason="Refused"):
    return to_registers(lambda request, path: [answer(request, status, reason, *headers, source=path.peer)])


# F5: final refusals are told in the server's words and retried slowly: after 10 min, give or take a fifth.
@pytest.mark.parametrize("transport, status, headers", over_udp_and_some_over_tcp([
    (423, ("Min-Expires: 4294967295",)), (423, ("Min-Expires: 99999999999",)), (423, ("Min-Expires: -1",)), (423, ()),
    (423, ("Min-Expires: 300",)), (420, ()), (420, ("Unsupported: timetravel",)), (420, ("Unsupported: ,,;\"",)),
    (421, ("Require: timetravel",)), (421, ("Require: path, timetravel",)), (421, ()),
    (494, ("Security-Server: ipsec-3gpp;q=0.1",)), (404, ()), (405, ("Allow: INVITE",)), (482, ()), (483, ()), (416, ()),
    (600, ()), (603, ()), (699, ())], 4))
def test_a_final_refusal_is_told_and_retried_slowly(server, phone, transport, status, headers):
    registrar = server(transport, refused(status, *headers))
    alice = phone(registrar)
    event = alice.wait_for("refused")
    assert event["status"] == status
    assert f"{status} Refused from {registrar.target}" in event["reason"]
    assert 480 <= event["expires"] <= 720
    assert not registrar.happens(lambda: len(registrar.registers()) > 2, 0.7)
    assert alice.end() == 12


# 439: outbound is dropped, once; a registrar that says it again is refusing.
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_439_for_ever(server, phone, transport):
    registrar = server(transport, refused(439))
    alice = phone(registrar)
    assert alice.wait_for("refused")["status"] == 439
    assert not registrar.happens(lambda: len(registrar.registers()) > 3, 1)
    with_outbound = [one for one in registrar.registers() if "outbound" in one["supported"]]
    assert len(registrar.registers()) == 3 and len(with_outbound) == 2
    assert alice.end() == 12


# 423 that asks for a second more each time: 4 rounds, then it is a refusal.
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_min_expires_that_grows(server, phone, transport):
    registrar = server(transport, to_registers(
        lambda request, path: [answer(request, 423, "Too Brief", f"Min-Expires: {request.expires + 1}")]))
    alice = phone(registrar)
    assert alice.wait_for("refused")["status"] == 423
    assert not registrar.happens(lambda: len(registrar.registers()) > 6, 1)
    assert max(one.expires for one in registrar.registers()) <= 304
    assert alice.end() == 12


# 420 for one option after the other: each is dropped once, and never one that we do not have.
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_bad_extension_until_none_is_left(server, phone, transport):
    def behave(request, path):
        options = [one for one in request["supported"].replace(" ", "").split(",") if one]
        return [answer(request, 420, "Bad Extension", f"Unsupported: {(options or ['timetravel'])[0]}")]

    registrar = server(transport, to_registers(behave))
    alice = phone(registrar)
    assert alice.wait_for("refused")["status"] == 420
    assert not registrar.happens(lambda: len(registrar.registers()) > 6, 1)
    assert alice.end() == 12


# F5: Retry-After is obeyed as far as it can be meant: a day at most; garbage is not there; and 0 is no leave to hammer.
@pytest.mark.parametrize("transport, said, least, most", over_udp_and_some_over_tcp([
    ("120", 120, 144), ("4294967295", 86400, 86400 * 1.2), ("99999999999999", 300, 1000), ("-5", 300, 1000),
    ("soon", 300, 1000), ("Fri, 26 Sep 2036 12:00:00 GMT", 300, 1000), ("", 300, 1000), ("60 (lunch);duration=3600", 60, 72),
    ("0", 5, 6), ("1", 5, 6)], 4))
def test_retry_after_a_refusal(server, phone, transport, said, least, most):
    registrar = server(transport, refused(486, f"Retry-After: {said}"))
    alice = phone(registrar)
    assert least <= alice.wait_for("refused")["expires"] <= most
    assert not registrar.happens(lambda: len(registrar.registers()) > 2, 1.5)
    assert alice.end() == 12


# F5, S1: it bars the server for so long and up to a fifth more, and a second at most is drawn behind that; a shorter one
# leaves S1's first wait, half of 30 s to all of it.
@pytest.mark.parametrize("transport, said, least, most", over_udp_and_some_over_tcp([
    ("120", 120, 145), ("4294967295", 86400, 86400 * 1.2 + 1), ("20", 20, 30), ("-5", 15, 30), ("garbage", 15, 30), ("0", 15, 30),
    ("Fri, 26 Sep 2036 12:00:00 GMT", 15, 30)], 4))
def test_retry_after_a_503(server, phone, transport, said, least, most):
    registrar = server(transport, refused(503, f"Retry-After: {said}"))
    alice = phone(registrar)
    assert alice.wait_for("attempt_failed")["status"] == 503
    assert least <= alice.wait_for("waiting")["expires"] <= most
    assert not registrar.happens(lambda: len(registrar.registers()) > 3, 1.5)
    assert alice.end() == 16


# RFC 4475 §3.1.2.19: a status code that is none is no answer at all; S1's rate, no loop.
@pytest.mark.parametrize("transport, start", over_udp_and_some_over_tcp(["SIP/2.0 700 Too Much", "SIP/2.0 4294967301 OK", "SIP/2.0 099 Less", "SIP/2.0 20 OK",
                                   "SIP/2.0 -200 OK", "SIP/3.0 200 OK", "HTTP/1.1 200 OK", "SIP/2.0 200", "SIP/2.0  200 OK", ""], 4))
def test_a_status_line_that_is_none(server, phone, transport, start):
    def behave(request, path):
        good = registrar.good(request, path)[0]
        return [type(good)(start, good.headers)]

    registrar = server(transport, to_registers(behave))
    alice = phone(registrar, set="policy.patience=300ms")
    alice.wait_for("waiting", "registered")
    assert not registrar.happens(lambda: len(registrar.registers()) > 3, 1)
    assert alice.count("registered") == (1 if start == "SIP/2.0 200" else 0)
    assert alice.end() == (0 if start == "SIP/2.0 200" else 16)


# A 200 that requires what we do not know: it is an answer all the same (RFC 3261 §20.32 is about requests).
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_200_that_requires_the_unknown(server, phone, transport):
    registrar = server(transport, to_registers(
        lambda request, path: registrar.bind(request) or [registrar.ok(request, path, "Require: timetravel, 100rel")]))
    alice = phone(registrar)
    alice.wait_for("registered")
    assert alice.end() == 0
    assert registrar.bindings == {}
