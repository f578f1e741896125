// Any datagrams from any sources at a call's ports, as far as they are read before GStreamer and
// OpenSSL have them: told apart, let through or not, and followed or not. And any text of
// a=crypto's key identifier. Each check is a rule of the header that it names.
//
//   source, milliseconds, length, octets, …    one datagram after the other
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "media/dtls_gate.h"
#include "media/latch.h"
#include "media/limits.h"
#include "media/rtp_header.h"
#include "media/srtp.h"
#include "media/srtp_sources.h"

namespace {

using namespace holdfast;
using namespace holdfast::media;
using Bytes = std::span<const std::uint8_t>;

Endpoint source(std::uint8_t number) {
    return {.address = IpAddress::v4(192, 0, 2, static_cast<std::uint8_t>(number % 4)),
            .port = 4000};
}

// rtp_header.h: of the kinds there is one at most, and what is read is what is there.
void check_kind(Bytes packet) {
    const auto header = rtp_header(packet);
    CHECK(int{header.has_value()} + int{is_rtcp(packet)} + int{is_dtls(packet)} <= 1);
    const auto ssrc = ssrc_of(packet);
    CHECK(!ssrc || header || is_rtcp(packet));
    if (!header) return;
    const auto octet = [](std::uint32_t number, unsigned shift) {
        return static_cast<std::uint8_t>(number >> shift & 0xff);
    };
    std::vector<std::uint8_t> again(packet.begin(), packet.begin() + 12);
    again[1] = static_cast<std::uint8_t>((packet[1] & 0x80) | header->payload_type);
    again[2] = octet(header->sequence, 8);
    again[3] = octet(header->sequence, 0);
    for (unsigned i = 0; i < 4; ++i) again[8 + i] = octet(header->ssrc, 24 - 8 * i);
    CHECK(std::ranges::equal(again, packet.first(12)) && ssrc == header->ssrc);
}

// RFC 6347 §4.1: the datagram is whole records, of the four types, none of them empty.
bool is_whole_records(Bytes datagram) {
    std::size_t at = 0;
    while (datagram.size() - at > 13) {
        const std::size_t length = datagram[at + 11] * std::size_t{256} + datagram[at + 12];
        const bool typed = datagram[at] >= 20 && datagram[at] <= 23 && datagram[at + 1] == 0xfe;
        if (!typed || length == 0 || length > datagram.size() - at - 13) return false;
        at += 13 + length;
    }
    return at == datagram.size() && at > 0;
}

// dtls_gate.h, rules 1 – 4, as somebody sees them who knows only what goes in and comes out.
class WatchedGate {
public:
    explicit WatchedGate(DtlsGate::Rules rules) : rules_(std::move(rules)), gate_(rules_) {}

    void take(Instant now, const Endpoint& from, Bytes datagram, bool open) {
        const auto before = gate_.peer();
        const auto verdict = gate_.on_datagram(now, from, datagram, open);
        const auto& peer = gate_.peer();
        const bool described = from == rules_.described;
        using enum DtlsGate::Verdict;
        CHECK(verdict == drop || is_whole_records(datagram));
        // The handshake is with one source, for the life of the association.
        CHECK(before ? peer == before : !peer || (verdict == pass && peer == from && !open));
        if (!before && peer) since_ = now;
        if (verdict == pass) CHECK(open ? from == peer || described : from == peer);
        if (verdict == alert) CHECK(!open && (from == before || described));
        if (verdict == anew) {
            CHECK(before && !open);
            const bool waited = before != rules_.described && now - since_ >= patience;
            CHECK(from == before || described || waited);
        }
        if (peer && peer != rules_.described) {
            CHECK(rules_.follow && !rules_.active);
            CHECK(std::ranges::find(rules_.strangers, *peer) == rules_.strangers.end());
        }
        CHECK(gate_.is_with_stranger() == (peer && peer != rules_.described));
        CHECK(gate_.strangers().size() <= limits::dtls_strangers);
    }

private:
    static constexpr Duration patience = std::chrono::seconds{2};
    DtlsGate::Rules rules_;
    DtlsGate gate_;
    Instant since_{};
};

// latch.h, rules 1 – 4.
class WatchedLatch {
public:
    WatchedLatch(const Endpoint& described, bool follow)
        : described_(described), follow_(follow), latch_(described, follow) {}

