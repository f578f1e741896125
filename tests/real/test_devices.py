"""Sound devices of a desktop in a call: a microphone and a loudspeaker that are pulled out and plugged in again, one that comes late,
and a loudspeaker that the microphone hears.

Two holdfasts, one calls the other directly on one host's loopback; the devices are PulseAudio's: a sink that plays nowhere, its
monitor as a microphone, a sine as another.
"""

import array
import math
import os
import random
from contextlib import ExitStack, closing

import pytest

from namespace import Namespace
from phone import Phone
from registrar import Registrar
from sound import LEAD, RATE, likeness, longest_gap, read_wav, sweep, unhurried, write_wav
from sound_server import SoundServer

pytestmark = [pytest.mark.sounds, pytest.mark.sound_server]

ADDRESS = "127.0.0.1"


class Desk:
    """Alice, who has the devices, will call Bob, who answers anybody."""

    def __init__(self, directory, closers):
        self.host = closers.enter_context(closing(Namespace("desk")))
        self.directory = directory
        self.devices = SoundServer(self.host, os.path.join(directory, "pulse"))
        closers.callback(self.devices.stop)
        registrar = Registrar(self.host, ADDRESS)
        closers.callback(registrar.stop)
        registrar.start()
        self.recordings = {}
        self.bob = self._phone("bob", closers, local=f"{ADDRESS}:5070", set=["policy.accept_direct_calls=on"])
        self.alice = self._phone("alice", closers)

    def _phone(self, name, closers, **options):
        own = os.path.join(self.directory, name)
        os.mkdir(own)
        self.recordings[name] = os.path.join(own, "recording.wav")
        phone = Phone(self.host, own, ADDRESS, aor=f"sip:{name}@{ADDRESS}", transport="udp", record=self.recordings[name], **options)
        phone.environment = {"PULSE_SERVER": self.devices.environment["PULSE_SERVER"]}
        closers.callback(phone.stop)
        return phone

    def call(self, alice, bob):
        """With these options of the sound."""
        self.bob.answer(**bob)
        self.bob.wait_until_registered()
        self.alice.call_directly(f"sip:bob@{ADDRESS}:5070", **alice)
        for phone in (self.alice, self.bob):
            phone.wait_for("sound", limit=20, where=lambda event: "we hear" in event["reason"])

    def hang_up(self):
        for phone in (self.alice, self.bob):
            assert not phone.events("call_ended"), phone.story()
        assert self.alice.end() == 0, self.alice.story()
        assert self.bob.wait_for_exit(40) == 0, self.bob.story()

    def is_heard_at(self, microphone):
        path = os.path.join(self.directory, "heard.wav")
        self.devices.hear(2, path, microphone)
        return max(map(abs, read_wav(path)), default=0) > 2000


@pytest.fixture
def desk(make_world, tmp_path):  # `make_world` skips where namespaces cannot be made
    with ExitStack() as closers:
        yield Desk(str(tmp_path), closers)


def lost(phone, device):
    phone.wait_for("sound_failed", limit=15, where=lambda event: event["reason"].startswith(device + ": "))


def found(phone, device):
    phone.wait_for("notice", limit=15, where=lambda event: event["reason"] == device + " is there again")


@pytest.mark.lasts(16)
def test_what_is_pulled_out_and_plugged_in_again_is_used_again(desk):
    pull_out_microphone = desk.devices.plug_in_whistle("whistle", 440)
    pull_out_speaker = desk.devices.plug_in_speaker("headset")
    desk.call(alice={"microphone": "pulse:whistle.monitor", "speaker": "pulse:headset", "noise_suppression": "off", "codec": "PCMU"},
              bob={"audio": "tone:880"})
    assert desk.is_heard_at("headset.monitor"), desk.alice.story()

    pull_out_microphone()
    lost(desk.alice, "pulse:whistle.monitor")
    assert desk.is_heard_at("headset.monitor"), "the loudspeaker goes on"
    desk.devices.plug_in_whistle("whistle", 440)
    found(desk.alice, "pulse:whistle.monitor")

    pull_out_speaker()
    lost(desk.alice, "pulse:headset")
    desk.devices.plug_in_speaker("headset")
    found(desk.alice, "pulse:headset")
    assert desk.is_heard_at("headset.monitor"), desk.alice.story()

    desk.hang_up()
    assert len(desk.alice.events("sound_failed")) == 2, "each loss is told once"
    # Bob heard the whistle, then none, then again, to the end.
    gap, whole = longest_gap(read_wav(desk.recordings["bob"], channel=1))
    assert gap > 1 and whole > gap + 4, (gap, whole)


