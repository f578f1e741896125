#include "media/srtp.h"

#include <algorithm>
#include <array>
#include <ranges>
#include <utility>

#include "base/text.h"

namespace holdfast::media {

namespace {

constexpr std::size_t longest_mki = 128;  // bytes (RFC 4568 §6.1)

// Everybody has the first; it is offered first where 256 bits are not asked for by name.
constexpr std::array suites{
    SrtpSuite{.name = "AES_CM_128_HMAC_SHA1_80",
              .cipher = "aes-128-icm",
              .rtp_auth = "hmac-sha1-80",
              .rtcp_auth = "hmac-sha1-80",
              .key_bytes = 30},
    SrtpSuite{.name = "AES_256_CM_HMAC_SHA1_80",
              .cipher = "aes-256-icm",
              .rtp_auth = "hmac-sha1-80",
              .rtcp_auth = "hmac-sha1-80",
              .key_bytes = 46},
    SrtpSuite{.name = "AES_CM_128_HMAC_SHA1_32",
              .cipher = "aes-128-icm",
              .rtp_auth = "hmac-sha1-32",
              .rtcp_auth = "hmac-sha1-80",
              .key_bytes = 30},
    SrtpSuite{.name = "AES_256_CM_HMAC_SHA1_32",
              .cipher = "aes-256-icm",
              .rtp_auth = "hmac-sha1-32",
              .rtcp_auth = "hmac-sha1-80",
              .key_bytes = 46,
              .offered_unasked = false},
    SrtpSuite{.name = "AEAD_AES_128_GCM",
              .cipher = "aes-128-gcm",
              .rtp_auth = "null",
              .rtcp_auth = "null",
              .key_bytes = 28,
              .offered_unasked = false},
    SrtpSuite{.name = "AEAD_AES_256_GCM",
              .cipher = "aes-256-gcm",
              .rtp_auth = "null",
              .rtcp_auth = "null",
              .key_bytes = 44,
              .offered_unasked = false},
};

}  // namespace

std::span<const SrtpSuite> all_suites() { return suites; }

const SrtpSuite* find_suite(std::string_view name) {
    const auto* found = std::ranges::find_if(
        suites, [&](const SrtpSuite& suite) { return equals_ignoring_case(suite.name, name); });
    return found == suites.end() ? nullptr : found;
}

OfferedSuites offered_suites(const std::vector<std::string>& names) {
    OfferedSuites offered;
    if (names.empty()) {
        for (const auto& suite : suites) {
            if (suite.offered_unasked) offered.suites.push_back(&suite);
        }
    }
    for (const auto& name : names) {
        const auto* suite = find_suite(name);
        if (!suite) {
            std::string known;
            for (const auto& one : suites) known.append(known.empty() ? "" : ", ").append(one.name);
            std::string words = "SRTP suite ";
            words.append(name).append(" is not known; there are ").append(known);
            offered.missing.push_back(std::move(words));
        } else if (std::ranges::find(offered.suites, suite) == offered.suites.end()) {
            offered.suites.push_back(suite);
        }
    }
    return offered;
}

std::vector<std::uint8_t> mki_of(std::string_view lifetime_and_mki) {
    const auto colon = lifetime_and_mki.rfind(':');
    if (colon == std::string_view::npos) return {};
    const auto bar = lifetime_and_mki.rfind('|', colon);
    const auto begin = bar == std::string_view::npos ? 0 : bar + 1;
    const auto value = parse_number<std::uint64_t>(lifetime_and_mki.substr(begin, colon - begin));
    const auto length = parse_number<std::size_t>(lifetime_and_mki.substr(colon + 1));
    if (!value || !length || *length > longest_mki) return {};
    std::vector<std::uint8_t> mki(*length);
    std::uint64_t left = *value;
    for (auto& byte : mki | std::views::reverse) {  // in network order
        byte = static_cast<std::uint8_t>(left & 0xff);
        left >>= 8;
    }
    return mki;
}

}  // namespace holdfast::media
