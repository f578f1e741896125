"""The harness itself: that the faults are faults, the NATs of their kinds, and that a test here can fail."""

import array
import time

import pytest

from coturn import Coturn
from sound import likeness, read_wav, sweep, write_wav


def test_rotation_is_real(make_world):
    for rotate in (False, True):
        world = make_world(numbers=(11, 12, 13), rotate=rotate, start=False)
        orders = {world.dns.addresses("example.test") for _ in range(30)}
        assert (len(orders) > 1) == rotate, orders


def test_servfail_is_real(make_world):
    world = make_world(numbers=(11,), start=False)
    assert world.dns.code("example.test") == 0
    assert world.dns.code("nobody.example.test") == 3
    world.dns.fail()
    assert world.dns.code("example.test") == 2


@pytest.mark.parametrize("random", [False, True])
def test_kinds_of_nat(make_world, random):
    """By the ports that two servers see of one socket."""
    world = make_world()
    phone = world.phone(behind=world.nat(random=random), transport="udp")
    phone.start().wait_until_registered()
    first = world.node_at(phone.current_server())
    first.silence()
    phone.wait_for("moved", limit=33)
    ports = {register["from"].split(":")[1] for node in world.nodes for register in node.registers()}
    assert (len(ports) > 1) == random, ports


@pytest.mark.parametrize("random", [False, True])
def test_coturn_shows_the_mapping(make_world, random):
    world = make_world(numbers=(), records=[])
    stun = Coturn(world.internet.host("stun", 20), world.directory)
    try:
        nat = world.nat(random=random)
        phone = world.internet.guest(nat)
        seen = {stun.mapping_of(phone, 40000 + number) for number in range(5)}
    finally:
        stun.stop()
    kept = {f"{nat.address}:{40000 + number}" for number in range(5)}
    assert len(seen) == 5 and all(mapping.startswith(f"{nat.address}:") for mapping in seen)
    assert (seen == kept) != random


@pytest.mark.lasts(20)
def test_a_common_client_fails_where_holdfast_does_not(make_world):
    """The control of S1: with the policy of another client the same world ends in no registration."""
    world = make_world()
    phone = world.phone(behind=world.nat(), transport="udp", preset="microsip")
    listed = world.dns.addresses("example.test")
    world.node_at(listed[0]).silence()
    phone.start()
    time.sleep(12)
    assert phone.count("registered") == 0
    assert phone.count("attempt") >= 1


def test_a_sound_is_found_in_a_recording_and_another_is_not(tmp_path):
    prompt, other = sweep(300, 1100), sweep(1100, 300)
    path = str(tmp_path / "heard.wav")
    write_wav(path, 16000, array.array("h", [one // 3 for one in prompt]), lead=0.7, tail=0.5)
    heard = read_wav(path)
    assert likeness(prompt, heard) > 0.95
    assert likeness(prompt, heard[:9000] + [0] * 800 + heard[9000:]) > 0.9  # 100 ms of it wait
    assert likeness(other, heard) < 0.5
    assert likeness(sweep(300, 700), heard) < 0.5
    assert likeness(prompt, heard[:len(heard) // 2] + [0] * 20000) < 0.7  # the half of it
    assert likeness(prompt, [0] * len(heard)) == 0