@pytest.mark.lasts(6)
def test_a_microphone_that_comes_late_is_used_when_it_comes(desk):
    desk.call(alice={"microphone": "pulse:late.monitor", "speaker": "null", "noise_suppression": "off", "codec": "PCMU"},
              bob={"audio": "tone:880"})
    lost(desk.alice, "pulse:late.monitor")
    desk.devices.plug_in_whistle("late", 440)
    found(desk.alice, "pulse:late.monitor")
    desk.hang_up()
    _, whole = longest_gap(read_wav(desk.recordings["bob"], channel=1))
    assert whole > 1.5, f"Bob heard it for {whole} s"


@unhurried()
def rain(seconds):
    """Noise that swells four times a second: nothing of it comes twice."""
    drops = random.Random(1)
    return array.array("h", (int(drops.gauss(0, 3000) * (0.6 + 0.4 * math.sin(8 * math.pi * at / RATE)))
                             for at in range(int(seconds * RATE))))


@unhurried()
def loudness(samples):
    return 10 * math.log10(max(sum(one * one for one in samples) / max(len(samples), 1), 1))


@pytest.mark.lasts(14)
@pytest.mark.parametrize("cancel, codec", [("off", "PCMU"), ("auto", "PCMU"), ("auto", "G722"), ("auto", "opus")])
def test_the_other_side_does_not_hear_itself(desk, figure, cancel, codec):
    """Alice's microphone hears nothing but her loudspeaker, as loud as it plays. Then somebody speaks before it."""
    desk.devices.plug_in_speaker("room")
    said, spoken = os.path.join(desk.directory, "said.wav"), os.path.join(desk.directory, "spoken.wav")
    write_wav(said, 8000, rain(8), LEAD)
    words = sweep(400, 1600, 3)
    write_wav(spoken, 8000, words, 0.2)
    desk.call(alice={"microphone": "pulse:room.monitor", "speaker": "pulse:room", "echo_cancel": cancel, "noise_suppression": "off",
                     "codec": codec},
              bob={"audio": "null", "play": said})
    desk.bob.wait_for("played", limit=30)
    desk.devices.play(spoken, "room")
    desk.hang_up()

    own, heard = read_wav(desk.recordings["bob"], channel=0), read_wav(desk.recordings["bob"], channel=1)
    begins = next(at for at, one in enumerate(own) if abs(one) > 300)
    # The canceller has had four seconds to learn; a busy host throws it back, so its best second counts.
    seconds = [slice(begins + at * RATE, begins + (at + 1) * RATE) for at in range(4, 7)]
    weaker = max(loudness(own[each]) - loudness(heard[each]) for each in seconds)
    figure(f"echo of a loudspeaker as loud as the voice, {codec}, echo-cancel {cancel}: weaker than what was said by",
           round(weaker, 1), unit="dB")
    if cancel == "off":
        assert weaker < 5, "there is an echo to cancel"
    else:
        assert weaker > 8
    assert likeness(words, heard[begins + 8 * RATE:]) > 0.7, "who speaks into the microphone is heard"


@pytest.mark.lasts(22)
@pytest.mark.parametrize("codec", ["PCMU", "opus"])
def test_from_mouth_to_ear(desk, figure, codec):
    """From Alice's microphone to Bob's loudspeaker: a click each second at the one, and when it comes out of the other."""
    pull_out = desk.devices.plug_in_speaker("ear")
    clicks = array.array("h")
    for _ in range(40):
        clicks.extend(array.array("h", [12000, -12000] * (RATE // 100)) + array.array("h", bytes(2 * (RATE - RATE // 50))))
    desk.devices.plug_in_speaker("mouth")
    path = os.path.join(desk.directory, "clicks.wav")
    write_wav(path, 8000, clicks, 0)
    desk.call(alice={"microphone": "pulse:mouth.monitor", "speaker": "null", "echo_cancel": "off", "noise_suppression": "off",
                     "codec": codec},
              bob={"microphone": "null", "speaker": "pulse:ear"})
    with desk.devices.playing(path, "mouth"):
        said, heard = desk.devices.clicks_at("mouth.monitor", "ear.monitor", seconds=20)
    desk.hang_up()
    pull_out()
    delays = sorted(min((1000 * (at - begun) for at in heard if at > begun), default=math.inf) for begun in said[9:-1])
    assert len(delays) >= 8 and delays[-2] < 1000, (said, heard)
    figure(f"from mouth to ear on one host, {codec}, devices of PulseAudio: median of {len(delays)} clicks",
           round(delays[len(delays) // 2]), 250, unit="ms")
