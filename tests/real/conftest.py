"""Why a test is skipped, how tests share the machine, what a failure prints, and where figures go."""

import json
import os
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
os.environ["PATH"] += ":/usr/sbin:/sbin"  # servers live there, and not everybody has it

from certificates import Authority, ServerTls  # noqa: E402
from figures import in_order  # noqa: E402
from namespace import interrupt_with_parent  # noqa: E402
from phone import PROGRAM  # noqa: E402
from world import World  # noqa: E402

NEEDED = {
    "kamailio": "kamailio", "knotd": "knot", "nft": "nftables", "conntrack": "conntrack", "ip": "iproute2",
    "nsenter": "util-linux", "dnsmasq": "dnsmasq-base", "turnserver": "coturn", "openssl": "openssl",
}


SOUND_SERVER = {"pulseaudio": "pulseaudio", "pactl": "pulseaudio-utils"}
OTHER_SIDES = {"baresip": "baresip-core", "sipp": "sip-tester"}  # without one, the calls with it are skipped


def not_installed(programs):
    if os.geteuid() != 0:
        return "needs root to make network namespaces"
    missing = [package for program, package in programs.items() if shutil.which(program) is None]
    return f"not installed: {' '.join(missing)} (tools/bootstrap real)" if missing else None


def not_in_kernel():
    if not os.path.exists("/proc/net/if_inet6"):
        return "this kernel has no IPv6"
    done = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False)
    if done.returncode != 0:
        return f"no network namespace can be made here: {done.stderr.decode().strip()}"
    for rule, what in (("chain s { type nat hook postrouting priority 100; masquerade; }", "NAT"),
                       ("chain i { type filter hook input priority 0; ct state new drop; }", "conntrack")):
        done = subprocess.run(["unshare", "--net", "nft", f"table ip t {{ {rule}; }}"], capture_output=True, check=False)
        if done.returncode != 0:
            return f"this kernel has no nf_tables {what}: {done.stderr.decode().strip().splitlines()[:1]}"
    return None


def reason_to_skip():
    return not_installed(NEEDED) or not_in_kernel()


def reason_to_skip_tun():
    done = subprocess.run(["unshare", "--net", "ip", "tuntap", "add", "try", "mode", "tun"], capture_output=True, check=False)
    return None if done.returncode == 0 else f"this kernel has no TUN devices: {done.stderr.decode().strip()}"


def reason_to_fail():
    """HOLDFAST_REAL_REQUIRED=packages: skipped for want of root or of a package is failed. =all: also for want of what the
    kernel of the host gives."""
    required = os.environ.get("HOLDFAST_REAL_REQUIRED")
    if not required:
        return None
    if required not in ("packages", "all"):
        return f"HOLDFAST_REAL_REQUIRED is '{required}'; it can be: packages, all"
    why = not_installed({**NEEDED, **OTHER_SIDES, **SOUND_SERVER})
    if not why and required == "all":
        why = not_in_kernel() or reason_to_skip_tun()
    return f"{why}; with HOLDFAST_REAL_REQUIRED={required} no test may be skipped for that" if why else None


CALLS_AT_ONCE = 5  # that two processors serve in time, beside tests that wait


def pytest_configure(config):
    config.addinivalue_line("markers", "sound_server: needs PulseAudio (sound_server.py)")
    config.addinivalue_line("markers", "tun: needs TUN devices (bad_link.py)")
    config.addinivalue_line("markers", "sounds: packets every 20 ms, and what is heard counts: few of these at once")
    config.addinivalue_line("markers", "lasts(seconds): about how long the test waits; long ones start first")
    config.addinivalue_line("markers", "row: a row of the table of docs/measured.md; `make measure` runs it three times")
    config.addinivalue_line("markers", "long: takes longer than all others together, and runs beside them")
    config.addinivalue_line("markers", "alone: measures fractions of a second; no other test runs beside it")
    if "PYTEST_XDIST_WORKER" in os.environ:
        interrupt_with_parent()
    elif why := reason_to_fail():
        raise pytest.UsageError(why)
    if not os.path.exists(PROGRAM):
        raise pytest.UsageError(f"{os.path.realpath(PROGRAM)} is not there; run: make build")


