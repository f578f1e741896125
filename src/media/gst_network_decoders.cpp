// The decoders of a call: rtpbin gives a pad for each source and payload type of the peer, and
// takes it back. All of this runs on GStreamer's threads.
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "media/gst_codec.h"
#include "media/gst_library.h"
#include "media/gst_network.h"

namespace holdfast::media::gst {

namespace {

// rtpbin names its pads recv_rtp_src_SESSION_SSRC_PAYLOADTYPE.
struct SourcePad {
    std::uint32_t ssrc = 0;
    std::uint8_t payload_type = 0;
};

std::optional<SourcePad> parse_pad(GstPad* pad) {
    constexpr std::string_view prefix = "recv_rtp_src_0_";
    const auto name = text_of(Ref<char>{gst_pad_get_name(pad)});
    if (!name.starts_with(prefix)) return std::nullopt;
    const auto rest = std::string_view{name}.substr(prefix.size());
    const auto bar = rest.find('_');
    if (bar == std::string_view::npos) return std::nullopt;
    const auto ssrc = parse_number<std::uint32_t>(rest.substr(0, bar));
    const auto payload_type = parse_number<std::uint8_t>(rest.substr(bar + 1));
    if (!ssrc || !payload_type) return std::nullopt;
    return SourcePad{.ssrc = *ssrc, .payload_type = *payload_type};
}

}  // namespace

void Network::add_decoder(GstPad* pad) {
    const auto source = parse_pad(pad);
    if (!source) return;  // one of ours, that sends
    const auto codec = received_codec(source->payload_type);
    const auto* facts = codec ? find_codec(codec->name, codec->clock_rate) : nullptr;
    Chain chain{GST_BIN(bin_.get())};
    if (facts) gst::add_decoder(chain, *facts, rate_);
    const bool decodes = facts && chain.error().empty();
    if (!decodes) {
        // Digits, comfort noise, what was not agreed on: rtpbin's pad must lead somewhere all the
        // same.
        if (facts)
            events_.push(out::Failed{
                .session = session_,
                .kind = out::FailureKind::codec_missing,
                .sentence = "cannot hear codec " + codec->name + ": " + missing_for(*facts)});
        chain = Chain{GST_BIN(bin_.get())};
        g_object_set(chain.add("fakesink"), "sync", FALSE, "async", FALSE, nullptr);
    }
    const Ref<GstPad> sink{gst_element_get_static_pad(chain.first(), "sink")};
    Decoder decoder{.elements = chain.elements(), .funnel_pad = {}};
    if (decodes) {
        decoder.funnel_pad.reset(gst_element_request_pad_simple(funnel_, "sink_%u"));
        const Ref<GstPad> end{gst_element_get_static_pad(chain.last(), "src")};
        gst_pad_link(end.get(), decoder.funnel_pad.get());
        watch_source(sink.get(), source->ssrc);
    } else if (source->payload_type == dtmf_receive()) {
        const auto event = +[](GstPad*, GstPadProbeInfo* info, gpointer self) {
            static_cast<Network*>(self)->on_telephone_event(GST_PAD_PROBE_INFO_BUFFER(info));
            return GST_PAD_PROBE_OK;
        };
        gst_pad_add_probe(sink.get(), GST_PAD_PROBE_TYPE_BUFFER, event, this, nullptr);
    }
    chain.sync();
    gst_pad_link(pad, sink.get());
    const std::lock_guard lock{mutex_};
    decoders_.insert_or_assign(pad, std::move(decoder));
}

void Network::remove_decoder(GstPad* pad) {
    Decoder decoder;
    {
        const std::lock_guard lock{mutex_};
        const auto found = decoders_.find(pad);
        if (found == decoders_.end()) return;
        decoder = std::move(found->second);
        decoders_.erase(found);
    }
    for (GstElement* element : decoder.elements) {
        gst_element_set_state(element, GST_STATE_NULL);
        gst_bin_remove(GST_BIN(bin_.get()), element);
    }
    if (decoder.funnel_pad) gst_element_release_request_pad(funnel_, decoder.funnel_pad.get());
}

void Network::watch_source(GstPad* pad, std::uint32_t ssrc) {
    struct Watched {
        Network* network;
        std::uint32_t ssrc;
    };
    const auto arrived = +[](GstPad*, GstPadProbeInfo*, gpointer data) {
        const auto& watched = *static_cast<Watched*>(data);
        return watched.network->on_source(watched.ssrc);
    };
    const auto forget =
        +[](gpointer data) { std::default_delete<Watched>{}(static_cast<Watched*>(data)); };
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, arrived,
                      std::make_unique<Watched>(Watched{.network = this, .ssrc = ssrc}).release(),
                      forget);
}

}  // namespace holdfast::media::gst
