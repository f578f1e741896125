"""Registrars that no real server can be made to be, as scripts on registrar.py."""

import time

import pytest

from registrar import Registrar


@pytest.fixture
def scripted(make_world):
    """Classes → a world whose servers 203.0.113.11, .12, … are those scripts, started; stopped after the test."""
    running = []

    def make(*classes):
        records = [f"@ A 203.0.113.{11 + index}" for index in range(len(classes))]
        world = make_world(numbers=(), records=records)
        for index, script in enumerate(classes):
            host = world.internet.host(f"ip{index + 1}", 11 + index)
            running.append(script(host, f"203.0.113.{11 + index}").start())
        return world, list(running)

    yield make
    for one in running:
        one.stop()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_an_honest_one(scripted, transport):
    """The base class itself: challenge, binding, removal."""
    world, (registrar,) = scripted(Registrar)
    phone = world.phone(behind=world.nat(), transport=transport)
    registered = phone.start().wait_until_registered()
    assert list(registrar.bindings) == [registered["contact"]]
    assert {one[1] for one in registrar.seen("REGISTER")} == {transport}
    assert phone.end() == 0
    assert registrar.bindings == {}


class Late(Registrar):
    """Answers everything 3 s after it was asked, probes too."""

    def on_request(self, asked, flow):
        self.later(3.0, lambda: Registrar.on_request(self, asked, flow))


def test_the_only_server_answers_late(scripted):
    """Slower than any patience: there is no other server, so its answers must count when they come (F3)."""
    world, (registrar,) = scripted(Late)
    phone = world.phone(behind=world.nat(), transport="udp")
    phone.start()
    registered = phone.wait_for("registered", limit=30)
    assert registered["contact"] in registrar.bindings


class Twice(Registrar):
    """Every answer comes twice, the second from another port."""

    def answer(self, asked, flow, status, reason, sock=None, **headers):
        message = super().answer(asked, flow, status, reason, sock, **headers)
        other = self.__dict__.setdefault("other", None) or self.socket()
        self.other = other
        flow.send(message.encode(), other)
        return message


def test_every_answer_comes_twice(scripted):
    world, (registrar,) = scripted(Twice)
    phone = world.phone(transport="udp")  # no NAT, so that both copies arrive
    registered = phone.start().wait_until_registered()
    time.sleep(2)
    assert list(registrar.bindings) == [registered["contact"]]
    assert phone.count("attempt_failed", "suspect", "unregistered") == 0
    assert len(registrar.seen("REGISTER")) <= 3
    assert phone.end() == 0
