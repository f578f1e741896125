// Two calls' sound in one process, each the other's peer, on the loopback interface.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/text.h"
#include "media/engine.h"
#include "media/gst_engine.h"

namespace holdfast::media {

constexpr SessionId alice{1};
constexpr SessionId bob{2};
constexpr std::chrono::seconds patience{
    20};  // a sanitizer on a busy host is slow; nothing waits so long

// A folder that goes with the test.
class TestFolder {
public:
    TestFolder() {
        std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
        std::ranges::replace(name, '/', '_');
        path_ = std::filesystem::temp_directory_path() /
                ("holdfast-media-" + std::to_string(::getpid()) + "-" + name);
        std::filesystem::create_directories(path_);
    }
    ~TestFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;
    [[nodiscard]] std::filesystem::path operator/(const char* name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

// The jitter buffer bears with a busy host.
inline SessionOptions patient(SessionOptions options = {}) {
    options.jitter = std::chrono::milliseconds{150};
    return options;
}

class Pair {
public:
    Pair() {
        auto made = gst::make_engine();
        EXPECT_TRUE(made) << made.error();
        if (made) engine_ = std::move(*made);
    }
    explicit Pair(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}

    void submit(Command command) { engine_->submit(std::move(command)); }

    // The next event of this kind (of this session), within patience; those before it are kept for
    // others.
    template <class E>
    std::optional<E> next(SessionId session, std::chrono::milliseconds limit = patience) {
        const auto end = std::chrono::steady_clock::now() + limit;
        for (;;) {
            for (auto at = seen_.begin(); at != seen_.end(); ++at) {
                auto* event = std::get_if<E>(&*at);
                if (!event || event->session != session) continue;
                auto found = std::move(*event);
                seen_.erase(at);
                return found;
            }
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                end - std::chrono::steady_clock::now());
            if (left.count() <= 0) return std::nullopt;
            pollfd waiting{.fd = engine_->descriptor(), .events = POLLIN, .revents = 0};
            ::poll(&waiting, 1, static_cast<int>(left.count()));
            for (auto& event : engine_->take()) seen_.push_back(std::move(event));
        }
    }
    template <class E>
    bool has(SessionId session) {
        return next<E>(session, std::chrono::milliseconds{1}).has_value();
    }
    // All sentences of failures so far, for a test's message.
    std::string failures() {
        std::string text;
        for (const auto& event : seen_) {
            if (const auto* failed = std::get_if<out::Failed>(&event))
                text += failed->sentence + "\n";
        }
        return text;
    }

    sdp::LocalStream open(SessionId session, SessionOptions options) {
        if (options.bind == IpAddress{}) options.bind = IpAddress::v4(127, 0, 0, 1);
        submit(in::Open{.session = session, .options = std::move(options)});
        const auto ready = next<out::Ready>(session);
        EXPECT_TRUE(ready) << failures();
        return ready ? ready->stream : sdp::LocalStream{};
    }
    // What both would agree on when they take this codec; as its peer at `remote` sees it.
    static sdp::AgreedStream agreed(const sdp::LocalStream& own, const sdp::LocalStream& peer,
                                    std::string_view codec,
                                    sdp::Direction direction = sdp::Direction::sendrecv) {
        // Codecs of ours with the numbers of whoever receives them; and its number for digits.
        const auto chosen = [&](const sdp::LocalStream& of, std::optional<std::uint8_t>& dtmf) {
            std::vector<sdp::Codec> codecs;
            for (const auto& known : of.codecs) {
                if (codecs.empty() && equals_ignoring_case(known.name, codec))
                    codecs.push_back(known);
                if (!codecs.empty() && !dtmf && known.name == "telephone-event" &&
                    known.clock_rate == codecs[0].clock_rate) {
                    dtmf = known.payload_type;
                    codecs.push_back(known);
                }
            }
            return codecs;
        };
        sdp::AgreedStream stream;
        stream.direction = direction;
        stream.remote_rtp = peer.rtp;
        stream.remote_rtcp = peer.rtcp;
        stream.send = chosen(peer, stream.dtmf_send);
        stream.receive = chosen(own, stream.dtmf_receive);
        stream.rtcp_mux = own.rtcp_mux && peer.rtcp_mux;
        if (stream.rtcp_mux) stream.remote_rtcp.reset();
        for (const auto& local : own.crypto) {
            const auto remote = std::ranges::find(peer.crypto, local.suite, &sdp::CryptoKey::suite);
            if (stream.crypto || remote == peer.crypto.end()) continue;
            stream.crypto = sdp::AgreedCrypto{.local = local, .remote = *remote};
        }
        if (!stream.crypto && own.fingerprint && peer.fingerprint)
            stream.dtls = sdp::AgreedDtls{.fingerprints = {*peer.fingerprint},
                                          .we_are_active = own.rtp.port < peer.rtp.port};
        return stream;
    }
    // Both open, agreed and heard.
    void connect(std::string_view codec, SessionOptions a = {}, SessionOptions b = {}) {
        first = open(alice, std::move(a));
        second = open(bob, std::move(b));
        submit(in::Agreed{.session = alice, .stream = agreed(first, second, codec)});
        submit(in::Agreed{.session = bob, .stream = agreed(second, first, codec)});
        EXPECT_TRUE(next<out::FirstPacket>(alice)) << failures();
        EXPECT_TRUE(next<out::FirstPacket>(bob)) << failures();
    }
    // What Alice has sent before is at Bob's ear: a digit comes after it, in the order of the
    // stream.
    void settle() {
        submit(in::SendDtmf{.session = alice, .digits = "#"});
        const auto heard = next<out::DtmfHeard>(bob);
        ASSERT_TRUE(heard) << failures();
        EXPECT_EQ(heard->digit, '#');
        EXPECT_TRUE(next<out::DtmfSent>(alice)) << "and no more of it covers what follows";
    }
    Statistics statistics(SessionId session) {
        submit(in::AskStatistics{session});
        const auto measured = next<out::Measured>(session);
        EXPECT_TRUE(measured) << failures();
        return measured ? measured->statistics : Statistics{};
    }
    void close(SessionId session) {
        submit(in::Close{session});
        EXPECT_TRUE(next<out::Closed>(session));
    }

    sdp::LocalStream first;
    sdp::LocalStream second;

private:
    std::unique_ptr<Engine> engine_;
    std::deque<Event> seen_;
};

}  // namespace holdfast::media
