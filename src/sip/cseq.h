// RFC 3261 §20.16.
#pragma once

#include <cstdint>
#include <string_view>

#include "sip/method.h"

namespace holdfast::sip {

struct CSeq {
    std::uint32_t number = 0;
    Method method = Method::other;
    std::string_view method_text;
};

}  // namespace holdfast::sip
