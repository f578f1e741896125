// The network's side of one call: sound in, RTP and RTCP out and back. A bin with a pad "sink"
// (what we send) and a pad "src" (what we hear), both mono at the session's rate.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "media/codecs.h"
#include "media/dtmf.h"
#include "media/event_queue.h"
#include "media/gst_ref.h"
#include "media/gst_transport.h"
#include "media/latch.h"
#include "media/types.h"
#include "sdp/stream.h"

namespace holdfast::media::gst {

struct Trouble {
    out::FailureKind kind = out::FailureKind::stream;
    std::string sentence{};
};

class Network {
public:
    // `events` outlives it; `before` is the one that it follows, or none. Or why not.
    static std::expected<std::unique_ptr<Network>, Trouble> make(
        SessionId session, EventQueue& events, const Sockets& sockets,
        const SessionOptions& options, const sdp::AgreedStream& stream, std::uint32_t rate,
        const Network* before);
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;
    // The bin must not run any more.
    ~Network();

    [[nodiscard]] GstElement* bin() const { return bin_.get(); }
    // Address and direction change in place; false: codecs or keys differ, and a new one is needed.
    bool update(const sdp::AgreedStream& stream);
    // As telephone events (RFC 4733). Or why not, in words.
    std::expected<void, std::string> send_dtmf(const std::string& digits, Duration length);
    // The stream is switched off (RFC 3264 §8.2), until update() says otherwise.
    void pause();
    [[nodiscard]] bool may_send() const { return may_send_; }
    [[nodiscard]] const sdp::AgreedStream& stream() const { return stream_; }
    [[nodiscard]] Statistics statistics() const;
    // How long nothing has come although it may; none: it need not, or does.
    [[nodiscard]] std::optional<Duration> silent_for(Instant now) const;

private:
    struct Decoder {  // of one payload type of one source
        std::vector<GstElement*> elements;
        Ref<GstPad> funnel_pad;
    };

    Network(SessionId session, EventQueue& events, const SessionOptions& options,
            sdp::AgreedStream stream, std::uint32_t rate);
    std::optional<Trouble> build(const Sockets& sockets, const Network* before);
    std::string build_rtpbin();
    std::string build_sender();
    void set_directions(const sdp::AgreedStream& stream);
    [[nodiscard]] const sdp::Codec* received_codec(std::uint8_t payload_type) const;

    // From GStreamer's threads.
    GstPadProbeReturn on_arrival(GstBuffer* buffer);
    GstPadProbeReturn on_departure(GstPadProbeInfo* info);
    GstPadProbeReturn on_source(std::uint32_t ssrc);
    void on_telephone_event(GstBuffer* buffer);
    void add_decoder(GstPad* pad);
    void remove_decoder(GstPad* pad);
    void watch_source(GstPad* pad, std::uint32_t ssrc);
    Ref<GstCaps> caps_of(std::uint8_t payload_type) const;

    SessionId session_;
    EventQueue& events_;
    SessionOptions options_;
    sdp::AgreedStream stream_;
    std::uint32_t rate_;
    const CodecFacts* codec_ = nullptr;  // that we send with

    Ref<GstElement> bin_;
    GstElement* rtpbin_ = nullptr;
    GstElement* valve_ = nullptr;
    GstElement* funnel_ = nullptr;
    std::unique_ptr<Transport> transport_;

    mutable std::mutex mutex_;  // guards what follows, down to the atomics
    Latch latch_;
    std::optional<Endpoint> told_elsewhere_;
    DtmfSender dtmf_sender_;
    bool dtmf_under_way_ = false;
    DtmfReceiver dtmf_receiver_;
    std::map<GstPad*, Decoder> decoders_;
    std::uint32_t active_source_ = 0;
    Instant active_since_{};
    Ref<GstElement> jitter_buffer_;

    std::atomic<bool> may_send_{true};
    std::atomic<bool> may_receive_{true};
    std::atomic<bool> started_{false};
    std::atomic<bool> heard_{false};
    std::atomic<std::int64_t> last_arrival_;  // µs; at first, when it might have come
};

}  // namespace holdfast::media::gst
