// What a later agreement changes in a call's network while it runs, and what we send with. The
// ports, their DTLS and SRTP, and the stream of RTP that the peer knows go on (RFC 3264 §8, RFC
// 8842 §3.1).
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "media/gst_codec.h"
#include "media/gst_library.h"
#include "media/gst_network.h"
#include "media/gst_pads.h"

namespace holdfast::media::gst {

namespace {

using namespace std::chrono_literals;

// Telephone events and comfort noise are no sound to encode.
bool is_sound(const sdp::Codec& codec) {
    return !equals_ignoring_case(codec.name, "telephone-event") &&
           !equals_ignoring_case(codec.name, "CN");
}

const sdp::Codec* sound_of(const sdp::AgreedStream& stream) {
    const auto found = std::ranges::find_if(stream.send, is_sound);
    return found == stream.send.end() ? nullptr : &*found;
}

// What the peer's numbers mean to us stays (RFC 3264 §8.3.2); rtpbin has learned it.
bool agree_on_numbers(const sdp::AgreedStream& a, const sdp::AgreedStream& b) {
    for (const auto& one : a.receive) {
        for (const auto& other : b.receive) {
            if (one.payload_type != other.payload_type) continue;
            if (!equals_ignoring_case(one.name, other.name) || one.clock_rate != other.clock_rate ||
                one.channels != other.channels)
                return false;
        }
    }
    return true;
}

// The packets of `next` follow those of `last`: one source, its sequence, and a clock that goes on
// at the new rate from where it stood (RFC 3550 §5.1, RFC 7160 §4.1).
void go_on(GstElement* last, GstElement* next, std::uint32_t clock_rate) {
    GstStructure* raw = nullptr;
    g_object_get(last, "stats", &raw, nullptr);
    const Ref<GstStructure> stats{raw};
    guint ssrc = 0;
    guint sequence = 0;
    guint timestamp = 0;
    guint64 running_time = GST_CLOCK_TIME_NONE;
    if (!stats || !gst_structure_get_uint(stats.get(), "ssrc", &ssrc) ||
        !gst_structure_get_uint(stats.get(), "seqnum", &sequence) ||
        !gst_structure_get_uint(stats.get(), "timestamp", &timestamp) ||
        !gst_structure_get_uint64(stats.get(), "running-time", &running_time) ||
        running_time == GST_CLOCK_TIME_NONE)
        return;  // it has sent nothing
    const auto ticks = gst_util_uint64_scale_int(running_time, static_cast<gint>(clock_rate),
                                                 static_cast<gint>(GST_SECOND));
    g_object_set(next, "ssrc", ssrc, "seqnum-offset", static_cast<gint>((sequence + 1) & 0xffff),
                 "timestamp-offset", timestamp - static_cast<guint>(ticks), nullptr);
}

}  // namespace

std::expected<Network::Sender, std::string> Network::make_sender(const sdp::AgreedStream& stream) {
    const auto* sound = sound_of(stream);
    if (!sound || !sound->payload_type) return std::unexpected("no codec was agreed on");
    const auto* codec = find_codec(sound->name, sound->clock_rate);
    if (!codec) return std::unexpected("the agreed codec " + sound->name + " is not known here");
    const Duration ptime = stream.ptime ? std::chrono::milliseconds{*stream.ptime} : options_.ptime;
    Sender sender{.bin = owned(gst_bin_new(nullptr)),
                  .codec = codec,
                  .ptime = std::clamp<Duration>(ptime, 10ms, 60ms)};
    Chain chain{GST_BIN(sender.bin.get())};
    add_encoder(chain, *codec,
                {.payload_type = *sound->payload_type,
                 .ptime = sender.ptime,
                 .saves_silence = options_.saves_silence});
    if (!chain.error().empty()) {
        const auto missing = missing_for(*codec);
        return std::unexpected("codec " + sound->name + ": " +
                               (missing.empty() ? chain.error() : missing));
    }
    sender.payloader = chain.last();
    add_ghost(sender.bin.get(), "sink", chain.first(), "sink");
    add_ghost(sender.bin.get(), "src", chain.last(), "src");
    const auto departure = +[](GstPad*, GstPadProbeInfo* info, gpointer self) {
        return static_cast<Network*>(self)->on_departure(info);
    };
    on_buffers(pad_of(chain.last(), "src").get(), departure, this);
    return sender;
}

std::string Network::build_sender() {
    valve_ = Chain{GST_BIN(bin_.get())}.add("valve");
    if (!valve_) return "GStreamer lacks its element valve: install libgstreamer1.0-0";
    auto made = make_sender(stream_);
    if (!made) return std::move(made.error());
    sender_ = std::move(*made);
    codec_ = sender_.codec;
    gst_bin_add(GST_BIN(bin_.get()), sender_.bin.get());
    if (!gst_element_link_pads(valve_, "src", sender_.bin.get(), "sink") ||
        !gst_element_link_pads(sender_.bin.get(), "src", rtpbin_, "send_rtp_sink_0") ||
        !transport_->link_sender("send_rtp_src_0"))
        return "GStreamer cannot link rtpbin";
    return {};
}

std::optional<Trouble> Network::change_sender(const sdp::AgreedStream& stream) {
    auto made = make_sender(stream);
    if (!made)
        return Trouble{.kind = out::FailureKind::codec_missing,
                       .sentence = std::move(made.error())};
    bool linked = false;
    const auto swap = [&] {
        go_on(sender_.payloader, made->payloader, made->codec->clock_rate);
        take_out(bin_.get(), sender_.bin.get());
        sender_ = std::move(*made);
        codec_ = sender_.codec;
        started_ = false;
        GstElement* sender = sender_.bin.get();
        gst_bin_add(GST_BIN(bin_.get()), sender);
        linked = gst_element_link_pads(sender, "src", rtpbin_, "send_rtp_sink_0") &&
                 gst_element_link_pads(valve_, "src", sender, "sink") &&
                 gst_element_sync_state_with_parent(sender);
    };
    if (!between_buffers(pad_of(valve_, "src").get(), swap))
        return Trouble{.sentence = "the call's sound hangs: its source does not come to rest"};
    if (!linked) return Trouble{.sentence = "GStreamer cannot link the new codec"};
    return std::nullopt;
}

bool Network::changes_in_place(const sdp::AgreedStream& stream) const {
    return stream.rtcp_mux == stream_.rtcp_mux && stream.crypto == stream_.crypto &&
           stream.dtls == stream_.dtls && !transport_->is_over() &&
           agree_on_numbers(stream, stream_);
}

std::expected<bool, Trouble> Network::update(const sdp::AgreedStream& stream) {
    if (!changes_in_place(stream)) return false;
    const auto* sound = sound_of(stream);
    const auto* before = sound_of(stream_);
    if (!sound || !before || *sound != *before || stream.ptime != stream_.ptime) {
        if (auto trouble = change_sender(stream)) return std::unexpected(std::move(*trouble));
    }
    if (stream.remote_rtp != stream_.remote_rtp) {
        {
            const std::lock_guard lock{mutex_};
            latch_.describe(stream.remote_rtp);
            told_elsewhere_.reset();
        }
        transport_->describe(stream.remote_rtp);
        transport_->send_rtp_to(stream.remote_rtp);
    }
    if (rtcp_of(stream) != rtcp_of(stream_)) transport_->send_rtcp_to(rtcp_of(stream));
    set_codecs(stream);
    set_directions(stream);
    stream_.direction = stream.direction;
    stream_.remote_rtp = stream.remote_rtp;
    stream_.remote_rtcp = stream.remote_rtcp;
    return true;
}

void Network::set_codecs(const sdp::AgreedStream& stream) {
    const std::lock_guard lock{mutex_};
    if (stream.receive != stream_.receive) {
        was_heard_ = was_heard_ || heard_;
        heard_ = false;
    }
    if (dtmf_under_way_ && !stream.dtmf_send) {
        dtmf_under_way_ = false;
        dtmf_sender_ = {};
        events_.push(out::Failed{.session = session_,
                                 .kind = out::FailureKind::dtmf,
                                 .sentence = "digits are lost that were not yet sent: the other "
                                             "side no longer takes telephone events (RFC 4733)"});
    }
    stream_.send = stream.send;
    stream_.receive = stream.receive;
    stream_.dtmf_send = stream.dtmf_send;
    stream_.dtmf_receive = stream.dtmf_receive;
    stream_.ptime = stream.ptime;
}

}  // namespace holdfast::media::gst
