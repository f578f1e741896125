"""TCP and TLS, the digest algorithms, and what a wrong password or certificate leads to."""

import time

import pytest

from certificates import Authority, ServerTls


@pytest.fixture
def authority(tmp_path):
    return Authority(str(tmp_path / "ca"))


def server_tls(authority, name="server", *alternatives):
    return ServerTls(*authority.issue(name, *(alternatives or ("DNS:example.test",))))


def rings(world, seconds=1.5):
    """Calls through every node, for a while: all of them ring."""
    world.wait_until_known()
    caller = world.caller()
    time.sleep(seconds)
    caller.pause()
    calls = caller.calls()
    return len({call.node for call in calls if call.rang}) == len(world.nodes) and all(call.rang for call in calls)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_digest(world_over, transport, algorithm):
    """Kamailio asks with that algorithm alone, and checks the answer."""
    world, options = world_over(transport, defines={"ALGORITHM": algorithm})
    phone = world.phone(behind=world.nat(), **options)
    registered = phone.start().wait_until_registered()
    assert registered["target"].startswith(f"{transport}:")
    assert f"algorithm={algorithm}" in phone.trace()
    assert rings(world)
    assert phone.end() == 0
    world.wait_until_all_hold()


def test_tcp(make_world):
    world = make_world()
    phone = world.phone(behind=world.nat(), transport="tcp")
    registered = phone.start().wait_until_registered()
    assert registered["target"].startswith("tcp:")
    assert "transport=tcp" in registered["contact"]
    assert rings(world)
    assert phone.end() == 0


def test_tls(make_world, authority):
    world = make_world(tls=server_tls(authority))
    phone = world.phone(behind=world.nat(), transport="tls", ca=authority.certificate)
    registered = phone.start().wait_until_registered()
    assert registered["target"].startswith("tls:")
    assert rings(world)
    assert phone.end() == 0


def test_auto_takes_tls_where_srv_records_offer_it(make_world, authority):
    """Without NAPTR: tls, tcp, udp, as far as there are SRV records (L1; RFC 3263 §4.1)."""
    servers = ["ip1 A 203.0.113.11", "ip2 A 203.0.113.12", "ip3 A 203.0.113.13"]
    records = [f"{service} SRV 10 10 {port} ip{number}" for number in (1, 2, 3)
               for service, port in (("_sips._tcp", 5061), ("_sip._tcp", 5060), ("_sip._udp", 5060))]
    world = make_world(tls=server_tls(authority), records=servers + records)
    phone = world.phone(behind=world.nat(), ca=authority.certificate)
    registered = phone.start().wait_until_registered()
    assert registered["target"].startswith("tls:"), registered


# The domain's only server is the target of an SRV record; that name comes from DNS, which anybody may have answered.
ONE_SERVER_BY_SRV = ["_sips._tcp SRV 10 10 5061 ip1", "ip1 A 203.0.113.11"]


@pytest.mark.parametrize("name, records", [("other.test", None), ("ip1.example.test", ONE_SERVER_BY_SRV)],
                         ids=["a stranger's", "the SRV target's"])
def test_a_certificate_for_another_name_is_refused(make_world, authority, name, records):
    """RFC 5922 §7.2, RFC 3263 §4.1: the configured domain must be in it. Nothing is sent to such a server, and `--once` says
    why (exit code 15)."""
    world = make_world(numbers=(11,), tls=server_tls(authority, "other", f"DNS:{name}"),
                       records=records or ["@ A 203.0.113.11"])
    phone = world.phone(behind=world.nat(), transport="tls", ca=authority.certificate)
    phone.start()
    failed = phone.wait_for("attempt_failed", limit=5)
    assert failed["target"] == "tls:203.0.113.11:5061"
    assert "certificate" in failed["reason"]
    phone.wait_for("waiting", limit=15)
    assert phone.end() == 15
    assert not world.nodes[0].registers()


