// Any bytes as a session description, as an offer and as an answer: what is read prints to a text
// that reads the same, an answer of ours is one that its offerer understands, and nothing else
// happens.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "sdp/description.h"
#include "sdp/negotiation.h"

namespace {

using namespace holdfast::sdp;

std::vector<LocalStream> streams() {
    LocalStream audio;
    audio.rtp = *holdfast::Endpoint::parse("192.0.2.1:4000");
    audio.codecs = {{.name = "opus", .clock_rate = 48000, .channels = 2, .fmtp = "useinbandfec=1"},
                    {.name = "G722", .clock_rate = 8000},
                    {.name = "PCMA", .clock_rate = 8000},
                    {.name = "telephone-event", .clock_rate = 8000, .fmtp = "0-16"}};
    audio.rtcp_mux = true;
    audio.srtp = Srtp::optional;
    audio.crypto = {
        {.suite = "AES_CM_128_HMAC_SHA1_80", .key = holdfast::Redacted<std::string>("QUJD")}};
    audio.fingerprint = Fingerprint{.hash = "sha-256", .hex = "AA:BB"};
    audio.ice = IceCredentials{.ufrag = "abcd",
                               .pwd = holdfast::Redacted<std::string>("0123456789012345678901")};
    return {audio};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    const auto description = parse(bytes);
    if (!description) {
        CHECK(description.error().offset <= size && !description.error().reason.empty());
    } else {
        const auto text = print(*description);
        const auto again = parse(text);
        CHECK(again && again->media.size() == description->media.size() && print(*again) == text);
    }

    Negotiation ours{{.session_id = "1"}};
    const auto mine = streams();
    const auto answer = ours.on_offer(bytes, mine);
    CHECK(!answer || description);
    if (answer) {
        const auto read = parse(*answer);
        CHECK(read && read->media.size() == description->media.size());
        CHECK(ours.agreement()->streams.size() == read->media.size());
        CHECK(ours.on_offer(bytes, mine));  // the same again is no surprise
        const auto offer = parse(ours.make_offer(mine));
        CHECK(offer && offer->media.size() >= read->media.size());
        ours.withdraw();
    }
    Negotiation asking{{.session_id = "2"}};
    (void)asking.make_offer(mine);
    const auto agreed = asking.on_answer(bytes);
    CHECK(agreed.has_value() != asking.is_offering());
    return 0;
}