def seconds_of(item):
    mark = item.get_closest_marker("lasts")
    return mark.args[0] if mark else 15


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Tests mostly wait. Longest first, each goes to the worker that has least to do so far (a fixed plan, the same
    in every worker), so that the whole takes hardly longer than the longest test."""
    why = reason_to_skip()
    if why:
        for item in items:
            if "make_world" in item.fixturenames:  # those of hostile/ need loopback only
                item.add_marker(pytest.mark.skip(reason=why))
    if not why and any(item.get_closest_marker("tun") for item in items):
        why = reason_to_skip_tun()
        for item in items:
            if why and item.get_closest_marker("tun"):
                item.add_marker(pytest.mark.skip(reason=why))
    why = not_installed(SOUND_SERVER)
    for item in items:
        if why and item.get_closest_marker("sound_server"):
            item.add_marker(pytest.mark.skip(reason=why))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0"))
    if workers > 1:
        load = [0] * workers
        for item in sorted(items, key=lambda one: (-seconds_of(one), one.nodeid)):
            some = load[:CALLS_AT_ONCE] if item.get_closest_marker("sounds") else load
            least = load.index(min(some))
            load[least] += seconds_of(item)
            item.add_marker(pytest.mark.xdist_group(f"{least}"))
    items.sort(key=lambda one: -seconds_of(one))


@pytest.fixture
def make_world(request):
    """World's arguments → a World that ends with the test, and whose story a failure tells."""
    worlds = []

    def make(**options):
        world = World(**options)
        request.node.stash.setdefault(WORLDS, []).append(world)
        worlds.append(world)
        return world

    yield make
    for world in worlds:
        world.close()


@pytest.fixture
def world_over(make_world, tmp_path):
    """Transport, World's arguments → a World whose servers speak it, and the options that a phone needs for it."""

    def make(transport, names=("example.test",), **options):
        if transport != "tls":
            return make_world(**options), {"transport": transport}
        authority = Authority(str(tmp_path / "ca"))
        certificate = authority.issue("server", *(f"DNS:{name}" for name in names))
        return make_world(tls=ServerTls(*certificate), **options), {"transport": "tls", "ca": authority.certificate}

    return make


WORLDS = pytest.StashKey()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        for world in item.stash.get(WORLDS, []):
            report.sections.append(("the world", world.story()))


@pytest.fixture
def figure(record_property):
    """figure(row, measured, limit): notes what was measured and holds it to the limit (`at_least`: to that)."""

    def note(row, measured, limit=None, unit="s", at_least=None):
        record_property("figure", [row, measured, limit if at_least is None else at_least, unit, at_least is not None])
        if limit is not None:
            assert measured is not None and measured <= limit, f"{row}: {measured} {unit}, the limit is {limit} {unit}"
        if at_least is not None:
            assert measured is not None and measured >= at_least, f"{row}: {measured} {unit}, not {at_least} {unit}"

    return note


def pytest_terminal_summary(terminalreporter):
    """What was measured, as lines for people; and for tools/measure into the file that it names."""
    figures = []
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        figures += [value for name, value in report.user_properties if name == "figure"]
    figures.sort(key=lambda one: in_order(one[0]))
    if figures:
        terminalreporter.section("measured")
    for row, measured, limit, unit, at_least in figures:
        bound = "" if limit is None else f"  ({'at least' if at_least else 'at most'} {limit:g})"
        terminalreporter.write_line(f"{row}: {'never' if measured is None else f'{measured:g}'} {unit}{bound}")
    path = os.environ.get("HOLDFAST_FIGURES")
    if path and "PYTEST_XDIST_WORKER" not in os.environ:
        with open(path, "a", encoding="utf-8") as out:
            out.writelines(json.dumps(one) + "\n" for one in figures)
