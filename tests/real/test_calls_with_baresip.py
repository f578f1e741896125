"""Calls between holdfast and Debian's baresip, both registered at a Kamailio: who hears what, and how a call ends.

Either side plays a prompt of its own; what the far side decoded is compared with it by correlation (sound.py).
"""

import os
import re
import shutil

import pytest

from baresip import PROGRAM, RATES
from certificates import Authority, ServerTls
from network import wait_until
from sound import LEAD, SECONDS, likeness, read_wav, sweep, write_wav

MISSING = "not installed: baresip-core (tools/bootstrap real)"
pytestmark = [pytest.mark.skipif(not os.path.exists(PROGRAM), reason=MISSING), pytest.mark.sounds, pytest.mark.lasts(8)]

ALICE, BOB = "sip:alice@example.test", "sip:bob@example.test"
ALIKE = 0.8  # of a prompt and what is left of it after the codecs; sounds that have nothing in common are below 0.1
SRTP = {"none": {"srtp": "off"}, "sdes": {"srtp": "required", "srtp_keys": "sdes"},
        "dtls": {"srtp": "required", "srtp_keys": "dtls"}}


def _with_key(certificate, key):
    """The file of both."""
    with open(certificate, "a", encoding="ascii") as both, open(key, encoding="ascii") as own:
        both.write(own.read())
    return certificate


class Sides:
    """Alice (holdfast, not started yet) and Bob (baresip, registered), and what each of them says."""

    def __init__(self, make_world, authority, transport="udp", codec="PCMU", encryption="none", answers=False):
        tls = ServerTls(*authority.issue("server", "DNS:example.test")) if transport == "tls" else None
        ca = authority.certificate if tls else None
        certificate = _with_key(*authority.issue("bob", "DNS:example.test")) if tls else None
        self.world = make_world(numbers=(11,), tls=tls)
        # Both say nothing at first: a ClientHello that comes before baresip has read our 200 is said again after 1 s.
        self._lead = 2.5 if encryption == "dtls" else LEAD
        self.alice_says, self.bob_says = sweep(300, 1100), sweep(1100, 300)
        files = self.world.directory
        self._prompt = os.path.join(files, "alice.wav")
        self.recording = os.path.join(files, "recording.wav")
        write_wav(self._prompt, 16000, self.alice_says, self._lead)
        write_wav(os.path.join(files, "bob.wav"), RATES[codec], self.bob_says, self._lead, tail=30)
        self.bob = self.world.baresip(play=os.path.join(files, "bob.wav"), transport=transport, codec=codec,
                                      encryption=encryption, ca=ca, certificate=certificate, answers=answers)
        self.alice = self.world.phone(transport=transport, **({"ca": ca} if ca else {}))
        self.options = {"audio": "null", "play": self._prompt, "record": self.recording, "codec": codec,
                         **SRTP[encryption]}
        self.bob.start()
        wait_until(lambda: self.world.nodes[0].contacts("bob"), 10, "baresip is registered", every=0.05)

    def alice_calls(self, **options):
        self.alice.call(BOB, **{**self.options, **options})
        self.bob.wait_for("CALL_INCOMING")
        self.alice.wait_for("ringing", limit=5)

    def bob_calls(self, **options):
        self.alice.answer(**{**self.options, **options})
        self.alice.wait_until_registered()
        self.bob.command("dial", ALICE)

    def established(self):
        self.alice.wait_for("answered", limit=10)
        self.bob.wait_for("CALL_ESTABLISHED")

    def connect(self, caller="holdfast", **options):
        if caller == "holdfast":
            self.alice_calls(**options)
            self.bob.command("accept")
        else:
            self.bob_calls(**options)
        self.established()

    def wait_until_said(self):
        """Both prompts are over, and what they were has arrived."""
        begun = self.alice.wait_for("sound", limit=10)
        self.alice.wait_for("played", limit=15)
        behind = self.bob.seconds_heard() + 0.4
        wait_until(lambda: self.bob.seconds_heard() > behind, 5, "baresip hears on after alice's prompt")
        whole = self._lead + SECONDS + 1
        wait_until(lambda: self.bob.seconds_said() > whole, 15, "baresip has said its prompt")
        return begun

    def bob_hangs_up(self):
        self.bob.command("hangup")
        assert self.alice.wait_for_exit(10) == 0

    def alice_hangs_up(self):
        assert self.alice.end() == 0
        self.bob.wait_for("CALL_CLOSED")

    def heard_by_bob(self):
        return likeness(self.alice_says, read_wav(self.bob.heard))

    def heard_by_alice(self):
        return likeness(self.bob_says, read_wav(self.recording, channel=1))


