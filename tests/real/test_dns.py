"""Real name servers: NAPTR, SRV, AAAA, truncation, changes, failures, and a home router's cache (L1, L4–L6)."""

import os
import time

import pytest

from certificates import Authority, ServerTls
from network import wait_until
from phone import address_of
from test_transports import rings

SRV = 33  # the number of the record type
SERVERS = ["ip1 A 203.0.113.11", "ip2 A 203.0.113.12", "ip3 A 203.0.113.13"]


def srv(service, port, *numbers):
    return [f"{service} SRV 10 10 {port} ip{number}" for number in numbers]


class Dnsmasq:
    """The resolver of a home router: asks knot, keeps answers, and turns them around by itself."""

    def __init__(self, world, nat):
        self.address = nat.gateway
        directory = os.path.join(world.directory, "router")
        os.makedirs(directory)
        with open(os.path.join(directory, "log"), "ab") as log:
            self._process = nat.namespace.spawn(
                "/usr/sbin/dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
                "--user=root", "--pid-file", f"--server={world.dns.address}", f"--listen-address={self.address}",
                "--bind-interfaces", "--port=53", stdout=log, stderr=log)
        wait_until(lambda: nat.namespace.run("ss", "-Hlnu", "sport", "=", ":53").strip(), 10, "dnsmasq listens")

    def stop(self):
        self._process.kill()
        self._process.wait()


@pytest.fixture
def router():
    """world, nat → a dnsmasq in the NAT, gone after the test."""
    made = []

    def make(world, nat):
        made.append(Dnsmasq(world, nat))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def test_naptr_leads_to_tls(make_world, tmp_path):
    """NAPTR prefers TLS; SRV gives its port (RFC 3263 §4.1, §4.2)."""
    authority = Authority(str(tmp_path / "ca"))
    tls = ServerTls(*authority.issue("server", "DNS:example.test"))
    records = [*SERVERS, '@ NAPTR 10 50 "s" "SIPS+D2T" "" _sips._tcp', '@ NAPTR 20 50 "s" "SIP+D2U" "" _sip._udp',
               *srv("_sips._tcp", 5061, 1, 2, 3), *srv("_sip._udp", 5060, 1, 2, 3)]
    world = make_world(records=records, tls=tls)
    phone = world.phone(behind=world.nat(), ca=authority.certificate)
    registered = phone.start().wait_until_registered()
    assert registered["target"].startswith("tls:203.0.113.1") and registered["target"].endswith(":5061")
    assert rings(world)


def test_naptr_prefers_udp_where_the_domain_says_so(make_world):
    records = [*SERVERS, '@ NAPTR 10 50 "s" "SIP+D2U" "" _sip._udp', '@ NAPTR 20 50 "s" "SIP+D2T" "" _sip._tcp',
               *srv("_sip._tcp", 5060, 1), *srv("_sip._udp", 5060, 2, 3)]
    world = make_world(records=records)
    phone = world.phone(behind=world.nat())
    registered = phone.start().wait_until_registered()
    assert registered["target"] in ("udp:203.0.113.12:5060", "udp:203.0.113.13:5060")


def test_aaaa_only(make_world):
    world = make_world(records=["@ AAAA 2001:db8::11", "@ AAAA 2001:db8::12"], defines={"NO_PATH": True})
    phone = world.phone(transport="udp")
    world.plug_ipv6(phone, "2001:db8::100")
    registered = phone.start().wait_until_registered()
    assert address_of(registered["target"]) in ("2001:db8::11", "2001:db8::12")
    assert "[2001:db8::100]" in registered["contact"]


def test_the_dead_family_costs_patience(make_world):
    """Both families, one node by both: with IPv6 silent the phone is registered over IPv4 within F3's time."""
    world = make_world(records=["@ A 203.0.113.11", "@ AAAA 2001:db8::12"], defines={"NO_PATH": True})
    phone = world.phone(transport="udp")
    world.plug_ipv6(phone, "2001:db8::100")
    ranking = phone.ranking()
    world.node_at(ranking[0]).silence()
    registered = phone.start().wait_until_registered()
    assert phone.current_server() == ranking[1]
    asked = phone.events("attempt")[0]
    assert registered["t"] - asked["t"] <= 1.5, "by the phone's own clock, from the first REGISTER"


