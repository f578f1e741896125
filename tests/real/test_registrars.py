"""Habits of registrars: limits on Contacts and on Expires, NAT helpers, too much load."""

import re
import signal
import socket
import threading
import time

import pytest

from network import wait_until
from sip_text import request
from test_transports import rings


def test_max_contacts_of_kamailio(make_world):
    """One binding an account: the REGISTER that names the new Contact and removes the old one must still pass (N3)."""
    world = make_world(defines={"MAX_CONTACTS": 1})
    nat = world.nat()
    phone = world.phone(behind=nat, transport="udp", expires=60)
    phone.start().wait_until_registered()
    assert rings(world)
    nat.rebind()
    rebound = time.monotonic()
    renewed = phone.wait_for("refreshed", "registered", limit=35, after=rebound, where=lambda event: event["reason"])
    assert renewed["contact"] == "sip:alice@" + renewed["mapping"] + renewed["contact"][renewed["contact"].index(";"):]
    world.wait_until_all_hold(renewed["contact"])
    assert phone.count("attempt_failed") == 0


def test_two_contacts_are_refused(make_world):
    """503 to a REGISTER with two Contacts, as OpenSIPS does with max_contacts: one step down, same server (N3)."""
    world = make_world(defines={"ONE_CONTACT": True})
    nat = world.nat()
    phone = world.phone(behind=nat, transport="udp", expires=60)
    phone.start().wait_until_registered()
    nat.rebind()
    rebound = time.monotonic()
    renewed = phone.wait_for("refreshed", "registered", "moved", limit=40, after=rebound)
    assert "503 Too Many Contacts" in phone.trace()
    assert rings(world)
    world.wait_until_all_hold(renewed["contact"])  # no stale binding is left


def test_interval_too_brief(make_world):
    """423: the Expires that the registrar names (RFC 3261 §10.2.8)."""
    world = make_world(defines={"MIN_EXPIRES": 90})
    phone = world.phone(behind=world.nat(), transport="udp", expires=30)
    registered = phone.start().wait_until_registered()
    assert registered["expires"] == 90
    assert "423 Interval Too Brief" in phone.trace()


def test_a_shorter_interval_than_asked(make_world):
    """The registrar grants 20 s of 300: the refresh comes in time, and no call is lost meanwhile (B4)."""
    world = make_world(defines={"MAX_EXPIRES": 20})
    phone = world.phone(behind=world.nat(), transport="udp", expires=300)
    registered = phone.start().wait_until_registered()
    assert registered["expires"] == 20
    world.wait_until_known()
    caller = world.caller()
    refreshed = phone.wait_for("refreshed", limit=20, where=lambda event: event["reason"] != registered["reason"])
    assert refreshed["at"] - registered["at"] <= 18.5
    time.sleep(5)
    assert caller.unreachable_since(caller.calls()[0].at - 1) == 0


@pytest.mark.lasts(40)
def test_nathelper(make_world):
    """The registrar keeps where the REGISTER came from (`Received`), sends calls there, and pings it: the phone answers, and so
    its binding stays. The control: stopped, it does not answer, and the binding goes long before it expires."""
    world = make_world(numbers=(11,), defines={"NATHELPER": True, "NO_PATH": True})
    node = world.nodes[0]
    phone = world.phone(behind=world.nat(), transport="udp", expires=300)
    registered = phone.start().wait_until_registered()
    wait_until(lambda: phone.trace().count("From: sip:pinger@example.test;") >= 10, 20, "five pings and their answers")
    binding, = node.bindings()
    assert binding["Address"] == registered["contact"]
    assert binding["Received"].partition(";")[0] == f"sip:{registered['mapping']}"
    assert pings_answered(phone.trace()) >= 5
    assert rings(world)
    phone.signal(signal.SIGSTOP)
    wait_until(lambda: node.contacts() == [], 30, "the binding of a phone that answers no ping goes", every=0.2)
    phone.signal(signal.SIGCONT)


def pings_answered(trace):
    """How many OPTIONS of nathelper have a 200 in the trace (RFC 3261 §17.1.3: the same branch)."""
    asked, answered = set(), set()
    for message in re.split(r"\n(?=OPTIONS |SIP/2\.0 )", trace):
        if "From: sip:pinger@example.test;" in message and (branch := re.search(r"branch=([^;\s]+)", message)):
            (asked if message.startswith("OPTIONS ") else answered).add((branch.group(1), message[:11] == "SIP/2.0 200"))
    return sum((branch, True) in answered for branch, _ in asked)


class Flood:
    """REGISTERs of strangers, `rate` a second, from a host of its own."""

    def __init__(self, host, node, rate):
        with host.entered():
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._socket.bind(("203.0.113.98", 0))
        self._socket.setblocking(False)
        self._node, self._rate = node, rate
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        here = f"203.0.113.98:{self._socket.getsockname()[1]}"
        while not self._ended.wait(1.0 / self._rate):
            message = request("REGISTER", "sip:example.test", here, caller="sip:mallory@example.test",
                              called="sip:mallory@example.test")
            self._socket.sendto(message.encode(), (self._node.address, 5060))
            try:
                while True:
                    self._socket.recv(65535)
            except BlockingIOError:
                pass

    def stop(self):
        self._ended.set()
        self._thread.join()
        self._socket.close()


def of_alice(node):
    return [register for register in node.registers() if "sip:alice" in register["contacts"]]


def test_503_under_load(make_world):
    """A server that refuses what is too much (pipelimit): another one is used, and the busy one left alone."""
    world = make_world(start=False)
    phone = world.phone(behind=world.nat(), transport="udp")
    ranking = phone.ranking()
    busy = world.node_at(ranking[0])
    busy.defines["REGISTERS_PER_SECOND"] = 1  # the crowd is always quicker
    for node in world.nodes:
        node.start()
    world.form_cluster()
    flood = Flood(world.internet.host("crowd", 98), busy, rate=200)
    try:
        time.sleep(2.5)
        phone.start()
        phone.wait_until_registered()
        first = phone.current_server()
        tried = len(of_alice(busy))
        time.sleep(5)
        tried_later = len(of_alice(busy))
    finally:
        flood.stop()
    assert first == ranking[1]
    assert phone.events("attempt_failed")[0]["status"] == 503
    assert tried_later == tried, "Retry-After 20 is obeyed"
    assert rings(world)