@pytest.fixture
def sides(make_world, tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("not installed: openssl")
    authority = Authority(str(tmp_path / "ca"))
    return lambda **options: Sides(make_world, authority, **options)


# Every pair of two columns is there, not every three of them.
KINDS = [("holdfast", "udp", "PCMU", "none"), ("holdfast", "udp", "G722", "sdes"), ("baresip", "udp", "opus", "dtls"),
         ("baresip", "tcp", "PCMU", "sdes"), ("holdfast", "tcp", "G722", "dtls"), ("baresip", "tcp", "opus", "none"),
         ("baresip", "tls", "PCMU", "dtls"), ("baresip", "tls", "G722", "none"), ("holdfast", "tls", "opus", "sdes")]


@pytest.mark.parametrize("caller, transport, codec, encryption", KINDS, ids=["-".join(kind) for kind in KINDS])
def test_each_hears_what_the_other_says(sides, caller, transport, codec, encryption):
    both = sides(transport=transport, codec=codec, encryption=encryption)
    both.connect(caller)
    begun = both.wait_until_said()
    assert codec.lower() in begun["reason"].lower()
    both.bob_hangs_up()
    by_bob, by_alice = both.heard_by_bob(), both.heard_by_alice()
    print(f"heard by baresip {by_bob:.3f}, by holdfast {by_alice:.3f}")
    assert by_bob > ALIKE and by_alice > ALIKE


@pytest.mark.parametrize("caller", ["holdfast", "baresip"])
def test_holdfast_hangs_up(sides, caller):
    both = sides()
    both.connect(caller)
    both.alice.wait_for("sound", limit=5)
    both.alice_hangs_up()


def test_holdfast_gives_up_while_it_rings(sides):
    """CANCEL: baresip stops ringing, and the exit code says that nobody answered."""
    both = sides()
    both.alice_calls()
    assert both.alice.end() == 20
    both.bob.wait_for("CALL_CLOSED")
    assert not both.bob.events("CALL_ESTABLISHED")


def test_baresip_is_busy(sides):
    both = sides()
    both.alice_calls()
    both.bob.command("hangup")
    assert both.alice.wait_for_exit(10) == 20
    ended = both.alice.events("call_ended")[-1]
    assert ended["status"] == 486, ended


def test_holdfast_is_busy_and_its_call_goes_on(sides):
    """`holdfast answer` takes one call; a second one meanwhile hears 486."""
    both = sides()
    both.connect("baresip")
    both.bob.command("dial", ALICE)
    refused = both.bob.wait_for("CALL_CLOSED")
    assert "486" in refused["param"], refused
    both.alice.wait_for("played", limit=10)
    first = both.alice.events("answered")[0]["call"]
    assert not [event for event in both.alice.events("call_ended", "silent") if event["call"] == first]


@pytest.mark.parametrize("codec", ["PCMU", "G722"])
def test_digits_both_ways(sides, codec):
    """RFC 4733. Not with Opus: baresip 1.0 has telephone-event/8000 only, whatever the clock of the codec."""
    both = sides(codec=codec)
    both.connect("holdfast", dtmf="159#", dtmf_by="events")
    both.alice.wait_for("sound", limit=5)
    for digit in "204*":
        both.bob.command("sndcode", digit)
        both.alice.wait_for("dtmf", limit=5, where=lambda event, key=digit: event["reason"] == key)
    both.bob.wait_for("CALL_DTMF_START", where=lambda event: event["param"] == "#")
    assert [event["reason"] for event in both.alice.events("dtmf")] == list("204*")
    assert [event["param"] for event in both.bob.events("CALL_DTMF_START")] == list("159#")


@pytest.mark.parametrize("way", ["auto", "info"])
def test_digits_by_info(sides, way):
    """With Opus baresip 1.0 has no telephone events, and its Allow has INFO: that is what `auto` takes."""
    both = sides(codec="opus")
    both.connect("holdfast", dtmf="159#", dtmf_by=way)
    both.alice.wait_for("digits_sent", limit=10)
    both.bob.wait_for("CALL_DTMF_START", where=lambda event: event["param"] == "#")
    assert [event["param"] for event in both.bob.events("CALL_DTMF_START")] == list("159#")


def test_digits_that_baresip_refuses_are_told_and_the_call_goes_on(sides):
    """Baresip 1.0 answers an INFO with application/dtmf 488: it knows application/dtmf-relay."""
    both = sides()
    both.connect("holdfast", dtmf="15", dtmf_by="info-plain")
    assert both.alice.wait_for("digits_failed", limit=10)["status"] == 488
    both.alice.wait_for("played", limit=10)
    assert not both.alice.events("digits_sent", "call_ended") and not both.bob.events("CALL_DTMF_START")


def test_digits_that_baresip_does_not_take_are_told(sides):
    both = sides(codec="opus")
    both.connect("holdfast", dtmf="1", dtmf_by="events")
    failed = both.alice.wait_for("sound_failed", limit=5)
    assert "RFC 4733" in failed["reason"], failed
    both.alice_hangs_up()
    assert not both.bob.events("CALL_DTMF_START")


@pytest.mark.parametrize("encryption", ["none", "sdes"])
def test_baresip_holds_and_resumes(sides, encryption):
    """Held (a=sendonly, RFC 3264 §8.4) we send nothing; afterwards both sides hear again."""
    both = sides(encryption=encryption)
    both.connect("holdfast")
    wait_until(lambda: both.bob.packets()[1] > 10, 5, "baresip hears")
    both.bob.command("hold")
    assert both.alice.wait_for("held", limit=5)["reason"] == "by the other side"
    looks = [both.bob.packets()[1]]

    def two_in_a_row():
        looks.append(both.bob.packets()[1])
        return looks[-1] == looks[-2]

    wait_until(two_in_a_row, 10, "what was on its way has come", every=0.1)
    said = both.bob.seconds_said()
    wait_until(lambda: both.bob.seconds_said() > said + 0.5, 10, "half a second on hold")
    sent, received = both.bob.packets()
    assert received == looks[-1], "held, we send nothing"
    both.bob.command("resume")
    both.alice.wait_for("resumed", limit=5)
    wait_until(lambda: both.bob.packets()[1] > received + 25, 5, "baresip hears again")
    wait_until(lambda: both.bob.packets()[0] > sent + 25, 5, "baresip sends again")
    assert "SSRC changed" not in both.bob.story(), "the stream goes on (RFC 3264 §8)"
    both.bob_hangs_up()
    measured = both.alice.events("measured")[-1]["reason"]
    assert int(re.search(r"(\d+) packets heard", measured)[1]) > sent + 20, measured


@pytest.mark.alone
def test_how_soon_a_call_is_there(sides, figure):
    """Figures, without a limit: a Kamailio on the way, baresip answers by itself."""
    both = sides(answers=True)
    both.alice.call(BOB, **both.options)
    sound = both.alice.wait_for("sound", limit=10, where=lambda event: "we hear" in event["reason"])
    dialled, answered = (both.alice.events(kind)[0]["t"] for kind in ("dialling", "answered"))
    figure("call to baresip: INVITE to 200", round(answered - dialled, 4))
    figure("call to baresip: INVITE to the first sound", round(sound["t"] - dialled, 4))
    both.alice_hangs_up()
