"""Calls between holdfast and SIPp through a Kamailio: what is rarely asked of a phone, and must go as the RFCs write it.

SIPp says a prompt, which must be in what is heard (sound.py). A scenario that does not go as written fails.
"""

import os
import re
import time

import pytest

from network import wait_until
from sipp import PROGRAM
from sound import SECONDS, likeness, read_wav, sweep

MISSING = "not installed: sip-tester (tools/bootstrap real)"
pytestmark = [pytest.mark.skipif(not os.path.exists(PROGRAM), reason=MISSING), pytest.mark.sounds, pytest.mark.lasts(8)]

ALIKE = 0.8  # of a prompt and what is heard of it after the codec; sounds that have nothing in common are below 0.1


PROMPT = sweep(1100, 300)


class Alice:
    """holdfast, not started yet, with a file for what it hears."""

    def __init__(self, world, transport="udp"):
        self.world = world
        self.recording = os.path.join(world.directory, "recording.wav")
        self.phone = world.phone(transport=transport)
        self._options = {"audio": "null", "record": self.recording, "codec": "PCMU", "srtp": "off"}

    def calls(self, uri="sip:bob@example.test", **options):
        self.phone.call(uri, **{**self._options, **options})

    def answers(self, **options):
        self.phone.answer(**{**self._options, **options})
        self.phone.wait_until_registered()

    def listens(self):
        """Until the prompt has been said."""
        self.phone.wait_for("sound", limit=10, where=lambda event: "we hear" in event["reason"])
        answered = self.phone.wait_for("answered", limit=10)  # the recording begins
        wait_until(lambda: time.monotonic() > answered["at"] + SECONDS + 2, 10, "the prompt is over")

    def heard_the_prompt(self):
        found = likeness(PROMPT, read_wav(self.recording, channel=1))
        print(f"what was heard is like the prompt: {found:.3f}")
        return found > ALIKE


@pytest.fixture
def world(make_world):
    return make_world(numbers=(11,))


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_sipp_is_called(world, transport):
    bob, alice = world.sipp("answers", registered="bob", says=PROMPT, transport=transport).start(), Alice(world, transport)
    alice.calls()
    alice.listens()
    assert alice.phone.end() == 0
    bob.wait_until_done()
    assert alice.heard_the_prompt()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_sipp_calls_and_hangs_up(world, transport):
    alice = Alice(world, transport)
    alice.answers()
    caller = world.sipp("calls_and_hangs_up", calls="alice", says=PROMPT, transport=transport, header="Subject: a call").start()
    caller.wait_until_done()
    assert alice.phone.wait_for_exit(10) == 0
    assert alice.heard_the_prompt()


def test_early_media(world):
    """RFC 3262, RFC 3960: the announcement before the answer is heard."""
    bob, alice = world.sipp("early_media", registered="bob", says=PROMPT, lead=3.8).start(), Alice(world)
    alice.calls()
    sound = alice.phone.wait_for("sound", limit=10, where=lambda event: "we hear" in event["reason"])
    answered = alice.phone.wait_for("answered", limit=10)
    assert sound["t"] < answered["t"] - 0.5, (sound, answered)
    alice.listens()
    assert alice.phone.end() == 0
    bob.wait_until_done()
    assert alice.heard_the_prompt()


@pytest.mark.lasts(60)
def test_session_is_refreshed(world):
    """RFC 4028 §7.2: an interval of 90 s, its smallest, is refreshed at half of it; the sound goes on meanwhile."""
    bob, alice = world.sipp("session_timer", registered="bob", says=PROMPT, limit=80).start(), Alice(world)
    alice.calls()
    alice.phone.wait_for("answered", limit=10)
    assert alice.phone.wait_for_exit(70) == 0
    bob.wait_until_done()
    updates = [one for one in re.split(r"^-{10,}.*$", bob.messages(), flags=re.M) if "\nUPDATE " in one]
    assert len({re.search(r"^CSeq:\s*(\d+)", one, re.M)[1] for one in updates}) == 1, updates
    assert not alice.phone.events("silent")


def test_sipp_transfers_us(world):
    """RFC 3515: bob's REFER sends alice to carol, and carol hears the end of the call."""
    bob = world.sipp("transfers", registered="bob", says=PROMPT).start()
    carol = world.sipp("answers", registered="carol", says=PROMPT).start()
    alice = Alice(world)
    alice.calls()
    bob.wait_until_done()
    invite = next(one for one in re.split(r"^-{10,}.*$", carol.messages(), flags=re.M) if "\nINVITE " in one)
    assert re.search(r"^Referred-By:.*sip:bob@example\.test", invite, re.M), invite
    wait_until(lambda: len(alice.phone.events("answered")) == 2, 10, "carol has answered")
    assert alice.phone.end() == 0
    carol.wait_until_done()


def test_sipp_is_transferred(world):
    """`--transfer`: bob is asked to call carol, says that it has got there, and the call ends well."""
    bob, alice = world.sipp("is_transferred", registered="bob", says=PROMPT).start(), Alice(world)
    alice.calls(transfer="carol")
    assert alice.phone.wait_for_exit(15) == 0
    bob.wait_until_done()
    refer = next(one for one in re.split(r"^-{10,}.*$", bob.messages(), flags=re.M) if "\nREFER " in one)
    assert re.search(r"^Refer-To:\s*<?sip:carol@example\.test", refer, re.M), refer
    assert [event["status"] for event in alice.phone.events("transferred")] == [200]


def in_the_place_of(caller):
    """The Replaces header that names the call of a SIPp that has called."""
    said = caller.messages()
    call_id = re.search(r"^Call-ID:\s*(\S+)", said, re.M)[1]
    answer = said[said.rindex("SIP/2.0 200"):]
    tags = [re.search(rf"^{name}:.*;tag=([^\s;]+)", answer, re.M)[1] for name in ("To", "From")]
    return f"Replaces: {call_id};to-tag={tags[0]};from-tag={tags[1]}"


def test_call_is_replaced(world):
    """RFC 3891 §3: an INVITE with Replaces takes the first caller's place, who is hung up on."""
    alice = Alice(world)
    alice.answers()
    first = world.sipp("calls", calls="alice", says=PROMPT, header="Subject: first").start()
    alice.phone.wait_for("sound", limit=10, where=lambda event: "we hear" in event["reason"])
    second = world.sipp("calls", calls="alice", says=PROMPT, header=in_the_place_of(first)).start()
    first.wait_until_done()
    wait_until(lambda: second.messages().count("SIP/2.0 200 OK") > 0, 5, "the second call is answered")
    alice.phone.end()
    second.wait_until_done()


def test_call_is_not_replaced_by_one_that_fails(world):
    """RFC 3891 §3: whose INVITE with Replaces cannot be accepted (488) has replaced nobody, and the call goes on."""
    alice = Alice(world)
    alice.answers()
    first = world.sipp("calls", calls="alice", says=PROMPT, header="Subject: first").start()
    alice.phone.wait_for("sound", limit=10, where=lambda event: "we hear" in event["reason"])
    second = world.sipp("calls_in_vain", calls="alice", header=in_the_place_of(first)).start()
    second.wait_until_done()
    alice.phone.wait_for("call_ended", limit=5)
    assert "BYE " not in first.messages()
    alice.listens()
    assert alice.phone.end() == 0
    first.wait_until_done()
    assert alice.heard_the_prompt()
