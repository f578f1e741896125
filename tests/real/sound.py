"""Sounds that a test plays into a call, and how much of one is in a recording of the far side.

    prompt = sweep(300, 1100)
    write_wav(path, 8000, prompt)
    assert likeness(prompt, read_wav(recording)) > 0.8
"""

import array
import contextlib
import itertools
import math
import os
import sys
import wave
from operator import mul

RATE = 8000  # sounds are compared at this rate; those at a multiple of it are brought down to it
LEAD = 1.6   # seconds of silence before a prompt: a busy host may need one to open the sound
SECONDS = 1.6
COARSE = 8   # at first one sample in so many is looked at
SHIFT = 0.15


@contextlib.contextmanager
def unhurried():
    """With the kernel's usual fairness: at the real-time priority of these tests who counts for long would keep the
    sound of others waiting for 100 ms at a time (the slice of SCHED_RR)."""
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)


@unhurried()
def sweep(begin, end, seconds=SECONDS):
    """From `begin` to `end` hertz, loud and soft four times a second, as speech is: like itself at one place only."""
    samples, phase = array.array("h"), 0.0
    for number in range(int(seconds * RATE)):
        time = number / RATE
        phase += 2 * math.pi * (begin + (end - begin) * time / seconds) / RATE
        samples.append(int(12000 * (0.6 + 0.4 * math.sin(8 * math.pi * time)) * math.sin(phase)))
    return samples


@unhurried()
def tone(hertz, seconds):
    return array.array("h", (int(12000 * math.sin(2 * math.pi * hertz * at / RATE)) for at in range(int(seconds * RATE))))


@unhurried()
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


@unhurried()
def read_wav(path, channel=0):
    """One channel of a file of 16 bit, at RATE."""
    with wave.open(path, "rb") as found:
        assert found.getsampwidth() == 2 and found.getframerate() % RATE == 0, (path, found.getparams())
        samples = array.array("h", found.readframes(found.getnframes()))
        own = little_endian(samples)[channel::found.getnchannels()]
        step = found.getframerate() // RATE
    return [sum(own[at:at + step]) // step for at in range(0, len(own) - step + 1, step)]


def likeness(played, heard):
    """How much of `played` is in `heard`, in its order: the mean, over its fifths of a second, of the best normalised
    correlation with a place of `heard`. 1 is the same but for loudness."""
    return mean_correlation(places_of(played, heard))


def mean_correlation(places):
    return sum(correlation for correlation, _ in places) / len(places)


PART = RATE // 5


@unhurried()
def places_of(played, heard):
    """(correlation, place in `heard`) of each fifth of a second of `played`, the best of its kind. Each part may come up to
    SHIFT earlier or later than the one before says: where a busy host keeps a packet waiting, what is heard waits too, and
    loses nothing."""
    played, heard = list(played), list(heard)
    shift = int(SHIFT * RATE)
    sums = list(itertools.accumulate((one * one for one in heard), initial=0))
    last = len(heard) - PART
    found, nearby = [], range(last + 1)
    for begin in range(0, len(played) - PART + 1, PART):
        found.append(best_place(played[begin:begin + PART], heard, sums, nearby))
        place = found[-1][1]
        nearby = range(max(0, place + PART - shift), min(last, place + PART + shift) + 1)
    return found


FRAME = RATE // 50  # what a packet holds
QUIET = 200         # of 32768: no frame of a sound that a test plays is below it
CLEAREST, WORST = 35.0, -10.0  # dB; what is beyond either sounds the same


@unhurried()
def segmental_snr(played, heard, places):
    """dB: the mean over all frames of `played`, which is nowhere silent, of it against its difference from what is heard at
    places_of() both. A frame that is missing, or another in its place, counts as it sounds."""
    ratios = []
    for number, (_, place) in enumerate(places):
        for frame in range(0, PART, FRAME):
            own = played[number * PART + frame:number * PART + frame + FRAME]
            noise = sum((one - other) ** 2 for one, other in zip(own, heard[place + frame:place + frame + FRAME]))
            ratios.append(10 * math.log10(max(sum(map(mul, own, own)), 1) / max(noise, 1)))
    return sum(min(max(ratio, WORST), CLEAREST) for ratio in ratios) / len(ratios)


@unhurried()
def longest_gap(heard):
    """(gap, whole), in seconds: the longest silence between the first and the last sound, and from the one to the other."""
    loud = [max(map(abs, heard[at:at + FRAME])) > QUIET for at in range(0, len(heard) - FRAME + 1, FRAME)]
    if True not in loud:
        return math.inf, 0.0
    loud = loud[loud.index(True):len(loud) - loud[::-1].index(True)]
    longest = max((len(list(run)) for is_loud, run in itertools.groupby(loud) if not is_loud), default=0)
    return longest * FRAME / RATE, len(loud) * FRAME / RATE


def best_place(part, heard, sums, places):
    """(correlation, place): every place is looked at roughly, the best ten in full. `sums`: of squares of `heard`."""
    length, own = len(part), math.sqrt(sum(map(mul, part, part)))

    def at(place, every):
        power = sums[place + length] - sums[place]
        if power < length * 100:  # next to silence: ten of 32768
            return 0.0
        return every * sum(map(mul, part[::every], heard[place:place + length:every])) / (own * math.sqrt(power))

    best = sorted(places, key=lambda place: at(place, COARSE), reverse=True)[:10]
    return max(((at(place, 1), place) for place in best), default=(0.0, 0))
