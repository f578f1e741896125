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
#include "media/jitter_control.h"
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
    // What outlives it: `sends` is true while sound that comes now is on its way to the peer.
    struct Owner {
        SessionId session;
        EventQueue& events;
        std::atomic<bool>& sends;
    };
    // `before` is the one that it follows, or none. Or why not.
    static std::expected<std::unique_ptr<Network>, Trouble> make(
        const Owner& owner, const Sockets& sockets, const SessionOptions& options,
        const sdp::AgreedStream& stream, std::uint32_t rate, const Network* before);
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;
    // The bin must not run any more.
    ~Network();

    [[nodiscard]] GstElement* bin() const { return bin_.get(); }
    // Address, direction and codecs change in place, and what is sent goes on as the same stream of
    // RTP. False: ports or keys differ, or a payload type means something else, and a new one is
    // needed. Or why not, and then all is as it was.
    std::expected<bool, Trouble> update(const sdp::AgreedStream& stream);
    // As telephone events (RFC 4733). Or why not, in words.
    std::expected<void, std::string> send_dtmf(const std::string& digits, Duration length);
    // Some are not yet sent.
    [[nodiscard]] bool has_digits() const {
        const std::lock_guard lock{mutex_};
        return dtmf_under_way_;
    }
    // The stream is switched off (RFC 3264 §8.2), until update() says otherwise.
    void pause();
    [[nodiscard]] bool may_send() const { return may_send_; }
    [[nodiscard]] const Transport& transport() const { return *transport_; }
    [[nodiscard]] const sdp::AgreedStream& stream() const { return stream_; }
    [[nodiscard]] Statistics statistics() const;
    // A few times a second: no more delay than the network needs.
    void fit_jitter_buffer(Instant now);
    // How long nothing has come although it may; none: it need not, or does.
    [[nodiscard]] std::optional<Duration> silent_for(Instant now) const;

private:
    struct Sender {  // from sound to RTP: a bin with pads "sink" and "src"
        Ref<GstElement> bin;
        GstElement* payloader = nullptr;
        const CodecFacts* codec = nullptr;
        Duration ptime{};
    };
    struct Decoder {  // of one payload type of one source
        std::vector<GstElement*> elements;
        Ref<GstPad> funnel_pad;
    };

    Network(const Owner& owner, const SessionOptions& options, sdp::AgreedStream stream,
            std::uint32_t rate);
    std::optional<Trouble> build(const Sockets& sockets, const Network* before);
    std::string build_rtpbin();
    std::string build_sender();
    std::expected<Sender, std::string> make_sender(const sdp::AgreedStream& stream);
    std::optional<Trouble> change_sender(const sdp::AgreedStream& stream);
    [[nodiscard]] bool changes_in_place(const sdp::AgreedStream& stream) const;
    void set_codecs(const sdp::AgreedStream& stream);
    void set_directions(const sdp::AgreedStream& stream);
    void take_counts(const Network& before);
    [[nodiscard]] std::optional<sdp::Codec> received_codec(std::uint8_t payload_type) const;
    [[nodiscard]] std::optional<std::uint8_t> dtmf_receive() const;

    // From GStreamer's threads.
    GstPadProbeReturn on_arrival(GstBuffer* buffer);
    bool comes_from_peer(GstBuffer* buffer);
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
    Statistics before_{};                // what was counted in the call before
    std::atomic<bool>& sends_;

    Ref<GstElement> bin_;
    GstElement* rtpbin_ = nullptr;
    GstElement* valve_ = nullptr;
    Sender sender_;
    GstElement* funnel_ = nullptr;
    std::unique_ptr<Transport> transport_;

    // Guards what follows, down to the atomics, and what stream_ says of codecs against GStreamer's
    // threads.
    mutable std::mutex mutex_;
    Latch latch_;
    std::optional<Endpoint> told_elsewhere_;
    DtmfSender dtmf_sender_;
    bool dtmf_under_way_ = false;
    DtmfReceiver dtmf_receiver_;
    std::map<GstPad*, Decoder> decoders_;
    std::uint32_t active_source_ = 0;
    Instant active_since_{};
    Ref<GstElement> jitter_buffer_;
    // Only on the media thread:
    JitterControl jitter_control_;

    std::atomic<bool> may_send_{true};
    std::atomic<bool> may_receive_{true};
    std::atomic<bool> started_{false};
    std::atomic<bool> heard_{false};
    std::atomic<bool> was_heard_{false};      // with the codecs of before
    std::atomic<std::int64_t> last_arrival_;  // µs; at first, when it might have come
};

}  // namespace holdfast::media::gst
