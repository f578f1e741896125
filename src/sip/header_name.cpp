#include "sip/header_name.h"

#include <array>
#include <cstddef>

#include "base/text.h"
#include "sip/scan.h"

namespace holdfast::sip {
namespace {

struct Name {
    std::string_view full;
    std::string_view compact = {};  // RFC 3261 §7.3.3 and the RFC of the header
};

// In the order of HeaderName.
constexpr std::array<Name, static_cast<std::size_t>(HeaderName::count)> names = {{
    {""},
    {"Accept"},
    {"Accept-Contact", "a"},
    {"Accept-Encoding"},
    {"Accept-Language"},
    {"Alert-Info"},
    {"Allow"},
    {"Allow-Events", "u"},
    {"Answer-Mode"},
    {"Authentication-Info"},
    {"Authorization"},
    {"Call-ID", "i"},
    {"Call-Info"},
    {"Contact", "m"},
    {"Content-Disposition"},
    {"Content-Encoding", "e"},
    {"Content-Language"},
    {"Content-Length", "l"},
    {"Content-Type", "c"},
    {"CSeq"},
    {"Date"},
    {"Diversion"},
    {"Error-Info"},
    {"Event", "o"},
    {"Expires"},
    {"Flow-Timer"},
    {"From", "f"},
    {"History-Info"},
    {"Identity", "y"},
    {"In-Reply-To"},
    {"Join"},
    {"Max-Forwards"},
    {"MIME-Version"},
    {"Min-Expires"},
    {"Min-SE"},
    {"Organization"},
    {"P-Asserted-Identity"},
    {"P-Associated-URI"},
    {"P-Preferred-Identity"},
    {"Path"},
    {"Priority"},
    {"Privacy"},
    {"Proxy-Authenticate"},
    {"Proxy-Authorization"},
    {"Proxy-Require"},
    {"RAck"},
    {"Reason"},
    {"Record-Route"},
    {"Refer-Sub"},
    {"Refer-To", "r"},
    {"Referred-By", "b"},
    {"Reject-Contact", "j"},
    {"Remote-Party-ID"},
    {"Replaces"},
    {"Reply-To"},
    {"Request-Disposition", "d"},
    {"Require"},
    {"Retry-After"},
    {"Route"},
    {"RSeq"},
    {"Security-Client"},
    {"Security-Server"},
    {"Security-Verify"},
    {"Server"},
    {"Service-Route"},
    {"Session-Expires", "x"},
    {"SIP-ETag"},
    {"SIP-If-Match"},
    {"Subject", "s"},
    {"Subscription-State"},
    {"Supported", "k"},
    {"Target-Dialog"},
    {"Timestamp"},
    {"To", "t"},
    {"Unsupported"},
    {"User-Agent"},
    {"Via", "v"},
    {"Warning"},
    {"WWW-Authenticate"},
}};
static_assert(names.back().full == "WWW-Authenticate");

// A name is known by its length, its first 8 and its last 8 octets (what is shorter is padded with
// zeros), with bit 5 set: no two names agree in all three. Names over 16 octets are compared in
// full afterwards.
struct Key {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint8_t length = 0;
    HeaderName name = HeaderName::other;
};

constexpr std::uint64_t fold = 0x2020202020202020;

constexpr std::uint64_t word_of(
    std::string_view text) {  // at most 8 octets, little endian like load8
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < text.size(); ++i)
        word |= static_cast<std::uint64_t>(static_cast<unsigned char>(text[i]) | 0x20U) << (8 * i);
    return word;
}

constexpr Key key_of(std::string_view text, HeaderName name) {
    const std::size_t tail = text.size() < 8 ? 0 : text.size() - 8;
    return {word_of(text.substr(0, 8)), word_of(text.substr(tail)),
            static_cast<std::uint8_t>(text.size()), name};
}

constexpr std::size_t key_count = [] {
    std::size_t count = 0;
    for (const auto& name : names)
        count += (name.full.empty() ? 0U : 1U) + (name.compact.empty() ? 0U : 1U);
    return count;
}();

constexpr std::size_t slot_bits = 11;
constexpr std::size_t slot_count = std::size_t{1} << slot_bits;

constexpr std::size_t slot_of(std::uint64_t first, std::uint64_t last, std::uint64_t factor) {
    return static_cast<std::size_t>(((first ^ (last << 7U) ^ (last >> 3U)) * factor) >>
                                    (64 - slot_bits));
}

struct PerfectHash {
    std::uint64_t factor = 0;
    std::array<Key, key_count + 1> keys{};  // 0: no name
    std::array<std::uint8_t, slot_count> slots{};
};

constexpr PerfectHash make_perfect_hash() {
    PerfectHash result;
    std::size_t used = 1;
    for (std::size_t i = 1; i < names.size(); ++i) {
        result.keys[used++] = key_of(names[i].full, static_cast<HeaderName>(i));
        if (!names[i].compact.empty())
            result.keys[used++] = key_of(names[i].compact, static_cast<HeaderName>(i));
    }
    for (std::uint64_t factor = 0x9e3779b97f4a7c15;; factor += 0x2545f4914f6cdd1e) {
        result.slots.fill(0);
        std::size_t placed = 1;
        for (; placed < used; ++placed) {
            auto& slot =
                result.slots[slot_of(result.keys[placed].first, result.keys[placed].last, factor)];
            if (slot != 0) break;
            slot = static_cast<std::uint8_t>(placed);
        }
        if (placed == used) {
            result.factor = factor;
            return result;
        }
    }
}

constexpr PerfectHash perfect = make_perfect_hash();

HeaderName look_up(std::uint64_t first, std::uint64_t last, std::string_view text) {
    const Key& key = perfect.keys[perfect.slots[slot_of(first, last, perfect.factor)]];
    if (key.first != first || key.last != last || key.length != text.size())
        return HeaderName::other;
    if (text.size() > 16 && !equals_ignoring_case(text, name_of(key.name)))
        return HeaderName::other;
    return key.name;
}

}  // namespace

std::string_view name_of(HeaderName name) { return names[static_cast<std::size_t>(name)].full; }

std::string_view compact_name_of(HeaderName name) {
    const auto& entry = names[static_cast<std::size_t>(name)];
    return entry.compact.empty() ? entry.full : entry.compact;
}

HeaderName header_name_of(std::string_view text) {
    const std::size_t tail = text.size() < 8 ? 0 : text.size() - 8;
    return look_up(word_of(text.substr(0, 8)), word_of(text.substr(tail)), text);
}

HeaderName padded_header_name_of(std::string_view text) {
    if constexpr (std::endian::native != std::endian::little) return header_name_of(text);
    if (text.empty()) return HeaderName::other;
    std::uint64_t first = scan::load8(text.data()) | fold;
    std::uint64_t last = first;
    if (text.size() < 8) {
        first &= ~std::uint64_t{0} >> (64 - 8 * text.size());
        last = first;
    } else {
        last = scan::load8(text.data() + text.size() - 8) | fold;
    }
    return look_up(first, last, text);
}

}  // namespace holdfast::sip
