"""Answers that come late, twice, out of order, from elsewhere, or to another's request.

RFC 3261 §17.1.3 (matching), §17.1.2.2 (copies are absorbed), §8.2.6.2 (what an answer copies), §18.2.2 and RFC 3581 §4
(where an answer comes from); rules F3, F5, N1."""

import re

import pytest

from behaviours import TRANSPORTS, over_udp_and_some_over_tcp, to_all_registers, to_registers, well
from sip_peer import answer

# Where the registrar must answer the first REGISTER in time, and be silent to the next: time enough on a busy host.
SHORT = "2s"


# The measure of all others: one challenge, one binding, none left behind (B4).
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_good_registrar_is_left_clean(server, phone, transport):
    registrar = server(transport)
    alice = phone(registrar)
    alice.wait_for("registered")
    assert len(registrar.registers()) == 2
    assert len(registrar.bindings) == 1
    assert alice.end() == 0
    assert registrar.bindings == {}
    assert alice.events()[-2]["event"] == "unregistered"


# F3, S1: after patience the phone says so; the late answer counts all the same, and nothing is asked twice.
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_late_answer_counts(server, phone, transport):
    kept = []

    def keep(request, path):
        if len(registrar.registers()) > 2:
            return None
        kept.append((path, well(path, request)))
        return []

    registrar = server(transport, to_registers(keep))
    alice = phone(registrar, set=f"policy.patience={SHORT}")
    assert "no answer" in alice.wait_for("attempt_failed")["reason"]
    alice.wait_for("waiting")
    assert alice.count("registered") == 0
    path, late = kept[0]
    path.send(late)
    alice.wait_for("registered")
    assert len(registrar.registers()) == 2
    assert alice.end() == 0
    assert registrar.bindings == {}


# F3: the late answer of a server that was left makes the phone REGISTER once more where it is now.
def test_a_late_answer_of_a_server_that_was_left(server, phone):
    kept = []
    first = server("udp", to_registers(lambda request, path: kept.append((path, well(path, request))) or []))
    second = server("udp")
    alice = phone(first, backup=second.uri, set=f"policy.patience={SHORT}")
    assert alice.wait_for("registered")["target"] == second.target
    before = len(second.registers())
    path, late = kept[0]
    path.send(late)
    second.wait_for(lambda: len(second.registers()) > before, 10, "REGISTER once more")
    assert "abandoned" in alice.wait_for("attempt", where=lambda e: "abandoned" in e["reason"])["reason"]
    assert alice.count("moved") == 0
    assert alice.events("refreshed", "registered")[-1]["target"] == second.target
    assert len(second.registers()) <= before + 2
    assert alice.end() == 0
    assert second.bindings == {}


# RFC 3261 §17.1.2.2: copies of a final answer are absorbed in Completed.
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("copies", [2, 20])
def test_every_answer_many_times(server, phone, transport, copies):
    registrar = server(transport, to_all_registers(lambda request, path: [well(path, request)] * copies))
    alice = phone(registrar)
    alice.wait_for("registered")
    assert not registrar.happens(lambda: len(registrar.registers()) > 2, 1.0)
    assert alice.count("registered") == 1
    assert alice.count("refreshed", "auth_failed", "refused") == 0
    assert alice.end() == 0
    assert registrar.bindings == {}


# RFC 3261 §17.1.2: a provisional after the final answer says nothing, nor does a second final answer (F5).
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("second", [100, 183, 401, 403, 503, 302])
def test_what_comes_behind_the_200_says_nothing(server, phone, transport, second):
    registrar = server(transport, to_registers(lambda request, path: [
        well(path, request),
        answer(request, second, "Too Late", 'WWW-Authenticate: Digest realm="hostile.test",nonce="other"',
               f"Contact: <sip:127.0.0.1:9;transport={transport}>")]))
    alice = phone(registrar)
    alice.wait_for("registered")
    assert not registrar.happens(lambda: len(registrar.registers()) > 2, 0.7)
    assert alice.count("attempt_failed", "refused", "auth_failed") == 0
    assert alice.end() == 0


# F5: of several final answers the first counts, also if it is the worse one.
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_200_behind_a_404_says_nothing(server, phone, transport):
    registrar = server(transport, to_registers(
        lambda request, path: [answer(request, 404, "Not Found"), well(path, request)]))
    alice = phone(registrar)
    assert alice.wait_for("refused")["status"] == 404
    assert not registrar.happens(lambda: len(registrar.registers()) > 2, 0.7)
    assert alice.count("registered") == 0
    assert alice.end() == 12


# N1, RFC 3581 §4: an answer comes from where the request went. From elsewhere it is nobody's.
@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2"])
def test_an_answer_from_another_port_or_address_is_none(server, phone, address):
    def from_elsewhere(request, path):
        other.sendto(well(path, request).encode(), path.peer)
        return [answer(request, 404, "Not Found")] if request.authorized else None

    registrar = server("udp", to_all_registers(from_elsewhere))
    other = registrar.another_socket(address)
    alice = phone(registrar)
    assert alice.wait_for("refused")["status"] == 404
    assert alice.count("registered") == 0
    assert alice.end() == 12


