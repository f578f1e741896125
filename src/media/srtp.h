// SRTP's suites (RFC 4568 §6.2, RFC 6188, RFC 7714) and what a=crypto says beside the key. Facts
// only; keys are drawn and used in gst_srtp.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::media {

struct SrtpSuite {
    std::string_view name;    // as a=crypto has it
    std::string_view cipher;  // as GStreamer calls them
    std::string_view rtp_auth;
    std::string_view rtcp_auth;   // never shortened to 32 bits (RFC 4568 §6.2.2, RFC 6188 §2)
    std::size_t key_bytes = 0;    // master key and salt
    bool offered_unasked = true;  // each costs some 90 bytes of an SDP that shall fit a datagram
};

// In our order of preference.
std::span<const SrtpSuite> all_suites();
const SrtpSuite* find_suite(std::string_view name);  // any case; none: we do not know it

struct OfferedSuites {
    std::vector<const SrtpSuite*> suites;
    std::vector<std::string> missing;  // what was asked for and is not there, in words
};
// `names` in order of preference; empty: ours.
OfferedSuites offered_suites(const std::vector<std::string>& names);

// The master key identifier in "2^20|1:4", that each packet then carries (RFC 4568 §6.1); empty:
// none, as in "2^20" and "".
std::vector<std::uint8_t> mki_of(std::string_view lifetime_and_mki);

}  // namespace holdfast::media
