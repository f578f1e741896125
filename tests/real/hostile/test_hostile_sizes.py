"""Gigantic answers, and lengths that lie. RFC 3261 §7.5, §18.3, §18.1.1, §20.14; rule I8 and the limits of src/sip/limits.h.

What is past a limit is not read: the phone says so and leaves the server at once (I8); what cannot be framed over TCP ends
the connection. It asks no more often than I5 allows, and does not grow."""

import pytest

from behaviours import TRANSPORTS, to_all_registers, to_registers, well
from loopback_phone import MOST_MEMORY


def with_body(message, size):
    return type(message)(message.start, [*message.headers, ("content-type", "text/plain")], b"x" * size)


def filled(message, total):
    """The same message, made exactly so long by its body."""
    base = len(with_body(message, 10_000).encode()) - 10_000
    return with_body(message, total - base)


# The longest datagram that there is.
def test_a_datagram_of_65507_octets(server, phone):
    registrar = server("udp", to_registers(lambda request, path: [filled(well(path, request), 65_507)]))
    alice = phone(registrar)
    alice.wait_for("registered")
    assert alice.end() == 0
    assert registrar.bindings == {}


# As many header fields, and as long ones, as are read; past it the attempt fails at once, and the limit is said (I8).
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("count, length, read", [(200, 20, True), (300, 20, False), (3000, 3, False), (30, 1000, True), (2, 20_000, False)])
def test_many_or_long_header_fields(server, phone, transport, count, length, read):
    def behave(request, path):
        good = well(path, request)
        return [type(good)(good.start, [*good.headers, *[(f"x-{i}", "y" * length) for i in range(count)]])]

    registrar = server(transport, to_registers(behave))
    alice = phone(registrar)
    if not read:
        assert "an answer past a limit was dropped" in alice.wait_for("notice")["reason"]
        assert "the answer is past a limit" in alice.wait_for("attempt_failed")["reason"]
    alice.wait_for("registered" if read else "waiting")
    assert not registrar.happens(lambda: len(registrar.registers()) > 10, 1)
    assert alice.count("registered") == (1 if read else 0)
    assert alice.end() == (0 if read else 16)


# Several megabytes as one message over TCP: the connection is closed at its Content-Length, nothing is kept.
@pytest.mark.parametrize("size", [70_000, 5_000_000])
def test_a_message_of_megabytes(server, phone, size):
    registrar = server("tcp", to_registers(lambda request, path: [with_body(well(path, request), size)]))
    alice = phone(registrar)
    alice.wait_for("flow_lost", "attempt_failed")
    alice.wait_for("waiting")
    assert not registrar.happens(lambda: len(registrar.registers()) > 10, 1.5)
    assert len(registrar.connects) <= 10
    assert alice.peak_memory() < MOST_MEMORY
    assert alice.end() == 16


# A header that never ends, as fast as TCP takes it.
def test_a_header_that_never_ends(server, phone):
    def behave(request, path):
        going = path.send(b"SIP/2.0 200 OK\r\nX: ")
        while going:  # until the phone has had enough
            going = path.send(b"y" * 65_536)
        return []

    registrar = server("tcp", to_registers(behave))
    alice = phone(registrar)
    alice.wait_for("waiting")
    assert not registrar.happens(lambda: len(registrar.registers()) > 10, 1.5)
    assert alice.peak_memory() < MOST_MEMORY
    assert alice.end() == 16


def lying(change):
    return to_registers(lambda request, path: [change(well(path, request).encode())])


def length(value):
    return lambda octets: octets.replace(b"Content-Length: 0", b"Content-Length: " + value)


# Content-Length says less, more, nothing, or two things: what cannot be framed ends the connection (RFC 3261 §18.3).
LIES = {
    "garbage": length(b"zero"), "negative": length(b"-1"), "gigantic": length(b"99999999999999999999"),
    "four gigabytes": length(b"4294967295"), "none": lambda octets: octets.replace(b"Content-Length: 0\r\n", b""),
    "two": lambda octets: octets.replace(b"Content-Length: 0", b"Content-Length: 0\r\nContent-Length: 7"),
    "two, one of them short": lambda octets: octets.replace(b"Content-Length: 0", b"l: 0\r\nContent-Length: 7"),
}


@pytest.mark.parametrize("what", LIES)
def test_a_content_length_that_cannot_be_read_over_tcp(server, phone, what):
    registrar = server("tcp", lying(LIES[what]))
    alice = phone(registrar)
    reason = alice.wait_for("flow_lost", "attempt_failed")["reason"]
    assert "not SIP" in reason or "the answer is past a limit: message too large" in reason  # I8: four gigabytes are past one
    alice.wait_for("waiting")
    assert not registrar.happens(lambda: len(registrar.registers()) > 10, 1.5)
    assert len(registrar.connects) <= 10
    assert alice.end() == 16


# More is promised than comes: silence (F3). Less than comes: the rest is the next message, and is none.
def test_a_content_length_that_promises_more(server, phone):
    registrar = server("tcp", lying(length(b"500")))
    alice = phone(registrar, set="policy.patience=300ms")
    assert "no answer" in alice.wait_for("attempt_failed")["reason"]
    alice.wait_for("waiting")
    assert alice.count("registered") == 0
    assert alice.end() in (16, 0)


def test_more_comes_than_content_length_promises(server, phone):
    registrar = server("tcp", lying(lambda octets: octets + b"this is not the beginning of a message\r\n\r\n"))
    alice = phone(registrar)
    alice.wait_for("registered")
    assert not registrar.happens(lambda: len(registrar.registers()) > 10, 1.5)
    assert len(registrar.connects) <= 10
    alice.end()


# RFC 3261 §18.3: over UDP a datagram shorter than its Content-Length is an error, a longer one is cut.
@pytest.mark.parametrize("value, read", [(b"500", False), (b"4294967295", False), (b"zero", False), (b"-1", False)])
def test_a_content_length_that_lies_over_udp(server, phone, value, read):
    registrar = server("udp", lying(length(value)))
    alice = phone(registrar, set="policy.patience=300ms")
    assert "an answer that cannot be read was dropped" in alice.wait_for("notice")["reason"]
    alice.wait_for("waiting")
    assert not registrar.happens(lambda: len(registrar.registers()) > 3, 1)
    assert alice.end() == 16


def test_a_datagram_longer_than_its_content_length(server, phone):
    registrar = server("udp", lying(lambda octets: octets + b"\x00garbage" * 50))
    alice = phone(registrar)
    alice.wait_for("registered")
    assert alice.end() == 0
    assert registrar.bindings == {}


# A challenge of all that a message may hold, as the first thing ever heard.
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_first_thing_heard_is_gigantic(server, phone, transport):
    registrar = server(transport, to_all_registers(lambda request, path: [b"\x01" * 60_000]))
    alice = phone(registrar, set="policy.patience=300ms")
    alice.wait_for("waiting")
    assert not registrar.happens(lambda: len(registrar.registers()) > 10, 1)
    assert alice.peak_memory() < MOST_MEMORY
    assert alice.end() == 16
