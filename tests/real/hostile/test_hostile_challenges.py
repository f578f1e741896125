"""Challenges that cannot be met, or never end. RFC 3261 §22, RFC 7616 §3.3, RFC 8760 §2.4; rules F5, L9, I8."""

import re
import secrets

import pytest

from behaviours import TRANSPORTS, over_udp_and_some_over_tcp, to_all_registers
from sip_peer import answer


def digest(nonce=None, realm="hostile.test", more=""):
    return f'WWW-Authenticate: Digest realm="{realm}",nonce="{nonce or secrets.token_hex(8)}"{more}'


def challenged_by(*lines, status=401):
    return to_all_registers(lambda request, path: [
        answer(request, status, "Unauthorized", *[line() if callable(line) else line for line in lines], source=path.peer)])


# F5: a new nonce with every refusal. Two refusals of answers to fresh nonces: the password is wrong, and it stops.
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("status, name", [(401, "WWW-Authenticate"), (407, "Proxy-Authenticate")])
def test_a_nonce_that_changes_with_every_answer(server, phone, transport, status, name):
    registrar = server(transport, challenged_by(lambda: digest().replace("WWW-Authenticate", name), status=status))
    alice = phone(registrar)
    assert "wrong" in alice.wait_for("auth_failed")["reason"]
    assert alice.wait_for_exit(5) == 11
    assert len(registrar.registers()) == 3
    assert alice.count("registered") == 0


# F5: stale says that the password is right; for ever it does not help: at most 4 rounds, then S1.
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_stale_for_ever(server, phone, transport):
    registrar = server(transport, challenged_by(lambda: digest(more=",stale=true")))
    alice = phone(registrar)
    alice.wait_for("waiting")
    assert not registrar.happens(lambda: len(registrar.registers()) > 5, 1.5)
    assert len(registrar.registers()) == 5
    assert alice.count("auth_failed") == 0
    assert alice.end() == 16


# F5: another realm each time is another question each time: 4 rounds.
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_another_realm_with_every_answer(server, phone, transport):
    registrar = server(transport, challenged_by(lambda: digest(realm=secrets.token_hex(20))))
    alice = phone(registrar)
    alice.wait_for("waiting")
    assert not registrar.happens(lambda: len(registrar.registers()) > 5, 1.5)
    assert len(registrar.registers()) == 5
    assert alice.end() == 16


# F5, L9: a challenge that says nothing we could answer is told at once and retried slowly, not in a loop.
UNUSABLE = {
    "no header at all": [],
    "no realm": ['WWW-Authenticate: Digest nonce="abc"'],
    "no nonce": ['WWW-Authenticate: Digest realm="hostile.test"'],
    "unknown scheme": ['WWW-Authenticate: Basic realm="hostile.test"', 'WWW-Authenticate: Bearer scope="x"'],
    "unknown algorithm": [digest("n", more=",algorithm=MD7")],
    "algorithm garbage": [digest("n", more=',algorithm="MD5 or so"')],
    "qop of no kind we know": [digest("n", more=',qop="auth-conf"')],
    "empty qop list": [digest("n", more=',qop=" , , "')],
    "scheme alone": ["WWW-Authenticate: Digest"],
}


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("what", UNUSABLE)
def test_a_challenge_that_cannot_be_answered(server, phone, transport, what):
    registrar = server(transport, challenged_by(*UNUSABLE[what]))
    alice = phone(registrar)
    alice.wait_for("auth_failed")
    assert alice.wait_for("refused")["expires"] >= 300
    assert not registrar.happens(lambda: len(registrar.registers()) > 1, 1)
    assert not registrar.registers()[0].authorized
    assert alice.end() == 11


# RFC 8760 §2.4: of many challenges the first that we support is answered; one line for each realm at most.
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_twenty_challenges(server, phone, transport):
    def behave(request, path):
        if request.authorized:
            return None
        good = registrar.challenge(request, path)
        lines = [f'WWW-Authenticate: Digest realm="hostile.test",nonce="n{i}",algorithm=MD{7 + i}' for i in range(20)]
        extra = [tuple(line.split(": ", 1)) for line in lines]
        return [type(good)(good.start, [(n.lower(), v) for n, v in extra] + good.headers)]

    registrar = server(transport, to_all_registers(behave))
    alice = phone(registrar)
    alice.wait_for("registered")
    assert len(registrar.registers()) == 2
    assert len(registrar.registers()[1].all("authorization")) == 1
    assert alice.end() == 0
    assert registrar.bindings == {}


# I8: twenty realms at once, each answerable: no more than 8 are answered, and no less (realms_of_a_target_most).
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_twenty_realms_at_once(server, phone, transport):
    registrar = server(transport, challenged_by(*[digest(realm=f"realm{i}") for i in range(20)]))
    alice = phone(registrar)
    alice.wait_for("attempt_failed", "refused", "auth_failed")
    assert len(registrar.registers()) <= 5
    assert max(len(one.all("authorization")) for one in registrar.registers()) == 8
    alice.end() if alice.is_running() else alice.wait_for_exit(5)


