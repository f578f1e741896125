"""The bad cable itself: what it is told to do to packets is what it does, measured with datagrams (fixed seeds).

Bounds are five standard deviations of what chance allows. Not here: a phone behind it (test_bad_networks.py).
"""

import math
import os
import select
import signal
import socket
import statistics
import subprocess
import time

import pytest

from bad_link import PROGRAM, BadLink
from namespace import Namespace

# Alone: a TUN device's queue holds 500 packets, and datagrams are sent at a rate of their own.
pytestmark = [pytest.mark.tun, pytest.mark.alone]


@pytest.fixture
def cable(make_world):  # `make_world` skips where namespaces cannot be made
    """Options → the link and its two hosts, 192.0.2.1 and 192.0.2.2."""
    parts = []

    def make(**options):
        one, other = Namespace("one"), Namespace("other")
        parts.extend((one, other))
        link = BadLink((one, "bad", "192.0.2.1/24"), (other, "bad", "192.0.2.2/24"), **options)
        parts.append(link)
        return link, one, other

    yield make
    for part in reversed(parts):
        part.close()


def udp(host, address, port=7000):
    with host.entered():
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind((address, port))
    return made


def arrivals(one, other, count, spacing, linger):
    """Numbered datagrams from one to the other, at least `spacing` seconds apart; their numbers as they arrive, until
    `linger` seconds after the last was sent."""
    with udp(one, "192.0.2.1") as sending, udp(other, "192.0.2.2") as receiving:
        seen = []

        def take(seconds):
            end = time.monotonic() + seconds
            while (left := end - time.monotonic()) > 0:
                if select.select([receiving], [], [], left)[0]:
                    seen.append(int(receiving.recv(100)))

        for number in range(count):
            sending.sendto(str(number).encode(), ("192.0.2.2", 7000))
            take(spacing)
        take(linger)
        return seen


def within_chance(share, expected, count):
    return abs(share - expected) <= 5 * math.sqrt(expected * (1 - expected) / count)


def test_the_link_loses_and_doubles_what_it_is_told_to(cable):
    """And the same seed loses the same packets."""
    runs = []
    for seed in (1, 1, 2):
        link, one, other = cable(delay_ms=10, loss=0.3, duplication=0.05, seed=seed)
        seen = arrivals(one, other, count=1000, spacing=0.001, linger=1)
        runs.append(seen)
        counts = link.end()
        assert counts["taken"] == 1000 and counts["overflowed"] == counts["undelivered"] == 0, counts
        assert counts["delivered"] == len(seen) == 1000 - counts["lost"] + counts["doubled"]
        assert within_chance(1 - len(set(seen)) / 1000, 0.3, 1000), len(set(seen))
        assert within_chance((len(seen) - len(set(seen))) / len(set(seen)), 0.05, 700), len(seen)
        assert seen == sorted(seen), "order is kept where nothing else is asked"
    assert runs[0] == runs[1] != runs[2]


@pytest.mark.lasts(6)
def test_the_link_delays(cable):
    """Round trips of half a second and, each way, up to 50 ms more; order is kept."""
    _, one, other = cable(delay_ms=250, jitter_ms=50, seed=3)
    with udp(one, "192.0.2.1") as asking, udp(other, "192.0.2.2") as answering:
        asking.settimeout(2)
        answering.settimeout(2)
        trips = []
        for _ in range(8):
            begin = time.monotonic()
            asking.sendto(b"ping", ("192.0.2.2", 7000))
            there, peer = answering.recvfrom(100)
            answering.sendto(there, peer)
            asking.recv(100)
            trips.append(time.monotonic() - begin)
    # The sum of two draws from 0 to 50 ms: 50 ms in the mean, ±20.4 ms.
    busy = 0.05  # a host with other tests on it
    assert 0.5 <= min(trips) and max(trips) <= 0.6 + 2 * busy, trips
    assert -5 * 0.0204 / math.sqrt(8) <= statistics.mean(trips) - 0.55 <= 5 * 0.0204 / math.sqrt(8) + busy, trips


def test_the_link_mixes_up_the_order(cable):
    """A packet that is late by up to twice the delay of 50 ms is overtaken by the next ones, sent 5 ms apart, if one of
    those in the same time is not late itself: about 1 - 5/100 · (1 + 0.3 + 0.09 + …) of the late ones."""
    _, one, other = cable(delay_ms=50, reorder=0.3, seed=4)
    count = 800
    seen = arrivals(one, other, count=count, spacing=0.005, linger=1)
    assert sorted(seen) == list(range(count)), "nothing is lost, nothing comes twice"
    latest, overtaken = -1, 0
    for number in seen:
        overtaken += number < latest
        latest = max(latest, number)
    assert within_chance(overtaken / count, 0.3 * (1 - 0.05 / 0.7), count), overtaken


def test_the_link_holds_no_more_than_it_may(cable):
    link, one, other = cable(delay_ms=30000, most=100, seed=5)
    arrivals(one, other, count=300, spacing=0.001, linger=0.1)
    counts = link.end()
    assert counts["taken"] == 300 and counts["overflowed"] == 200 and counts["delivered"] == 0, counts


def test_the_link_sleeps_and_ends_when_told(cable):
    """No work without a cause; devices go with the process."""
    link, one, other = cable(delay_ms=10)
    ticks = lambda: sum(map(int, open(f"/proc/{link.process.pid}/stat").read().split()[13:15]))  # noqa: E731
    arrivals(one, other, count=10, spacing=0.001, linger=0.1)
    before = ticks()
    time.sleep(1)
    assert ticks() - before <= 2, "hundredths of a second of a processor"
    link.process.send_signal(signal.SIGTERM)
    assert link.process.wait(10) == 0
    assert "bad" not in one.run("ip", "-brief", "link") + other.run("ip", "-brief", "link")


def test_the_link_says_what_is_wrong(cable):
    _, one, _ = cable()
    fd = str(one.fd)
    for words, code, why in (
            ((fd, "a", fd, "b", "--loss", "1.1"), 2, "--loss 1.1"), ((fd, "a"), 2, "FD NAME FD NAME"),
            ((fd, "a", "nine", "b"), 2, "nine is no number"), ((fd, "a", fd, "b", "--speed", "1"), 2, "--speed 1"),
            ((fd, "a", "0", "b"), 1, "descriptor 0 is no network namespace"), ((fd, "bad", fd, "b"), 1, "TUN device bad")):
        done = subprocess.run([os.path.realpath(PROGRAM), *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=10, check=False, pass_fds=(one.fd,))
        assert done.returncode == code and why in done.stderr, (words, done)
