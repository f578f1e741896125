"""Words and bytes that were made to hurt whoever reads them. RFC 3261 §7.2, §25.1; rule I8; docs/events.md.

The fixture holds every line of --json to strict UTF-8 and JSON; here the words for people are looked at too."""

import pytest

from behaviours import TRANSPORTS, over_udp_and_some_over_tcp, to_registers, well
from sip_peer import answer

PHRASES = {
    "escape sequence": b"\x1b[2J\x1b]0;owned\x07 Forbidden",
    "no UTF-8": b"Nicht \xff\xfe\xc0\x80 gefunden",
    "UTF-8": "Niñcht gefünden €".encode(),
    "NUL": b"Not\x00 Found",
    "other control characters": b"Not\x08\x7f\x0b Found",
    "C1 control characters": b"Not \xc2\x9b2J Found",
    "bidirectional": "Not \u202eFound\u2066".encode(),
    "quotes and backslashes": b'Not "Found\\", {"event":"registered"}',
    "carriage return alone": b"Not\rFound",
    "line feed alone": b"Not\nFound: x",
    "empty": b"",
    "long": b"Not Found " * 2000,
}


def saying(phrase, status=404):
    def behave(request, path):
        octets = answer(request, status, "PHRASE", source=path.peer).encode()
        return [octets.replace(b"PHRASE", phrase)]

    return to_registers(behave)


# What the server says is shown, escaped; or it cannot be read, and is silence. It never becomes a second event or line.
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("what", PHRASES)
def test_a_reason_phrase_as_json(server, phone, transport, what):
    registrar = server(transport, saying(PHRASES[what]))
    alice = phone(registrar, set="policy.patience=300ms")
    event = alice.wait_for("refused", "waiting", "attempt_failed")
    assert not alice.count("registered")
    if event["event"] == "refused":
        assert event["reason"].startswith("404 ")
    assert not any(ord(sign) < 32 for one in alice.events() for sign in one["event"])
    assert alice.end() in (12, 16)


@pytest.mark.parametrize("transport, what", over_udp_and_some_over_tcp(PHRASES, 12))
def test_a_reason_phrase_in_words(server, phone, transport, what):
    registrar = server(transport, saying(PHRASES[what]))
    alice = phone(registrar, json_lines=False, set="policy.patience=300ms")
    alice.wait_for_output(b"rying again")
    assert alice.end() in (12, 16)
    text = alice.output.decode("utf-8", "strict")
    assert not [sign for sign in text if (ord(sign) < 32 and sign != "\n") or 127 <= ord(sign) < 160], text
    assert not [sign for sign in text if sign in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"], text
    assert len(text.splitlines()) <= 14


# Warning and Reason are said too; they are no better.
@pytest.mark.parametrize("transport, name", over_udp_and_some_over_tcp(
    ["Warning", "Reason", "Server", "Date", "X-\u00fc", "P-Asserted-Identity"], 6))
def test_other_headers_of_a_refusal(server, phone, transport, name):
    registrar = server(transport, to_registers(
        lambda request, path: [answer(request, 404, "Not Found", f"{name}: 399 \x1b[31m\u202e \udcff\udcfe", source=path.peer)]))
    alice = phone(registrar, set="policy.patience=300ms")
    alice.wait_for("refused", "waiting")
    assert alice.end() in (12, 16)


# A body that we did not ask for says nothing, whatever is in it (RFC 3261 §20.15: Content-Length is right).
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("body", [b"\x00" * 1000, b"\xff\xfe\x80" * 300, b"\r\n\r\nSIP/2.0 403 Forbidden\r\n\r\n",
                                  b"SIP/2.0 403 Forbidden\r\nVia: x\r\n\r\n"], ids=["NUL", "no UTF-8", "lines", "an answer"])
def test_a_200_with_a_body(server, phone, transport, body):
    def behave(request, path):
        good = well(path, request)
        return [type(good)(good.start, [*good.headers, ("content-type", "application/x-\u00fc")], body)]

    registrar = server(transport, to_registers(behave))
    alice = phone(registrar)
    alice.wait_for("registered")
    assert not registrar.happens(lambda: len(registrar.registers()) > 2, 0.5)
    assert alice.end() == 0
    assert registrar.bindings == {}


# Datagrams that are nothing at all.
def test_garbage_between_the_answers(server, phone):
    garbage = [b"\x00", b"\r\n\r\n", b"\x00\x01\x00\x00", b"\xff" * 1400, b"SIP/2.0", b"SIP/2.0 200 OK\r\n", b"\x80\x00" * 100,
               b"SIP/2.0 200 OK\r\n\r\n", b"REGISTER", b": :\r\n\r\n", b"\x00\x01\x00\x08!\x12\xa4B" + b"\x00" * 12 + b"\x00\x01\xff\xff"]

    def behave(request, path):
        good = registrar.good(request, path)
        return [*garbage, *good, *garbage]

    registrar = server("udp", behave)
    alice = phone(registrar)
    alice.wait_for("registered")
    assert not registrar.happens(lambda: len(registrar.registers()) > 2, 0.7)
    assert alice.end() == 0
    assert registrar.bindings == {}
