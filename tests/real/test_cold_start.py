"""S1–S4b, S8: a phone starts while the server that it would ask first is silent, refuses, or is busy.

Measured from the start of the program to its event `registered`, by the phone's own clock; the servers are kamailio with digest, the phone is
behind a NAT with a random port for each destination. Not here: a server that dies under a bound phone
(test_bound.py), two priorities (test_priorities.py).
"""

import statistics

import pytest


STARTS = 5  # of rows whose limit is a fraction of a second: a new phone each time; the median has the limit
# What the worst of them may take more than the median's limit: the host's part, when it lets a phone wait for a processor or for its
# disk (each of the five is a first start, and makes its state file). Far less than the patience (1 s), or any wait of the phone's own.
WORST_MORE = 0.25


def start_with(make_world, figure, row, limit, fault, repair=None, rotate=False, transport="udp", broken=1):
    """`fault` breaks a node before the start; with `repair` the start is measured several times, and the worst has a limit too."""
    world = make_world(rotate=rotate, ttl=5 if rotate else 60)
    nat = world.nat()
    measured = []
    for _ in range(STARTS if repair else 1):
        phone = world.phone(behind=nat, transport=transport)
        ranking = phone.ranking()
        assert len(ranking) == 3
        first, chosen = [world.node_at(address) for address in ranking[:broken]], world.node_at(ranking[broken])
        for node in first:
            fault(node)
        phone.start()
        registered = phone.wait_until_registered(limit=10)
        measured.append(registered["t"])
        assert phone.current_server() == chosen.address
        assert chosen.contacts() == [registered["contact"]]
        assert phone.end() == 0
        for node in first if repair else []:
            repair(node)
    figure(row, round(statistics.median(measured), 3), limit)
    if repair:
        figure(f"{row}: the worst of {STARTS} starts", round(max(measured), 3), limit + WORST_MORE)


def silence(node):
    node.silence()


def heal(node):
    node.heal()


def kill(node):
    node.kill()


def start(node):
    node.start()


def again(node):
    node.answer_again()


@pytest.mark.row
@pytest.mark.alone
@pytest.mark.lasts(6)
def test_s1_first_server_is_silent(make_world, figure):
    start_with(make_world, figure, "S1 cold start, DNS fixed, ip1 silent", 1.5, silence)


@pytest.mark.row
@pytest.mark.alone
@pytest.mark.lasts(6)
def test_s1r_first_server_is_silent_and_dns_rotates(make_world, figure):
    start_with(make_world, figure, "S1r the same, DNS rotates per query", 1.5, silence, rotate=True)


@pytest.mark.row
@pytest.mark.alone
@pytest.mark.lasts(6)
def test_s2_two_servers_are_silent(make_world, figure):
    start_with(make_world, figure, "S2 ip1 and ip2 silent", 1.5, silence, broken=2)


@pytest.mark.row
@pytest.mark.alone
@pytest.mark.lasts(4)
def test_s3_first_server_refuses_by_icmp(make_world, figure):
    start_with(make_world, figure, "S3 ip1 refuses (ICMP)", 0.2, kill, start)


@pytest.mark.row
@pytest.mark.alone
@pytest.mark.lasts(4)
def test_s4_first_server_drops_syn(make_world, figure):
    start_with(make_world, figure, "S4 TCP, SYN dropped by ip1", 0.6, silence, heal, transport="tcp")


@pytest.mark.row
@pytest.mark.alone
@pytest.mark.lasts(4)
def test_s4b_first_server_refuses_tcp(make_world, figure):
    start_with(make_world, figure, "S4b TCP refused", 0.05, kill, start, transport="tcp")


@pytest.mark.row
@pytest.mark.alone
@pytest.mark.lasts(4)
def test_s8a_first_server_answers_503(make_world, figure):
    start_with(make_world, figure, "S8a ip1 answers 503", 0.05, lambda node: node.answer_503(), again)


@pytest.mark.row
@pytest.mark.alone
@pytest.mark.lasts(4)
def test_s8b_first_server_answers_503_with_retry_after(make_world, figure):
    start_with(make_world, figure, "S8b 503 with Retry-After 20", 0.05, lambda node: node.answer_503(retry_after=20),
               again)
