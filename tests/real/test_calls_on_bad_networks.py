"""A call across a cable that loses, delays and mixes up packets (bad_link.py), straight from one holdfast to another: it stays up,
both understand each other, and what the network has left of the sound is written down.

What the cable does is drawn from a seed, but what is drawn for depends on the host's timing: limits are those of a call that can be
used, not of one run. Not here: that a clean cable changes nothing (test_calls_with_baresip.py); servers that die in a call.
"""

import os
import re
from contextlib import ExitStack, closing

import pytest

from bad_link import BadLink
from namespace import Namespace
from phone import Phone
from registrar import Registrar
from sound import LEAD, mean_correlation, places_of, read_wav, segmental_snr, sweep, write_wav

pytestmark = [pytest.mark.tun, pytest.mark.sounds, pytest.mark.lasts(16)]

SECONDS = 8.0  # of sound: 400 packets
CABLES = {
    "clean": {"delay_ms": 20},
    "bad": {"delay_ms": 40, "jitter_ms": 40, "loss": 0.05},
}
# Of both sides: how much of what was said arrives in its order (1: all), and the E-model's word on what was lost (4.4: nothing).
LIMITS = {"clean": (0.8, 4.0), "bad": (0.75, 2.5)}


class TwoPhones:
    """Alice at 192.0.2.1, without an account; Bob at 192.0.2.2 with a registrar beside him, who takes calls from anybody."""

    def __init__(self, directory, codec, closers, **cable):
        self.one, self.other = closers.enter_context(closing(Namespace("one"))), closers.enter_context(closing(Namespace("other")))
        closers.enter_context(closing(BadLink((self.one, "cable", "192.0.2.1/24"), (self.other, "cable", "192.0.2.2/24"), **cable)))
        registrar = Registrar(self.other, "192.0.2.2")
        closers.callback(registrar.stop)
        registrar.start()
        self.says = {"alice": sweep(300, 1100, SECONDS), "bob": sweep(1100, 300, SECONDS)}
        self.phones, self.recordings = {}, {}
        for name, host, more in (("alice", self.one, {}), ("bob", self.other, {
                "local": "192.0.2.2:5070", "set": ["policy.accept_direct_calls=on"]})):
            own = os.path.join(directory, name)
            os.mkdir(own)
            prompt, self.recordings[name] = os.path.join(own, "prompt.wav"), os.path.join(own, "recording.wav")
            write_wav(prompt, 8000, self.says[name], LEAD)
            self.phones[name] = Phone(host, own, "192.0.2.2", aor=f"sip:{name}@192.0.2.2", transport="udp", audio="null", codec=codec,
                                      play=prompt, record=self.recordings[name], **more)
            closers.callback(self.phones[name].stop)

    def talk(self):
        """Until both have said all; then Alice hangs up."""
        alice, bob = self.phones["alice"], self.phones["bob"]
        bob.answer()
        bob.wait_until_registered()
        alice.call_directly("sip:bob@192.0.2.2:5070")
        for phone in (alice, bob):
            phone.wait_for("played", limit=40)
        assert alice.end() == 0, alice.story()
        assert bob.wait_for_exit(40) == 0, bob.story()

    def heard_by(self, name):
        """(likeness, dB, MOS) of what the other side said."""
        said, heard = self.says["alice" if name == "bob" else "bob"], read_wav(self.recordings[name], channel=1)
        measured = self.phones[name].events("measured")[-1]["reason"]
        places = places_of(said, heard)
        return mean_correlation(places), segmental_snr(said, heard, places), float(re.search(r"MOS ([\d.]+)", measured)[1])


@pytest.fixture
def two_phones(make_world, tmp_path):  # `make_world` skips where namespaces cannot be made
    with ExitStack() as closers:
        yield lambda codec, **cable: TwoPhones(str(tmp_path), codec, closers, **cable)


@pytest.mark.parametrize("codec", ["PCMU", "opus"])
@pytest.mark.parametrize("cable", CABLES)
def test_both_are_understood(two_phones, figure, cable, codec):
    both = two_phones(codec, **CABLES[cable])
    both.talk()
    alike_least, mos_least = LIMITS[cable]
    for name in both.phones:
        alike, ratio, mos = both.heard_by(name)
        figure(f"call, {cable} network, {codec}, heard by {name}: likeness", round(alike, 3), unit="of 1", at_least=alike_least)
        figure(f"call, {cable} network, {codec}, heard by {name}: MOS (E-model)", mos, unit="of 4.5", at_least=mos_least)
        if codec == "PCMU":  # the only one of these that keeps the wave's form
            figure(f"call, {cable} network, {codec}, heard by {name}: segmental SNR", round(ratio, 1), unit="dB")
