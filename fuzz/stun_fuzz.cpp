// Any bytes: decode_stun neither reads past them nor grows without bound, and what it accepts can
// be written and read again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "flow/stun.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace holdfast::flow;
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    const auto message = decode_stun(bytes);
    CHECK(message || is_stun(bytes) == (message.error() != StunMalformed::not_stun));
    if (!message) return 0;
    CHECK(is_stun(bytes));
    CHECK(message->unknown.size() <= max_unknown_stun_attributes);
    CHECK(message->unknown_there.size() <= max_unknown_stun_attributes);
    if (message->mapped) {
        const auto again =
            decode_stun(encode_binding_success(message->transaction, *message->mapped));
        CHECK(again && again->mapping() == message->mapped && again->answers(message->transaction));
    }
    if (message->error) {
        const auto again = decode_stun(
            encode_binding_error(message->transaction, *message->error, message->unknown_there));
        CHECK(again && again->error == message->error);
    }
    return 0;
}
