#include "media/local_stream.h"

#include <algorithm>
#include <cstdint>

#include "base/text.h"

namespace holdfast::media {

namespace {

constexpr std::uint8_t first_dynamic = 96;  // RFC 3551 §6
constexpr std::uint8_t usual_dtmf = 101;    // what everybody uses for telephone-event/8000
constexpr std::uint32_t usual_clock = 8000;
constexpr std::string_view dtmf_events = "0-15";  // all digits (RFC 4733 §2.4.1)

}  // namespace

Offered offered_codecs(const std::vector<CodecSupport>& support,
                       const std::vector<std::string>& names) {
    Offered offered;
    const auto add = [&](const CodecSupport& codec) {
        const auto* facts = find_codec(codec.name, codec.clock_rate);
        if (facts && std::ranges::find(offered.codecs, facts) == offered.codecs.end())
            offered.codecs.push_back(facts);
    };
    if (names.empty()) {
        for (const auto& codec : support) {
            if (codec.installed) add(codec);
        }
    }
    for (const auto& name : names) {
        bool known = false;
        for (const auto& codec : support) {
            if (!equals_ignoring_case(codec.name, name)) continue;
            if (codec.installed)
                add(codec);
            else if (!known)
                offered.missing.push_back("codec " + codec.name + ": " + codec.missing);
            known = true;
        }
        if (!known)
            offered.missing.push_back("codec " + name +
                                      " is not known; `holdfast devices` lists those that are");
    }
    return offered;
}

sdp::LocalStream local_stream(const SessionOptions& options,
                              const std::vector<const CodecFacts*>& codecs, const Endpoint& rtp,
                              const Endpoint& rtcp) {
    const auto told = [&](const Endpoint& bound) {
        return Endpoint{.address = options.advertise.value_or(bound.address), .port = bound.port};
    };
    sdp::LocalStream stream;
    stream.ptime = static_cast<std::uint16_t>(options.ptime / std::chrono::milliseconds{1});
    stream.rtp = told(rtp);
    stream.rtcp = told(rtcp);
    stream.rtcp_mux = options.rtcp_mux;
    stream.srtp = options.srtp;
    std::uint8_t next = first_dynamic;
    const auto dynamic = [&] {
        if (next == usual_dtmf) ++next;
        return next++;
    };
    std::vector<std::uint32_t> clocks;
    for (const auto* facts : codecs) {
        stream.codecs.push_back(
            {.name = std::string{facts->name},
             .clock_rate = facts->clock_rate,
             .channels = facts->channels,
             .fmtp = std::string{facts->fmtp},
             .payload_type = facts->payload_type ? *facts->payload_type : dynamic()});
        if (std::ranges::find(clocks, facts->clock_rate) == clocks.end())
            clocks.push_back(facts->clock_rate);
    }
    for (const std::uint32_t clock : clocks) {
        stream.codecs.push_back({.name = "telephone-event",
                                 .clock_rate = clock,
                                 .channels = 1,
                                 .fmtp = std::string{dtmf_events},
                                 .payload_type = clock == usual_clock ? usual_dtmf : dynamic()});
    }
    return stream;
}

}  // namespace holdfast::media