# What is quoted in a challenge is quoted in the answer: nothing of it becomes a header or a parameter of ours.
@pytest.mark.parametrize("transport, inside", over_udp_and_some_over_tcp(
    [r'a\"b', r"back\\slash", "comma, and=equals", "<angle>; semi", "Ümläut €", "%0d%0aX: y"], 6))
def test_quotes_and_odd_signs_in_a_challenge(server, phone, transport, inside):
    registrar = server(transport, challenged_by(
        f'WWW-Authenticate: Digest realm="{inside}",nonce="{inside}",opaque="{inside}",algorithm=MD5,qop="auth"'))
    alice = phone(registrar)
    assert alice.wait_for_exit(5) == 11
    header = registrar.registers()[1]["authorization"]
    quoted = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', header)
    assert dict(quoted)["nonce"] == dict(quoted)["realm"] == dict(quoted)["opaque"] == inside
    assert [name for name, _ in registrar.registers()[1].headers].count("x") == 0


# I8: a challenge as long as a message may be; the answer to it fits into no datagram that we would send twice.
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("size", [8_000, 30_000])
def test_a_long_nonce(server, phone, transport, size):
    def behave(request, path):
        return None if request.authorized else [registrar.challenge(request, path, nonce="n" * size)]

    registrar = server(transport, to_all_registers(behave))
    alice = phone(registrar)
    alice.wait_for("registered")
    assert alice.end() == 0
    assert registrar.bindings == {}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_challenge_of_60_kilobytes(server, phone, transport):
    registrar = server(transport, challenged_by(digest("n" * 60_000)))
    alice = phone(registrar, set="policy.patience=300ms")
    alice.wait_for("waiting")
    assert not registrar.happens(lambda: len(registrar.registers()) > 3, 1.5)
    assert alice.count("registered") == 0
    assert alice.end() == 16


# L9; RFC 7616 §3.4, §3.4.6, §5.12: each use of a nonce is counted, and has a cnonce of its own that nobody guesses (96 bits).
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_cnonce_for_every_use(server, phone, transport):
    registrar = server(transport)
    alice = phone(registrar)
    alice.wait_for("registered")
    registrar.wait_for(lambda: registrar.requests("OPTIONS"), 5, "the proof's OPTIONS (R1)")
    assert alice.end() == 0
    uses = [dict(re.findall(r'(\w+)="?([^",]*)', one["authorization"])) for one in registrar.requests() if one.authorized]
    assert len(uses) >= 2
    assert {int(use["nc"], 16) for use in uses} == {*range(1, len({use["nc"] for use in uses}) + 1)}
    assert len({use["nonce"] for use in uses}) == 1
    # A request that is sent again has the cnonce of its first copy (RFC 3261 §17.1.2.2).
    assert len({use["cnonce"] for use in uses}) == len({use["nc"] for use in uses})
    assert min(len(use["cnonce"]) for use in uses) >= 20


# RFC 7616 §4: names and passwords beyond ASCII are hashed as UTF-8, whether the challenge names that charset or not.
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("charset", ["", ",charset=UTF-8", ',charset="UTF-8"'])
def test_a_password_beyond_ascii(server, phone, transport, charset):
    def behave(request, path):
        if registrar.digest_is_right(request):
            return None
        asked = registrar.challenge(request, path)
        return [type(asked)(asked.start, [(n, v + charset if n == "www-authenticate" else v) for n, v in asked.headers])]

    registrar = server(transport, to_all_registers(behave))
    registrar.password = "pässwörd €"
    alice = phone(registrar, password="pässwörd €")
    alice.wait_for("registered")
    assert alice.end() == 0
    assert registrar.bindings == {}


# B4: on exit the un-REGISTER is challenged for ever: two seconds, then it ends and says that it is not sure.
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_unregister_is_challenged_for_ever(server, phone, transport):
    registrar = server(transport, to_all_registers(
        lambda request, path: [registrar.challenge(request, path)] if request.expires == 0 else None))
    alice = phone(registrar)
    alice.wait_for("registered")
    assert alice.end() == 17
    assert sum(one.expires == 0 for one in registrar.registers()) <= 3


# R1, L9: credentials for our realm are not given to a stranger's realm in a challenge to OPTIONS.
def test_a_foreign_realm_asks_for_the_password(server, phone):
    def behave(request, path):
        if request.method != "OPTIONS":
            return None
        return [answer(request, 401, "Unauthorized", digest(realm="elsewhere.test"), source=path.peer)]

    registrar = server("udp", behave)
    alice = phone(registrar)
    alice.wait_for("registered")
    registrar.wait_for(lambda: registrar.requests("OPTIONS"), 5, "the proof's OPTIONS (R1)")
    registrar.happens(lambda: False, 0.7)
    assert all("elsewhere" not in one["authorization"] for one in registrar.requests())
    assert alice.end() == 0