    void take(Instant now, const Endpoint& from, const RtpHeader& header) {
        const auto before = latch_.target();
        const bool admitted = latch_.admits(now, from, header);
        const auto arrival = latch_.on_packet(now, from, header);
        CHECK(admitted || arrival == Arrival::dropped);
        CHECK((arrival == Arrival::expected) == (from == before));
        CHECK(latch_.target() == (arrival == Arrival::followed ? from : before));
        CHECK(follow_ || latch_.target() == described_);
        if (arrival == Arrival::expected) {
            last_ = now;
            stream_ = header;
            return;
        }
        if (!admitted) return;
        elsewhere_.push_back({from, header});
        if (elsewhere_.size() > 3) elsewhere_.pop_front();
        if (arrival != Arrival::followed) return;
        CHECK(follow_ && are_in_a_row());
        // A stream that runs is followed only as itself, and when it has been silent for a second.
        if (stream_ && from != described_)
            CHECK(header.ssrc == stream_->ssrc && now - last_ >= std::chrono::seconds{1});
        elsewhere_.clear();
        last_ = now;
        stream_ = header;
    }

private:
    struct Packet {
        Endpoint from;
        RtpHeader header;
    };
    [[nodiscard]] bool are_in_a_row() const {
        if (elsewhere_.size() != 3) return false;
        for (std::size_t i = 1; i < 3; ++i) {
            const auto& [one, next] = std::pair(elsewhere_[i - 1], elsewhere_[i]);
            if (one.from != next.from || one.header.ssrc != next.header.ssrc ||
                static_cast<std::uint16_t>(one.header.sequence + 1) != next.header.sequence)
                return false;
        }
        return true;
    }

    Endpoint described_;
    bool follow_;
    Latch latch_;
    std::deque<Packet> elsewhere_{};  // the last three that were let in from there
    std::optional<RtpHeader> stream_{};
    Instant last_{};
};

// RFC 4568 §6.1: a number, and in how many octets, 128 at most.
void check_mki(std::string_view text) {
    const auto mki = mki_of(text);
    CHECK(mki.size() <= 128 && (mki.empty() || text.find(':') != std::string_view::npos));
    if (mki.empty() || mki.size() > 8) return;
    std::uint64_t number = 0;
    for (const auto octet : mki) number = number << 8 | octet;
    const auto again = "2^20|" + std::to_string(number) + ":" + std::to_string(mki.size());
    CHECK(mki_of(again) == mki);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Bytes rest{data, size};
    check_mki({reinterpret_cast<const char*>(data), size});
    if (size == 0) return 0;
    const auto how = rest[0];
    rest = rest.subspan(1);
    const bool follow = (how & 1) != 0;
    DtlsGate::Rules rules{.described = source(0), .follow = follow, .active = (how & 2) != 0};
    if (how & 4) rules.strangers = {source(1)};
    WatchedGate gate{std::move(rules)};
    WatchedLatch latch{source(0), follow};
    SrtpSources sources;
    std::set<std::uint32_t> admitted;
    Instant now{};
    while (rest.size() >= 3) {
        const auto from = source(rest[0]);
        const bool open = (rest[0] & 0x80) != 0;
        now += std::chrono::milliseconds{rest[1]} * 10;
        const auto length = std::min<std::size_t>(rest[2], rest.size() - 3);
        const auto packet = rest.subspan(3, length);
        rest = rest.subspan(3 + length);
        check_kind(packet);
        if (is_dtls(packet)) gate.take(now, from, packet, open);
        if (const auto header = rtp_header(packet)) latch.take(now, from, *header);
        if (const auto ssrc = ssrc_of(packet)) {
            const bool known = admitted.contains(*ssrc);
            CHECK(sources.admits(*ssrc) == (known || admitted.size() < limits::srtp_sources));
            if (admitted.size() < limits::srtp_sources) admitted.insert(*ssrc);
        }
    }
    return 0;
}
