#include "media/gst_network.h"

#include <gst/rtp/gstrtpbuffer.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "media/gst_clock.h"
#include "media/gst_codec.h"
#include "media/gst_library.h"
#include "media/gst_pads.h"
#include "media/limits.h"

namespace holdfast::media::gst {

namespace {

using namespace std::chrono_literals;

// Another source of the peer is let in when the one that is heard has paused for so long; two at a
// time would be played as one.
constexpr Duration source_is_gone = 200ms;

const sdp::Codec* with_payload_type(const std::vector<sdp::Codec>& codecs,
                                    std::uint8_t payload_type) {
    const auto found =
        std::ranges::find_if(codecs, [&](const auto& c) { return c.payload_type == payload_type; });
    return found == codecs.end() ? nullptr : &*found;
}

}  // namespace

Network::Network(const Owner& owner, const SessionOptions& options, sdp::AgreedStream stream,
                 std::uint32_t rate)
    : session_(owner.session),
      events_(owner.events),
      options_(options),
      stream_(std::move(stream)),
      rate_(rate),
      sends_(owner.sends),
      bin_(owned(gst_bin_new("network"))),
      latch_(stream_.remote_rtp, options.symmetric),
      jitter_control_(options.jitter),
      last_arrival_(present().time_since_epoch().count()) {}

Network::~Network() {
    // rtpbin gives up its pads as it goes, and nobody is left to hear of it.
    if (rtpbin_) g_signal_handlers_disconnect_by_data(rtpbin_, this);
}

std::expected<std::unique_ptr<Network>, Trouble> Network::make(
    const Owner& owner, const Sockets& sockets, const SessionOptions& options,
    const sdp::AgreedStream& stream, std::uint32_t rate, const Network* before) {
    // The constructor is private.
    std::unique_ptr<Network> network{new Network{owner, options, stream, rate}};
    if (auto trouble = network->build(sockets, before); trouble)
        return std::unexpected(std::move(*trouble));
    return network;
}

std::optional<Trouble> Network::build(const Sockets& sockets, const Network* before) {
    if (before) take_counts(*before);
    // RFC 4568 §6.4: a new key begins at 0.
    const bool same_key = before != nullptr && stream_.crypto && before->stream_.crypto &&
                          stream_.crypto->remote == before->stream_.crypto->remote;
    if (auto error = build_rtpbin(); !error.empty())
        return Trouble{.kind = out::FailureKind::stream, .sentence = std::move(error)};
    auto transport = Transport::make(
        GST_BIN(bin_.get()), rtpbin_, sockets, stream_,
        {.follow = options_.symmetric,
         .must_encrypt = options_.srtp == sdp::Srtp::required,
         .rollovers = same_key ? before->transport_->rollovers() : Rollovers{},
         .admits =
             [this](const Endpoint& from, const RtpHeader& header) {
                 const std::lock_guard lock{mutex_};
                 return latch_.admits(present(), from, header);
             },
         .strangers = before ? before->transport_->strangers() : std::vector<Endpoint>{}});
    if (!transport) {
        const bool encrypts =
            stream_.crypto || stream_.dtls || options_.srtp == sdp::Srtp::required;
        return Trouble{.kind = encrypts ? out::FailureKind::encryption : out::FailureKind::stream,
                       .sentence = std::move(transport.error())};
    }
    transport_ = std::move(*transport);
    transport_->send_rtp_to(stream_.remote_rtp);
    transport_->send_rtcp_to(rtcp_of(stream_));
    // rtpbin takes a source that comes from another address for a second one with the same SSRC,
    // and drops it: who may be heard from where is for the latch to say.
    const auto arrival = +[](GstPad*, GstPadProbeInfo* info, gpointer self) {
        const auto verdict =
            static_cast<Network*>(self)->on_arrival(GST_PAD_PROBE_INFO_BUFFER(info));
        if (verdict == GST_PAD_PROBE_OK) forget_source(info);
        return verdict;
    };
    on_buffers(transport_->arrivals(), arrival, this);
    const auto report = +[](GstPad*, GstPadProbeInfo* info, gpointer self) {
        if (static_cast<Network*>(self)->comes_from_peer(GST_PAD_PROBE_INFO_BUFFER(info)))
            forget_source(info);
        return GST_PAD_PROBE_OK;
    };
    on_buffers(transport_->report_arrivals(), report, this);
    if (auto error = build_sender(); !error.empty())
        return Trouble{.kind = out::FailureKind::codec_missing, .sentence = std::move(error)};
    add_ghost(bin_.get(), "sink", valve_, "sink");
    add_ghost(bin_.get(), "src", funnel_, "src");
    set_directions(stream_);
    return std::nullopt;
}

std::string Network::build_rtpbin() {
    rtpbin_ = Chain{GST_BIN(bin_.get())}.add("rtpbin");
    funnel_ = Chain{GST_BIN(bin_.get())}.add("funnel");
    if (!rtpbin_ || !funnel_) return "GStreamer lacks rtpbin: install gstreamer1.0-plugins-good";
    g_object_set(rtpbin_, "latency", static_cast<guint>(jitter_control_.held() / 1ms), "do-lost",
                 TRUE, "autoremove", TRUE, "max-streams", static_cast<guint>(limits::sources),
                 nullptr);
    if (!options_.cname.empty()) {
        const Ref<GstStructure> sdes{gst_structure_new("application/x-rtp-source-sdes", "cname",
                                                       G_TYPE_STRING, options_.cname.c_str(),
                                                       nullptr)};
        g_object_set(rtpbin_, "sdes", sdes.get(), nullptr);
    }
    const auto map = +[](GstElement*, guint, guint payload_type, gpointer self) -> GstCaps* {
        return static_cast<Network*>(self)
            ->caps_of(static_cast<std::uint8_t>(payload_type))
            .release();
    };
    const auto added = +[](GstElement*, GstPad* pad, gpointer self) {
        static_cast<Network*>(self)->add_decoder(pad);
    };
    const auto removed = +[](GstElement*, GstPad* pad, gpointer self) {
        static_cast<Network*>(self)->remove_decoder(pad);
    };
    const auto jitter_buffer = +[](GstElement*, GstElement* buffer, guint, guint, gpointer self) {
        auto& network = *static_cast<Network*>(self);
        const std::lock_guard lock{network.mutex_};
        network.jitter_buffer_ = shared(buffer);
    };
    g_signal_connect(rtpbin_, "request-pt-map", G_CALLBACK(map), this);
    g_signal_connect(rtpbin_, "pad-added", G_CALLBACK(added), this);
    g_signal_connect(rtpbin_, "pad-removed", G_CALLBACK(removed), this);
    g_signal_connect(rtpbin_, "new-jitterbuffer", G_CALLBACK(jitter_buffer), this);
    return {};
}

void Network::set_directions(const sdp::AgreedStream& stream) {
    may_send_ = sdp::sends(stream.direction);
    if (!may_send_) sends_ = false;
    g_object_set(valve_, "drop", !may_send_.load(), nullptr);
    const bool received_before = may_receive_.exchange(sdp::receives(stream.direction));
    if (may_receive_ && !received_before) last_arrival_ = present().time_since_epoch().count();
}

void Network::pause() {
    stream_.direction = sdp::Direction::inactive;
    set_directions(stream_);
}

std::expected<void, std::string> Network::send_dtmf(const std::string& digits, Duration length) {
    if (!stream_.dtmf_send)
        return std::unexpected(
            "the other side does not take digits as telephone events (RFC 4733)");
    if (!may_send_) return std::unexpected("no digits while the call is held");
    const std::lock_guard lock{mutex_};
    if (!dtmf_sender_.queue(digits, length)) return std::unexpected(refused_digits(digits));
    dtmf_under_way_ = true;
    return {};
}

std::optional<Duration> Network::silent_for(Instant now) const {
    if (!may_receive_) return std::nullopt;
    const Duration since = now - Instant{Duration{last_arrival_.load()}};
    return since >= limits::silence ? std::optional{since} : std::nullopt;
}

std::optional<sdp::Codec> Network::received_codec(std::uint8_t payload_type) const {
    const std::lock_guard lock{mutex_};
    const auto* codec = with_payload_type(stream_.receive, payload_type);
    return codec ? std::optional{*codec} : std::nullopt;
}

std::optional<std::uint8_t> Network::dtmf_receive() const {
    const std::lock_guard lock{mutex_};
    return stream_.dtmf_receive;
}

Ref<GstCaps> Network::caps_of(std::uint8_t payload_type) const {
    if (const auto codec = received_codec(payload_type)) return rtp_caps(*codec, payload_type);
    const std::lock_guard lock{mutex_};
    if (payload_type != stream_.dtmf_receive || stream_.receive.empty()) return nullptr;
    return rtp_caps({.name = "telephone-event",
                     .clock_rate = stream_.receive.front().clock_rate,
                     .channels = 1,
                     .fmtp = {},
                     .payload_type = payload_type},
                    payload_type);
}

GstPadProbeReturn Network::on_arrival(GstBuffer* buffer) {
    std::array<std::uint8_t, 12> bytes{};
    const auto size = gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
    const auto header = rtp_header(std::span{bytes}.first(size));
    if (!header || !may_receive_) return GST_PAD_PROBE_DROP;
    const Endpoint from = source_of(buffer);
    const Instant now = present();
    const std::lock_guard lock{mutex_};
    const Arrival arrival = latch_.on_packet(now, from, *header);
    if (arrival == Arrival::followed) transport_->send_rtp_to(from);
    if (arrival != Arrival::expected) {
        const bool followed = arrival == Arrival::followed;
        if (followed || told_elsewhere_ != from) {
            told_elsewhere_ = from;
            events_.push(out::FromElsewhere{.session = session_,
                                            .expected = latch_.described(),
                                            .from = from,
                                            .followed = followed});
        }
        if (arrival == Arrival::dropped) return GST_PAD_PROBE_DROP;
    }
    last_arrival_ = now.time_since_epoch().count();
    // After a change the first one with a codec that was agreed on then.
    const auto* codec = heard_ ? nullptr : with_payload_type(stream_.receive, header->payload_type);
    if (!heard_ && (codec || !was_heard_)) {
        heard_ = true;
        events_.push(out::FirstPacket{
            .session = session_, .from = from, .codec = codec ? codec->name : "?"});
    }
    return GST_PAD_PROBE_OK;
}

// A NAT gives RTCP's port another number than RTP's, at the same address.
bool Network::comes_from_peer(GstBuffer* buffer) {
    const auto from = source_of(buffer).address;
    const std::lock_guard lock{mutex_};
    return from == latch_.target().address;
}

GstPadProbeReturn Network::on_departure(GstPadProbeInfo* info) {
    sends_ = may_send_ && transport_->is_open();
    if (!sends_) return GST_PAD_PROBE_DROP;
    if (!started_.exchange(true))
        events_.push(out::Started{.session = session_, .codec = std::string{codec_->name}});
    const std::lock_guard lock{mutex_};
    if (!dtmf_under_way_ || !stream_.dtmf_send) return GST_PAD_PROBE_OK;
    GstBuffer* audio = GST_PAD_PROBE_INFO_BUFFER(info);
    GstRTPBuffer from = GST_RTP_BUFFER_INIT;
    if (!gst_rtp_buffer_map(audio, GST_MAP_READ, &from)) return GST_PAD_PROBE_OK;
    const auto samples = static_cast<std::uint32_t>(seconds_of(sender_.ptime) * codec_->clock_rate);
    const auto packet =
        dtmf_sender_.replace(gst_rtp_buffer_get_timestamp(&from), samples, codec_->clock_rate);
    if (dtmf_sender_.idle()) {
        dtmf_under_way_ = false;
        events_.push(out::DtmfSent{session_});
    }
    if (packet) {
        // The audio's place in the stream, with another payload (RFC 4733 §2.2).
        GstBuffer* digit =
            gst_rtp_buffer_new_allocate(static_cast<guint>(packet->payload.size()), 0, 0);
        GstRTPBuffer to = GST_RTP_BUFFER_INIT;
        CHECK(gst_rtp_buffer_map(digit, GST_MAP_WRITE, &to));
        gst_rtp_buffer_set_ssrc(&to, gst_rtp_buffer_get_ssrc(&from));
        gst_rtp_buffer_set_seq(&to, gst_rtp_buffer_get_seq(&from));
        gst_rtp_buffer_set_timestamp(&to, packet->timestamp);
        gst_rtp_buffer_set_payload_type(&to, *stream_.dtmf_send);
        gst_rtp_buffer_set_marker(&to, packet->marker);
        std::memcpy(gst_rtp_buffer_get_payload(&to), packet->payload.data(),
                    packet->payload.size());
        gst_rtp_buffer_unmap(&to);
        gst_buffer_copy_into(digit, audio, GST_BUFFER_COPY_TIMESTAMPS, 0, static_cast<gsize>(-1));
        gst_rtp_buffer_unmap(&from);
        GST_PAD_PROBE_INFO_DATA(info) = digit;
        gst_buffer_unref(audio);
        return GST_PAD_PROBE_OK;
    }
    gst_rtp_buffer_unmap(&from);
    return GST_PAD_PROBE_OK;
}

GstPadProbeReturn Network::on_source(std::uint32_t ssrc) {
    const Instant now = present();
    const std::lock_guard lock{mutex_};
    if (ssrc != active_source_ && active_source_ != 0 && now - active_since_ < source_is_gone)
        return GST_PAD_PROBE_DROP;
    active_source_ = ssrc;
    active_since_ = now;
    return GST_PAD_PROBE_OK;
}

void Network::on_telephone_event(GstBuffer* buffer) {
    GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
    if (!gst_rtp_buffer_map(buffer, GST_MAP_READ, &rtp)) return;
    const std::span payload{static_cast<const std::uint8_t*>(gst_rtp_buffer_get_payload(&rtp)),
                            gst_rtp_buffer_get_payload_len(&rtp)};
    const std::lock_guard lock{mutex_};
    const auto digit = dtmf_receiver_.on_packet(gst_rtp_buffer_get_timestamp(&rtp), payload);
    gst_rtp_buffer_unmap(&rtp);
    if (digit) events_.push(out::DtmfHeard{.session = session_, .digit = *digit});
}

}  // namespace holdfast::media::gst
