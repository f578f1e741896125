// The two bodies of an INFO in which phones write a digit (digit_info.h).
#pragma once

#include <cstdint>

namespace holdfast::sip {

enum class DigitForm : std::uint8_t {
    relay,  // application/dtmf-relay: "Signal=5", "Duration=160"
    plain,  // application/dtmf: "5"
};

}  // namespace holdfast::sip
