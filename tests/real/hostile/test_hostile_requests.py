"""A registrar that sends requests on our flow: floods of them, and such as mean harm.

RFC 3261 §8.2, §12.2.2, §17.2; RFC 3261 §26 and rules "Accepted are requests" of docs/registration.md, I8."""

import secrets
import threading

import pytest

from behaviours import AOR, TRANSPORTS, to_registers
from loopback_phone import MOST_MEMORY
from network import wait_until
from sip_peer import Message, answer, request

FLOOD = 3000


def flooding(make, count=FLOOD, sent=None):
    """After the 200 that registers: so many requests, as fast as they go out. Answers are read only when all are `sent`, an Event."""

    def behave(message, path):
        server = path.server
        for one in server.good(message, path):
            path.send(one)
        if message.expires:
            contact = message.contacts()[0][0]
            for number in range(count):
                path.send(make(server, contact, number))
            if sent:
                sent.set()
        return []

    return to_registers(behave)


SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
# What a request of a kind is answered with; garbage has neither Call-ID nor CSeq, and nothing to answer to.
ANSWERED = {"OPTIONS": {200}, "INVITE": {180, 486}, "NOTIFY": {200}, "BYE": {481}, "CANCEL": {481}, "unknown methods": {501},
            "garbage": set()}
TRANSACTIONS_MOST, RINGING_MOST = 1024, 64  # src/engine/limits.h
FLOODS = {
    "OPTIONS": lambda server, to, i: request("OPTIONS", to, AOR, server.via),
    "INVITE": lambda server, to, i: request("INVITE", to, f"sip:mallory{i}@hostile.test", server.via,
                                            "Content-Type: application/sdp", body=SDP),
    "NOTIFY": lambda server, to, i: request("NOTIFY", to, AOR, server.via, "Event: message-summary",
                                            "Content-Type: application/simple-message-summary",
                                            body=b"Messages-Waiting: yes\r\nVoice-Message: 1/0\r\n"),
    "BYE": lambda server, to, i: request("BYE", to, AOR, server.via, f"To: <{to}>;tag={i}"),
    "CANCEL": lambda server, to, i: request("CANCEL", to, AOR, server.via),
    "unknown methods": lambda server, to, i: request(f"METHOD{i}", to, AOR, server.via),
    "garbage": lambda server, to, i: Message(f"INVITE {to} SIP/2.0", [("via", f"SIP/2.0/{server.via}"), ("x", str(i))]),
}


# The phone stays registered, answers what there is room for, and ends within 2 s when asked, in the middle of it (B4).
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("what", FLOODS)
def test_a_flood_of_requests(server, phone, transport, what):
    sent = threading.Event()
    registrar = server(transport, flooding(FLOODS[what], sent=sent))
    alice = phone(registrar)
    alice.wait_for("registered")
    ringing = RINGING_MOST if what == "INVITE" else 0

    def answered():
        return [one for one in registrar.requests() if one.status]

    assert sent.wait(30), "the flood is out: over TCP the phone has read all but the last of it"
    registrar.wait_for(lambda: {one.status for one in answered()} >= ANSWERED[what], 30, "an answer of each kind")
    wait_until(lambda: alice.count("ring") >= ringing, 30, "it rings as often as it may")
    registrar.happens(lambda: False, 1)  # for what must not come
    assert alice.count("unregistered", "refused") == 0
    assert len(registrar.registers()) <= 4
    # Over UDP many of the flood, and of the answers, are lost in the sockets' buffers.
    answers = answered()
    assert {one.status for one in answers} == ANSWERED[what]
    if transport == "udp" or what == "INVITE":  # else a transaction ends with its answer (RFC 3261 §17.2.2, timer J)
        assert len({one.branch for one in answers}) <= TRANSACTIONS_MOST
    rings = len({one.branch for one in answers if one.status == 180})
    assert rings <= alice.count("ring") == ringing
    assert alice.peak_memory() < MOST_MEMORY
    assert alice.end() in (0, 17)