def test_truncated_answers_come_by_tcp(make_world):
    """SRV records that do not fit into the 1,232 octets that this server sends by UDP (RFC 1035 §4.2.1, RFC 7766)."""
    names = [f"ip{number}.{'long' * 14}.{'name' * 14}.{'here' * 14}{number}" for number in range(1, 10)]
    records = [f"_sip._udp SRV 10 10 5060 {name}" for name in names]
    records += [f"{name} A 203.0.113.{11 + number % 3}" for number, name in enumerate(names)]
    world = make_world(records=records)
    assert world.dns.truncates("_sip._udp.example.test", SRV)
    phone = world.phone(behind=world.nat(), transport="udp")
    phone.start().wait_until_registered()
    targets = phone.events("resolved")[-1]["targets"]
    assert sorted({target["address"] for target in targets}) == ["203.0.113.11", "203.0.113.12", "203.0.113.13"]
    assert all(target["host"].startswith("ip") for target in targets)


def test_a_name_that_does_not_exist(make_world):
    world = make_world()
    phone = world.phone(behind=world.nat(), aor="sip:alice@nobody.example.test", transport="udp", once=[])
    phone.start()
    phone.wait_for("resolved", limit=5)
    assert phone.end() == 13


def test_no_dns_server_answers_at_the_first_start(make_world):
    world = make_world()
    world.dns.silence()
    phone = world.phone(behind=world.nat(), transport="udp")
    phone.start()
    phone.wait_for("resolved", limit=30, where=lambda event: not event.get("targets"))
    assert phone.end() == 14
    world.dns.heal()
    before = time.monotonic()
    phone.start()
    phone.wait_for("registered", limit=5, after=before)


@pytest.mark.lasts(30)
def test_started_while_dns_is_down(make_world):
    """The last good answer is on disk (L5): the phone registers without a name server."""
    world = make_world()
    phone = world.phone(behind=world.nat(), transport="udp")
    phone.start().wait_until_registered()
    first = phone.current_server()
    assert phone.end() == 0
    world.dns.silence()
    before = time.monotonic()
    phone.start()
    registered = phone.wait_for("registered", limit=15, after=before)
    assert address_of(registered["target"]) == first


def test_started_while_dns_fails(make_world):
    """L5 with SERVFAIL, and its control: with serve_stale=off the same phone knows no server."""
    world = make_world()
    phone = world.phone(behind=world.nat(), transport="udp")
    phone.start().wait_until_registered()
    first = phone.current_server()
    assert phone.end() == 0
    world.dns.fail()
    assert world.dns.code("example.test") == 2

    phone.options["set"] = "policy.serve_stale=off"
    before = time.monotonic()
    phone.start()
    phone.wait_for("resolved", limit=5, after=before, where=lambda event: not event.get("targets"))
    assert phone.end() == 14
    assert phone.count("attempt", after=before) == 0

    del phone.options["set"]
    before = time.monotonic()
    phone.start()
    registered = phone.wait_for("registered", limit=5, after=before)
    assert address_of(registered["target"]) == first


@pytest.mark.lasts(105)
def test_servfail_moves_nobody_and_failover_goes_on(make_world):
    """L5: the zone fails after the registration. Nothing moves; and when the server dies, the known others are used: those
    of the last answers, which a running phone has in its memory (L4). Killed, it has the last good answer on its disk."""
    world = make_world(ttl=5, rotate=True)
    phone = world.phone(behind=world.nat(), transport="udp", expires=30)
    registered = phone.start().wait_until_registered()
    world.dns.fail()
    assert world.dns.code("example.test") == 2
    phone.wait_for("refreshed", limit=30, after=registered["at"])
    before = world.dns.questions()  # after those that a late word about its network leads to (K5)
    wait_until(lambda: world.dns.questions() > before, 75, "the phone asks again (L4: after 60 s)", every=0.5)
    time.sleep(2)
    assert phone.count("moved", "unregistered") == 0
    world.node_at(phone.current_server()).silence()
    fault = time.monotonic()
    phone.wait_for("moved", limit=33, after=fault)
    second = phone.current_server()
    phone.stop()
    again = time.monotonic()
    phone.start()
    registered = phone.wait_for("registered", limit=5, after=again)
    assert address_of(registered["target"]) == second