def test_a_certificate_with_the_domain_beside_the_srv_targets_name(make_world, authority):
    """The control of the above: the same records and the same name, and the domain in it."""
    world = make_world(numbers=(11,), tls=server_tls(authority, "both", "DNS:ip1.example.test", "DNS:example.test"),
                       records=ONE_SERVER_BY_SRV)
    phone = world.phone(behind=world.nat(), transport="tls", ca=authority.certificate)
    registered = phone.start().wait_until_registered()
    assert registered["target"] == "tls:203.0.113.11:5061"


def test_one_wrong_certificate_costs_no_registration(make_world, authority):
    world = make_world(numbers=(11, 12, 13), tls=server_tls(authority), start=False)
    phone = world.phone(behind=world.nat(), transport="tls", ca=authority.certificate)
    ranking = phone.ranking()
    first = world.node_at(ranking[0])
    first.tls = server_tls(authority, "wrong", "DNS:wrong.test")
    for node in world.nodes:
        node.start()
    phone.start().wait_until_registered()
    assert phone.current_server() == ranking[1]
    assert not first.registers()


def test_a_wrong_password_is_said_and_not_tried_again(make_world):
    world = make_world()
    phone = world.phone(behind=world.nat(), transport="udp", password="wrong")
    phone.start()
    assert phone.wait_for_exit(limit=10) == 11
    assert phone.count("auth_failed") == 1
    assert sum(len(node.registers()) for node in world.nodes) <= 4  # a ban filter counts them


def test_a_restart_over_tls_keeps_one_binding(make_world, authority):
    world = make_world(tls=server_tls(authority))
    phone = world.phone(behind=world.nat(), transport="tls", ca=authority.certificate)
    phone.start().wait_until_registered()
    phone.stop()  # as a crash: nothing is said to the server
    before = time.monotonic()
    phone.start()
    registered = phone.wait_for("registered", limit=10, after=before)
    phone.wait_for("reachable", limit=5, after=before)
    world.wait_until_all_hold(registered["contact"])


# Kamailio closes what was idle for 120 s, where its configuration says nothing else, and K1 pings every 80–100 s. Here both are a
# fifth of that.
LIFETIME = 24
AS_K1 = ["policy.stream_keepalive_min=16s", "policy.stream_keepalive_max=20s"]


@pytest.mark.lasts(105)
@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_an_idle_connection_is_held(world_over, transport):
    """With HOLDFAST_REAL_BREAK="policy.stream_keepalive_max=40s policy.stream_keepalive_min=40s" it fails."""
    world, options = world_over(transport, defines={"TCP_LIFETIME": LIFETIME})
    phone = world.phone(behind=world.nat(), expires=3600, set=[*AS_K1, "policy.prove_reachable=off"], **options)
    before = phone.start().wait_until_registered()
    node = world.node_at(phone.current_server())
    connections = node.connections()
    assert len(connections) == 1
    time.sleep(4 * LIFETIME)  # no calls meanwhile: they would hold the connection too
    assert phone.count("flow_lost", "moved", "refreshed", after=before["at"]) == 0
    assert node.connections().keys() == connections.keys()
    assert rings(world)


@pytest.mark.lasts(40)
@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_an_idle_connection_is_closed(world_over, transport):
    """The control of the above: Kamailio does it, and the phone is back at once (F6)."""
    world, options = world_over(transport, defines={"TCP_LIFETIME": LIFETIME})
    phone = world.phone(behind=world.nat(), expires=3600, set=["policy.keepalive=none", "policy.prove_reachable=off"], **options)
    before = phone.start().wait_until_registered()
    lost = phone.wait_for("flow_lost", limit=LIFETIME + 12, after=before["at"])
    assert lost["at"] - before["at"] >= LIFETIME - 1  # 31 s with 5.6.3: its reader gives the connection back after 5 s
    back = phone.wait_for("registered", "refreshed", "moved", limit=3, after=lost["at"],
                          where=lambda event: event["mapping"] in event["contact"])
    assert back["mapping"] != before["mapping"]
    world.wait_until_all_hold(back["contact"])
    assert rings(world)