# The same, when nothing comes from the right place: silence, said as such, and asked no more often than S1 allows.
def test_answers_from_another_port_only_are_silence(server, phone):
    def from_elsewhere(request, path):
        other.sendto(well(path, request).encode(), path.peer)
        return []

    registrar = server("udp", from_elsewhere)
    other = registrar.another_socket()
    alice = phone(registrar, set="policy.patience=300ms")
    alice.wait_for("waiting")
    assert not registrar.happens(lambda: len(registrar.registers()) > 2, 2)
    assert alice.count("registered") == 0
    assert alice.end() == 16


def changed(name, change):
    return lambda message: message.with_header(name, change(message[name]))


# RFC 3261 §17.1.3: branch and CSeq method; §8.2.6.2: Call-ID and CSeq are the request's, or it is another's.
NOT_OURS = {
    "branch": changed("via", lambda via: re.sub(r"branch=z9hG4bK\w{4}", "branch=z9hG4bK0000", via)),
    "no branch": changed("via", lambda via: re.sub(r";branch=[^;]+", "", via)),
    "CSeq number below": changed("cseq", lambda cseq: f"{int(cseq.split()[0]) - 1} REGISTER"),
    "CSeq number above": changed("cseq", lambda cseq: f"{int(cseq.split()[0]) + 1} REGISTER"),
    "CSeq method": changed("cseq", lambda cseq: cseq.replace("REGISTER", "OPTIONS")),
    "CSeq garbage": changed("cseq", lambda cseq: "eleven REGISTER"),
    "Call-ID": changed("call-id", lambda call_id: "another" + call_id),
    "another's REGISTER": lambda message: message.with_header("from", "<sip:bob@hostile.test>;tag=b")
    .with_header("to", "<sip:bob@hostile.test>;tag=bb").with_header("call-id", "of-bob").with_header("cseq", "7 REGISTER")
    .with_header("contact", "<sip:bob@192.0.2.99>;expires=3600"),
    "two Vias": lambda message: type(message)(
        message.start, [*message.headers, ("via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx")]),
}


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("wrong", NOT_OURS)
def test_a_200_that_is_not_to_our_request_registers_nobody(server, phone, transport, wrong):
    registrar = server(transport, to_registers(
        lambda request, path: [NOT_OURS[wrong](well(path, request)), answer(request, 404, "Not Found")]))
    alice = phone(registrar)
    assert alice.wait_for("refused")["status"] == 404
    assert alice.count("registered") == 0
    assert len(registrar.registers()) == 2
    assert alice.end() == 12


# The other way round: what is not ours refuses nobody.
@pytest.mark.parametrize("transport, wrong", over_udp_and_some_over_tcp(NOT_OURS, 5))
def test_a_403_that_is_not_to_our_request_refuses_nobody(server, phone, transport, wrong):
    registrar = server(transport, to_registers(
        lambda request, path: [NOT_OURS[wrong](answer(request, 403, "Forbidden")), well(path, request)]))
    alice = phone(registrar)
    alice.wait_for("registered")
    assert alice.count("refused", "auth_failed") == 0
    assert alice.end() == 0


# RFC 3261 §17.1.3 asks for no tag: with branch, Call-ID and CSeq it is ours, whatever became of From on its way.
def test_an_altered_from_tag_alone_is_forgiven(server, phone):
    registrar = server("udp", to_registers(lambda request, path: [
        well(path, request).with_header("from", "<sip:alice@hostile.test>;tag=another")]))
    alice = phone(registrar)
    alice.wait_for("registered")
    assert alice.end() == 0
    assert registrar.bindings == {}


# F3: a 1xx extends patience once, to 4 s; for ever it is silence, and the phone says so.
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_provisional_answer_for_ever(server, phone, transport):
    registrar = server(transport, to_registers(lambda request, path: [answer(request, 100, "Trying")] * 3))
    alice = phone(registrar, set=f"policy.patience={SHORT}")
    started = alice.wait_for("attempt")["t"]
    waiting = alice.wait_for("waiting", limit=20)
    assert 3.9 <= waiting["t"] - started <= 5.5
    assert len(registrar.registers()) == 2
    assert alice.count("registered") == 0
    assert alice.end() == 16


# … and a server behind it is not kept from us by that.
def test_a_provisional_answer_for_ever_with_a_backup(server, phone):
    first = server("udp", to_registers(lambda request, path: [answer(request, 183, "Queued")]))
    second = server("udp")
    alice = phone(first, backup=second.uri, set=f"policy.patience={SHORT}")
    started = alice.wait_for("attempt")["t"]
    asked = alice.wait_for("attempt", limit=20, where=lambda event: event["target"] == second.target)
    assert asked["t"] - started <= 5.5, "4 s, and what the first server took for its challenge"
    assert alice.wait_for("registered")["target"] == second.target
    assert alice.end() == 0
    assert second.bindings == {}