@pytest.mark.lasts(100)
def test_a_server_that_dns_no_longer_lists_is_drained(make_world):
    """L4, with `listed` shortened to one answer and no time: register on the new server first, then leave the old."""
    world = make_world(ttl=60)
    phone = world.phone(behind=world.nat(), transport="udp", expires=60,
                        set=["policy.listed_answers=1", "policy.listed_for=0s"])
    phone.start().wait_until_registered()
    old = world.node_at(phone.current_server())
    left = [node for node in world.nodes if node is not old]
    world.wait_until_known()
    caller = world.caller()
    time.sleep(2)
    world.dns.change([f"@ A {node.address}" for node in left])
    changed = time.monotonic()
    moved = phone.wait_for("moved", limit=60 + 55 + 5, after=changed)
    assert address_of(moved["from"]) == old.address
    time.sleep(2)
    assert caller.unreachable_since(changed) == 0, "make before break"
    world.wait_until_all_hold(moved["contact"])


@pytest.mark.lasts(50)
def test_a_routers_cache_that_rotates_moves_nobody(make_world, router):
    world = make_world(ttl=10)
    nat = world.nat()
    phone = world.phone(behind=nat, transport="udp", expires=20, dns=router(world, nat).address)
    phone.start().wait_until_registered()
    time.sleep(40)
    assert phone.count("refreshed") >= 2
    assert phone.count("moved") == 0
    assert rings(world)


def bursts(dns, seconds, quiet=5):
    """When questions come, as seconds from now; those within `quiet` seconds of each other are one look-up."""
    begin, seen, count, last = time.monotonic(), [], dns.questions(), -quiet
    while (now := time.monotonic() - begin) < seconds:
        if (counted := dns.questions()) > count:
            if now - last >= quiet:
                seen.append(round(now, 1))
            count, last = counted, now
        time.sleep(0.25)
    return seen


@pytest.mark.lasts(265)
@pytest.mark.parametrize("first, then", [(100, 60), (60, 100), (100, 100), (20, 20)])
def test_the_ttl_gives_the_rhythm_of_questions(make_world, first, then):
    """L4: the next question comes when the TTL has run out; a new TTL counts from the first answer that has it. The third case
    is the control, the last the lower bound: a healthy phone asks once a minute at most."""
    records = [*SERVERS, *srv("_sip._udp", 5060, 1, 2, 3)]
    world = make_world(records=records, ttl=first)
    phone = world.phone(behind=world.nat(), transport="udp", expires=300)
    phone.start().wait_until_registered()
    phone.wait_for("reachable", limit=5)
    # A late word about its network leads to one more look-up (K5), later still on a busy host.
    assert any(not bursts(world.dns, 5) for _ in range(4)), "it asks again and again"
    world.dns.change(ttl=then)
    asked = bursts(world.dns, 2 * 100 + 45)
    assert len(asked) >= 2, asked
    first, then = max(first, 60), max(then, 60)
    # The answer that counts came with the start, or with that late word: up to 5 s of look-ups and 5 s without before the first
    # second here, and what the start took.
    assert first - 15 <= asked[0] <= first + 1, asked
    gaps = [later - earlier for earlier, later in zip(asked, asked[1:])]
    assert all(abs(gap - then) <= 2 for gap in gaps), (asked, gaps)
    assert len(gaps) == int((245 - asked[0]) // then), (asked, gaps)
    assert phone.count("moved", "unregistered") == 0
