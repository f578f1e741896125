// What a person hears beside a call's own sound: that somebody rings here, that it rings there,
// that the call has come to nothing.
#pragma once

#include <cstdint>

#include "media/waveform.h"

namespace holdfast::media {

enum class Signal : std::uint8_t {
    none,
    ring,        // somebody calls
    waiting,     // somebody calls while there is another call
    ring_back,   // it rings at the other side
    busy,        // the other side is in a call, or has refused
    congestion,  // the call has come to nothing for another reason
};

// Whose networks' tones (ITU-T E.180, Supplement 2): a person knows those of home.
enum class Tones : std::uint8_t {
    europe,         // 425 Hz, as ETSI TR 101 041-2 has them for most of its countries
    north_america,  // 440, 480 and 620 Hz, two at a time
};

// The sound of the signal, and how long it is on and off; silence for `none`. `ring` is no
// network's and is the same everywhere.
Tone tone_of(Signal signal, Tones tones);

}  // namespace holdfast::media