# A flood that goes on while the phone is asked to end: timers and signals have their turn all the same.
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("what", ["OPTIONS", "INVITE", "answers", "empty lines"])
def test_a_flood_that_does_not_end(server, phone, transport, what):
    over = threading.Event()

    def flood(octets, path):
        while not over.is_set() and path.send(octets):
            pass

    def behave(message, path):
        good = registrar.good(message, path)
        if message.expires and message.authorized:
            contact = message.contacts()[0][0]
            octets = {"answers": answer(message, 100, "Trying").encode() * (1 if transport == "udp" else 20),
                      "empty lines": b"\r\n" * 500}.get(what) or FLOODS[what](registrar, contact, 0).encode()
            path.send(good[0])
            threading.Thread(target=flood, args=(octets, path), daemon=True).start()
            return []
        return good

    registrar = server(transport, behave)
    alice = phone(registrar)
    try:
        alice.wait_for("registered")
        registrar.happens(lambda: False, 1)
        assert alice.is_running() and alice.peak_memory() < MOST_MEMORY
        assert alice.end() in (0, 17)
    finally:
        over.set()


# NOTIFY check-sync makes the phone REGISTER; a flood of it makes it no storm (I5).
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_flood_of_check_sync(server, phone, transport):
    registrar = server(transport, flooding(
        lambda server, to, i: request("NOTIFY", to, AOR, server.via, "Event: check-sync"), 50))
    alice = phone(registrar)
    alice.wait_for("registered")
    registrar.wait_for(lambda: len(registrar.registers()) >= 3, 10, "a REGISTER that check-sync asks for")
    assert not registrar.happens(lambda: len(registrar.registers()) > 10, 3)
    alice.end()


# Requests that are each a trap: answered or not, nothing follows from them.
TRAPS = {
    "Via to a third party": ("OPTIONS", ["Via: SIP/2.0/UDP THIRD;branch=z9hG4bKtrap"]),
    "Via to a third party that it says it came from": ("OPTIONS", ["Via: SIP/2.0/UDP THIRD;received=127.0.0.9;branch=z9hG4bKtrap"]),
    "a hundred Vias": ("OPTIONS", ["Via: " + ",".join(f"SIP/2.0/UDP 192.0.2.{i};branch=z9hG4bK{i}" for i in range(100))]),
    "Max-Forwards 0": ("OPTIONS", ["Max-Forwards: 0"]),
    "Require": ("INVITE", ["Require: timetravel"]),
    "Replaces": ("INVITE", ["Replaces: x;to-tag=y;from-tag=z"]),
    "REFER": ("REFER", ["Refer-To: <sip:mallory@elsewhere.test>"]),
    "REGISTER to us": ("REGISTER", ["Expires: 0", "Contact: *"]),
    "a bomb of a body": ("MESSAGE", ["Content-Type: multipart/mixed;boundary=x"]),
    "escape sequences": ("INVITE", ['From: "\x1b[2J\u202e" <sip:%1b%5b@hostile.test>;tag=x']),
    "CSeq of another method": ("OPTIONS", ["CSeq: 1 INVITE"]),
    "no From": ("OPTIONS", ["From: "]),
    "ACK alone": ("ACK", []),
    "a date of Call-ID": ("OPTIONS", ["Call-ID: " + "x" * 5000]),
}


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("what", TRAPS)
def test_a_request_that_is_a_trap(server, phone, transport, what):
    third = server("udp", address="127.0.0.9")
    method, headers = TRAPS[what]
    headers = [line.replace("THIRD", f"{third.address}:{third.port}") for line in headers]
    registrar = server(transport, flooding(
        lambda server, to, i: request(method, to, AOR, server.via, *headers, branch=f"z9hG4bK{secrets.token_hex(6)}"), 3))
    alice = phone(registrar)
    alice.wait_for("registered")
    assert not registrar.happens(lambda: len(registrar.registers()) > 2, 0.7)
    assert not third.requests(), "an answer goes where the request came from (RFC 3261 §18.2.2)"
    assert alice.count("unregistered", "refused", "suspect") == 0
    assert alice.end() == 0
    assert registrar.bindings == {}
