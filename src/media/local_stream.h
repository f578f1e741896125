// What we offer: the codecs that are there, numbered, with our ports.
#pragma once

#include <string>
#include <vector>

#include "base/address.h"
#include "media/codecs.h"
#include "media/types.h"
#include "sdp/stream.h"

namespace holdfast::media {

struct Offered {
    std::vector<const CodecFacts*> codecs;  // in order of preference
    std::vector<std::string> missing;       // what was asked for and is not there, in words
};

// `names` as in SessionOptions; empty: all that are installed.
Offered offered_codecs(const std::vector<CodecSupport>& support,
                       const std::vector<std::string>& names);

// With telephone-event for each clock rate among them (RFC 4733 §2.1).
sdp::LocalStream local_stream(const SessionOptions& options,
                              const std::vector<const CodecFacts*>& codecs, const Endpoint& rtp,
                              const Endpoint& rtcp);

}  // namespace holdfast::media
