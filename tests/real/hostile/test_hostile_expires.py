"""How long a binding lasts, said in every wrong way. RFC 3261 §10.2.4, §10.3 step 8, §20.19; rules B4, B8."""

import pytest

from behaviours import over_udp_and_some_over_tcp, to_registers

ASKED = 300
LONGEST = 86400

#   the header, our Contact's parameters                      E
SAID = [
    ((), "", ASKED),                                        # nothing: what we asked
    (("Expires: 60",), "", 60),                             # only as a header
    ((), ";expires=77", 77),                                # only as a parameter
    (("Expires: 3600",), ";expires=77", 77),                # the parameter wins
    (("Expires: 60",), ";EXPIRES=900", 900),
    ((), ";expires=4294967295", LONGEST),                   # gigantic: a day at most
    (("Expires: 4294967295",), "", LONGEST),
    ((), ";expires=99999999999999999999", ASKED),           # no number that can be meant: as if not there
    (("Expires: 99999999999999999999",), "", ASKED),
    ((), ";expires=-60", ASKED),
    (("Expires: -60",), "", ASKED),
    ((), ";expires=soon", ASKED),
    (("Expires: soon",), "", ASKED),
    (("Expires: Thu, 01 Dec 1994 16:00:00 GMT",), "", ASKED),
    (("Expires:",), "", ASKED),
    ((), ';expires="90"', 90),
    (("Expires: 90 (a comment);x=y",), "", 90),
    (("Expires: 80",), ";expires=soon", 80),
]


# B4: our Contact's `expires`, else the Expires header, else what we asked; never more than a day; garbage is not there.
@pytest.mark.parametrize("transport, headers, parameters, expected", over_udp_and_some_over_tcp(SAID, 4), ids=str)
def test_how_long_the_binding_lasts(server, phone, transport, headers, parameters, expected):
    def behave(request, path):
        registrar.bind(request)
        listed = [f"<{uri}>{parameters}" for uri in registrar.bindings]
        return [registrar.ok(request, path, *headers, contacts=listed)]

    registrar = server(transport, to_registers(behave))
    alice = phone(registrar)
    event = alice.wait_for("registered")
    assert event["expires"] == expected
    assert "unconfirmed" not in event["reason"]
    assert not registrar.happens(lambda: len(registrar.registers()) > 2, 0.5)
    assert alice.end() == 0
    assert registrar.bindings == {}


# B4: an expiry of nothing or next to nothing: refreshed never more than once in 5 s, and what has lapsed is said.
@pytest.mark.parametrize("transport, headers, parameters", over_udp_and_some_over_tcp(
    [(("Expires: 0",), ""), ((), ";expires=1"), (("Expires: 1",), "")], 3))
def test_an_expiry_too_short_to_live(server, phone, transport, headers, parameters):
    def behave(request, path):
        registrar.bind(request)
        return [registrar.ok(request, path, *headers, contacts=[f"<{uri}>{parameters}" for uri in registrar.bindings])]

    registrar = server(transport, to_registers(behave))
    alice = phone(registrar)
    alice.wait_for("registered")
    assert "lapsed" in alice.wait_for("unregistered")["reason"]
    alice.wait_for("registered", count=2, limit=8)
    times = [one.at for one in registrar.registers() if one.authorized]
    assert min(later - earlier for earlier, later in zip(times, times[1:])) >= 4.9
    alice.end()
    assert registrar.bindings == {}
