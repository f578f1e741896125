// Named limits of media: what grows with a peer's packets or a user's files (I8).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace holdfast::media::limits {

constexpr std::size_t sessions = 64;                   // at a time, in one engine
constexpr Duration clip = std::chrono::minutes{10};    // of a file that is played
constexpr std::uint32_t wav_bytes = 64U << 20U;        // of sound in a file of signals: 35 minutes
constexpr std::size_t dtmf_digits = 256;               // that wait to be sent
constexpr Duration silence = std::chrono::seconds{3};  // without RTP is told
constexpr std::size_t sources = 8;                     // SSRCs that one session follows
constexpr std::size_t parties = 8;                     // calls in one conference
constexpr std::size_t srtp_sources = 64;               // SSRCs that have had a context for SRTP
constexpr std::size_t dtls_strangers = 16;             // sources whose handshake came to nothing
constexpr int dtls_attempts = 10;                      // associations of one session, one a second

}  // namespace holdfast::media::limits
