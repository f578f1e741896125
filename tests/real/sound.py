"""Sounds that a test plays into a call, and how much of one is in a recording of the far side.

    prompt = sweep(300, 1100)
    write_wav(path, 8000, prompt)
    assert likeness(prompt, read_wav(recording)) > 0.8
"""

import array
import itertools
import math
import sys
import wave
from operator import mul

RATE = 8000  # sounds are compared at this rate; those at a multiple of it are brought down to it
LEAD = 0.6   # seconds of silence before a prompt: the keys of DTLS are still being agreed on
SECONDS = 1.6
COARSE = 32  # at first one sample in so many is looked at


def sweep(begin, end, seconds=SECONDS):
    """From `begin` to `end` hertz, loud and soft four times a second, as speech is: like itself at one place only."""
    samples, phase = array.array("h"), 0.0
    for number in range(int(seconds * RATE)):
        time = number / RATE
        phase += 2 * math.pi * (begin + (end - begin) * time / seconds) / RATE
        samples.append(int(12000 * (0.6 + 0.4 * math.sin(8 * math.pi * time)) * math.sin(phase)))
    return samples


def write_wav(path, rate, samples, lead=LEAD, tail=0.0):
    """The samples at a multiple of RATE (each between two is on the line between them), silence before and after."""
    step = rate // RATE
    dense = array.array("h")
    for one, following in itertools.pairwise([*samples, 0]):
        dense.extend(one + (following - one) * part // step for part in range(step))
    whole = silence(rate, lead) + dense + silence(rate, tail)
    with wave.open(path, "wb") as out:
        out.setparams((1, 2, rate, 0, "NONE", ""))
        out.writeframes(little_endian(whole).tobytes())


def silence(rate, seconds):
    return array.array("h", bytes(2 * int(rate * seconds)))


def little_endian(samples):
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def read_wav(path, channel=0):
    """One channel of a file of 16 bit, at RATE."""
    with wave.open(path, "rb") as found:
        assert found.getsampwidth() == 2 and found.getframerate() % RATE == 0, (path, found.getparams())
        samples = array.array("h", found.readframes(found.getnframes()))
        own = little_endian(samples)[channel::found.getnchannels()]
        step = found.getframerate() // RATE
    return [sum(own[at:at + step]) // step for at in range(0, len(own) - step + 1, step)]


def likeness(played, heard):
    """The best normalised correlation of `played` with a part of `heard`: 1 is the same but for loudness, 0 nothing in
    common. Every place is looked at roughly, the best ten in full."""
    played, heard = list(played), list(heard)
    sums = list(itertools.accumulate((one * one for one in heard), initial=0))
    own = math.sqrt(sum(map(mul, played, played)))
    length = len(played)

    def at(place, every):
        power = sums[place + length] - sums[place]
        if power < length * 100:  # next to silence: ten of 32768
            return 0.0
        return every * sum(map(mul, played[::every], heard[place:place + length:every])) / (own * math.sqrt(power))

    places = range(len(heard) - length + 1)
    best = sorted(places, key=lambda place: at(place, COARSE), reverse=True)[:10]
    return max((at(place, 1) for place in best), default=0.0)
