"""What befalls the network in the middle of a call between two holdfasts, and how long either hears nothing then.

Both say one tone all the time; the gap is looked for in what each recorded of the other.
"""

import os
import time

import pytest

from network import wait_until
from sound import longest_gap, read_wav

pytestmark = [pytest.mark.sounds, pytest.mark.lasts(25)]

BEFORE, AFTER = 3, 6  # seconds of the call before the fault, and from it on


class Talk:
    """Alice, behind a NAT or not, calls Bob through Kamailio."""

    def __init__(self, world, nat=None, transport="udp", **options):
        self.world = world
        self.recordings = {name: os.path.join(world.directory, f"{name}.wav") for name in ("alice", "bob")}
        self.bob = world.phone(aor="sip:bob@example.test", transport=transport)
        self.alice = world.phone(behind=nat, transport=transport)

        def sound(name):
            return {"audio": "tone:440", "codec": "PCMU", "record": self.recordings[name], **options}

        self.bob.answer(**sound("bob"))
        self.bob.wait_until_registered()
        self.alice.call("sip:bob@example.test", **sound("alice"))
        for phone in (self.alice, self.bob):
            phone.wait_for("sound", limit=15, where=lambda event: "we hear" in event["reason"])
        self._wait(BEFORE)

    def _wait(self, seconds):
        """Neither may end meanwhile."""
        end = time.monotonic() + seconds
        wait_until(lambda: time.monotonic() > end, seconds + 5, "the time of the call is over", every=0.1)
        for phone in (self.alice, self.bob):
            assert not phone.events("call_ended"), phone.story()

    def go_on(self, seconds=AFTER):
        self._wait(seconds)

    def hang_up(self):
        assert self.alice.end() == 0, self.alice.story()
        self.bob.wait_for("call_ended", limit=40)
        assert self.bob.wait_for_exit(40) == 0, self.bob.story()

    def gaps(self):
        """Of each who hears: seconds of silence within the sound, which lasts to the end of the call."""
        found = {name: longest_gap(read_wav(path, channel=1)) for name, path in self.recordings.items()}
        for name, (_, whole) in found.items():
            assert whole > BEFORE + AFTER - 1, f"{name} heard the other side for {whole} s"
        return {name: gap for name, (gap, _) in found.items()}


@pytest.mark.parametrize("transport, srtp", [("udp", "off"), ("tcp", "required")])
def test_a_nat_rebinds_in_a_call(make_world, figure, transport, srtp):
    """Its router restarts: what comes to the old port is lost until the other side follows the sound to the new one."""
    world = make_world(numbers=(11,))
    nat = world.nat()
    talk = Talk(world, nat, transport, srtp=srtp, **({} if srtp == "off" else {"srtp_keys": "sdes"}))
    nat.rebind()
    talk.go_on()
    talk.hang_up()
    for name, gap in talk.gaps().items():
        figure(f"NAT rebinding in a call, {transport}, SRTP {srtp}: {name} hears nothing for", round(gap, 2), 2)


def test_its_address_changes_in_a_call(make_world, figure):
    """DHCP gives its host another one: the call follows to it, signalling and sound."""
    world = make_world(numbers=(11,))
    talk = Talk(world, world.nat())
    host = talk.alice.host
    host.run("ip", "address", "del", "192.168.1.2/24", "dev", "eth0")  # the routes go with it
    host.run("ip", "address", "add", "192.168.1.77/24", "dev", "eth0")
    host.run("ip", "route", "add", "default", "via", "192.168.1.1")
    talk.go_on()
    talk.hang_up()
    for name, gap in talk.gaps().items():
        figure(f"another address in a call: {name} hears nothing for", round(gap, 2), 2)


def test_its_server_dies_in_a_call(make_world, figure):
    """The sound does not go through it: nobody hears that it is dead. The registrations move."""
    world = make_world()
    talk = Talk(world)
    for server in {talk.alice.current_server(), talk.bob.current_server()}:
        world.node_at(server).kill()
    for phone in (talk.alice, talk.bob):
        phone.wait_for("moved", limit=45)
    talk.go_on()
    for phone in (talk.alice, talk.bob):
        assert phone.end() in (0, 17), phone.story()  # 17: the dead one's binding lasts until it expires
    for name, gap in talk.gaps().items():  # what a busy host keeps waiting; by itself it is 0
        figure(f"server dies in a call: {name} hears nothing for", round(gap, 2), 1)


@pytest.mark.parametrize("what", ["it is killed", "its cable is cut"])
def test_the_other_side_is_gone(make_world, what):
    """It is told within seconds; the call is the user's to end, and ends."""
    world = make_world(numbers=(11,))
    talk = Talk(world)
    fault = time.monotonic()
    if what == "it is killed":
        talk.bob.stop()
    else:
        talk.bob.host.run("ip", "link", "set", "eth0", "down")
    silent = talk.alice.wait_for("silent", limit=8, after=fault)
    assert "nothing is heard from the other side for 3 s" in silent["reason"]
    assert not talk.alice.events("call_ended"), talk.alice.story()
    assert talk.alice.end(limit=20) == 0, talk.alice.story()
    assert talk.alice.events("call_ended") and talk.alice.events("recorded") and talk.alice.events("unregistered"), talk.alice.story()
    assert longest_gap(read_wav(talk.recordings["alice"], channel=1))[1] > BEFORE - 1


def test_its_own_cable_is_cut_in_a_call(make_world):
    """Nothing can be sent any more, not even that it goes: it says so, ends in time, and has the recording."""
    world = make_world(numbers=(11,))
    talk = Talk(world)
    fault = time.monotonic()
    talk.alice.host.run("ip", "link", "set", "eth0", "down")
    talk.alice.wait_for("silent", limit=8, after=fault)
    assert talk.alice.end(limit=30) == 17, talk.alice.story()
    assert talk.alice.events("call_ended") and talk.alice.events("recorded"), talk.alice.story()
    assert longest_gap(read_wav(talk.recordings["alice"], channel=1))[1] > BEFORE - 1
