"""A registrar and a phone for each test, and the story of both when it fails.

These tests need neither root nor a namespace: all is on loopback, on ports that the system chooses."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from loopback_phone import LoopbackPhone  # noqa: E402
from sip_peer import Registrar  # noqa: E402

PLAYERS = pytest.StashKey()


@pytest.fixture
def server(request):
    """server(transport, behave) → a Registrar that ends with the test, and must not have failed in itself."""
    made = []

    def make(transport="udp", behave=None, **options):
        made.append(Registrar(transport, behave, **options))
        request.node.stash.setdefault(PLAYERS, []).append(made[-1])
        return made[-1]

    yield make
    for one in made:
        one.close()
    assert not [one.failure for one in made if one.failure]


@pytest.fixture
def phone(request, tmp_path, server):
    """phone(registrar, …) → a running phone; it must end by SIGTERM within ENDS_WITHIN, whatever was done to it."""
    made = []

    def make(registrar, **options):
        directory = tmp_path / f"phone{len(made)}"
        directory.mkdir()
        made.append(LoopbackPhone(str(directory), registrar.uri, **options))
        request.node.stash.setdefault(PLAYERS, []).append(made[-1])
        return made[-1]

    yield make
    try:
        for one in made:
            one.close()
    finally:
        for one in made:
            one.stop()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for player in item.stash.get(PLAYERS, []):
            report.sections.append((type(player).__name__, player.story()))
