"""What a 200 lists: bindings of others, none, ours rewritten, ours copied.

RFC 3261 §10.2.4, §10.3 step 8, §19.1.4 (which URIs are equal); rules B2, B4, B6, B8, I5, I6."""

import re

import pytest

from behaviours import TRANSPORTS, to_registers, well


def others(count):
    kinds = ("<sip:alice@192.0.2.{0}:5060>", "<sip:alice@192.0.2.{0};transport=tcp>", "<sip:bob@[2001:db8::{0}]>",
             "<sip:alice@192.0.2.{0};hf=another{0}>", "<tel:+4930{0}>", "<mailto:alice{0}@hostile.test>")
    return [kinds[i % len(kinds)].format(i) + f";expires={60 + i}" for i in range(count)]


def named(registrar):
    """Every URI that the phone's REGISTERs named."""
    return {uri for one in registrar.registers() for uri, _ in one.contacts()}


# B2, I6: the bindings of others are never named, and `Contact: *` is never sent.
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("count", [1, 30, 120])
def test_bindings_of_others_are_not_touched(server, phone, transport, count):
    foreign = {re.match(r"<(.*)>(.*)", one).group(1): re.match(r"<(.*)>(.*)", one).group(2) for one in others(count)}
    registrar = server(transport)
    registrar.bindings.update(foreign)
    alice = phone(registrar)
    alice.wait_for("registered")
    alice.register_now()
    alice.wait_for("refreshed")
    assert alice.end() == 0
    assert registrar.bindings == foreign
    assert not named(registrar) & set(foreign)
    assert "*" not in [one["contact"] for one in registrar.registers()]
    assert len(registrar.registers()) == 4


# B8: no Contact in the 200: registered, unconfirmed, for min(asked, 120 s); no new REGISTER because of it.
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("header, expected", [((), 120), (("Expires: 200",), 200)])
def test_a_200_without_contact(server, phone, transport, header, expected):
    registrar = server(transport, to_registers(
        lambda request, path: registrar.bind(request) or [registrar.ok(request, path, *header, contacts=[])]))
    alice = phone(registrar)
    event = alice.wait_for("registered")
    assert event["expires"] == expected
    assert "unconfirmed" in event["reason"]
    assert not registrar.happens(lambda: len(registrar.registers()) > 2, 1.5)
    assert alice.end() == 0
    assert registrar.bindings == {}


def rewritten(change):
    """The registrar stores our Contact as it likes, and lists it so."""

    def behave(request, path):
        server = path.server
        server.bind(request)
        return [server.ok(request, path, contacts=[f"<{change(uri)}>{parameters}"
                                                   for uri, parameters in server.bindings.items()])]

    return to_registers(behave)


REWRITES = {
    "host and port": lambda uri: re.sub(r"@[^;]+", "@192.0.2.77:1234", uri),
    "user": lambda uri: uri.replace("alice@", "a1b2c3@"),
    "no user": lambda uri: uri.replace("alice@", ""),
    "parameters added": lambda uri: uri + ";ob;alias=192.0.2.1~5060~1;x=%22",
    "upper case": lambda uri: uri.replace("sip:alice", "SIP:alice").replace(";hf=", ";HF="),
    "no parameters": lambda uri: uri.partition(";")[0],
    "a thousand characters more": lambda uri: uri + ";p=" + "x" * 1000,
    "all of it but the user": lambda uri: "sip:alice@registrar.hostile.test:5080;transport=udp",
}


# B8: ours by token, instance-id, URI, or as the only one with our user; a rewritten Contact is no reason to ask again.
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("how", REWRITES)
def test_a_contact_that_the_registrar_rewrote(server, phone, transport, how):
    registrar = server(transport, rewritten(REWRITES[how]))
    alice = phone(registrar)
    assert alice.wait_for("registered")["expires"] == 300
    assert not registrar.happens(lambda: len(registrar.registers()) > 2, 1.0)
    assert alice.count("refreshed", "binding_removed", "binding_debt") == 0
    assert alice.end() == 0
    assert registrar.bindings == {}


# B8: listed with expires=0, or not any more, again and again: one REGISTER for it, then unconfirmed.
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("spoil", ["expires=0", "missing"])
def test_our_contact_is_taken_away_again_and_again(server, phone, transport, spoil):
    def behave(request, path):
        registrar.bind(request)
        first = len(registrar.registers()) <= 2
        if spoil == "missing":
            return [registrar.ok(request, path, contacts=None if first else [])]
        return [registrar.ok(request, path, contacts=[f"<{uri}>;expires=0" for uri in registrar.bindings])]

    registrar = server(transport, to_registers(behave))
    alice = phone(registrar)
    alice.wait_for("registered")
    alice.register_now()
    alice.wait_for("refreshed")
    assert not registrar.happens(lambda: len(registrar.registers()) > 4, 2)
    assert len(registrar.registers()) == 4
    assert "unconfirmed" in alice.events("registered", "refreshed")[-1]["reason"]
    assert alice.end() == 0


# B2, I5: a registrar that invents old bindings of ours, new ones in each 200: each is removed 3 times at most, what
# we remember has a limit, and so has the number of REGISTERs.
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_ever_new_copies_of_our_contact(server, phone, transport):
    made = iter(range(10_000_000))

    def behave(request, path):
        uri = request.contacts()[0][0]
        copies = [re.sub(r"@[^;]+", f"@192.0.2.{next(made) % 250}:{1024 + next(made) % 60000}", uri) for _ in range(60)]
        registrar.bind(request)
        return [registrar.ok(request, path, contacts=[f"<{one}>;expires=300" for one in [uri, *copies]])]

    registrar = server(transport, to_registers(behave))
    alice = phone(registrar)
    alice.wait_for("registered")
    assert not registrar.happens(lambda: len(registrar.registers()) > 10, 4)
    assert max(len(one.contacts()) for one in registrar.registers()) <= 20
    assert max(len(one.encode()) for one in registrar.registers()) <= 4000
    assert alice.end() == 0


# I8: a 200 whose list of Contacts holds one that cannot be read: the others count, and ours is among them.
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("bad", ["<sip:bob smith@192.0.2.1>;expires=60", "<sip:bob@>;expires=1", "<>", "sip:", "<sip:bob@192.0.2.1",
                                 '"Bob <sip:bob@192.0.2.1>', "<sip:bob@192.0.2.1:99999>", "<sip:bob@192.0.2.1>;expires=;;=x",
                                 "\x01\x02", "<sip:bob@\u00fcber.test>"])
def test_an_unreadable_contact_of_another(server, phone, transport, bad):
    registrar = server(transport, to_registers(lambda request, path: [
        type(request)(one.start, [*one.headers, ("contact", bad)]) for one in [well(path, request)]]))
    alice = phone(registrar)
    assert alice.wait_for("registered")["expires"] == 300
    assert not registrar.happens(lambda: len(registrar.registers()) > 2, 0.7)
    assert alice.end() == 0
    assert registrar.bindings == {}
