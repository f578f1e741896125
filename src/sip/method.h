// SIP methods (RFC 3261 §7.1 and the RFCs that add to it). Case sensitive.
#pragma once

#include <cstdint>
#include <string_view>

namespace holdfast::sip {

enum class Method : std::uint8_t {
    register_,
    invite,
    ack,
    bye,
    cancel,
    options,
    notify,
    subscribe,
    message,
    info,
    prack,
    update,
    refer,
    publish,
    other,
};

std::string_view name_of(Method method);  // "REGISTER"; "" for other
Method method_of(std::string_view text);  // other when unknown

}  // namespace holdfast::sip
