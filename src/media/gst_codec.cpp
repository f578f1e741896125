#include "media/gst_codec.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "media/gst_pads.h"

namespace holdfast::media::gst {

namespace {

constexpr int opus_bitrate = 32'000;   // bits per second: full-band speech, with in-band repair
constexpr int opus_complexity = 5;     // of 10; what is above is not heard at this rate, and costs
constexpr int opus_expected_loss = 5;  // percent: what in-band repair is made for

// Opus knows frames of 10, 20, 40 and 60 ms (RFC 7587 §4.2); the longest that fits.
int opus_frame(Duration ptime) {
    constexpr int ms = 1000;
    for (const int frame : {60, 40, 20}) {
        if (ptime.count() >= frame * ms) return frame;
    }
    return 10;
}

// What is lost is repaired from the frame that follows. opusdec says that it may have to wait 120
// ms for that, the longest frame there is, and all that is heard comes so late; 20 ms is what
// everybody sends. A longer one that is repaired comes late itself, and the next one is in time.
void wait_one_frame_for_repair(GstElement* decoder) {
    constexpr GstClockTime said = 120 * GST_MSECOND;
    constexpr GstClockTime needed = 20 * GST_MSECOND;
    const auto answered = +[](GstPad*, GstPadProbeInfo* info, gpointer) {
        GstQuery* query = GST_PAD_PROBE_INFO_QUERY(info);
        if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY) return GST_PAD_PROBE_OK;
        gboolean live = FALSE;
        GstClockTime least = 0;
        GstClockTime most = 0;
        gst_query_parse_latency(query, &live, &least, &most);
        if (least >= said) gst_query_set_latency(query, live, least - said + needed, most);
        return GST_PAD_PROBE_OK;
    };
    gst_pad_add_probe(
        pad_of(decoder, "src").get(),
        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_QUERY_UPSTREAM | GST_PAD_PROBE_TYPE_PULL),
        answered, nullptr, nullptr);
}

}  // namespace

void add_encoder(Chain& chain, const CodecFacts& codec, const EncoderOptions& options) {
    chain.add_conversion(codec.sample_rate);
    GstElement* encoder = chain.add(std::string{codec.encoder}.c_str());
    GstElement* payloader = chain.add(std::string{codec.payloader}.c_str());
    if (!payloader) return;
    if (codec.encoder == "opusenc") {
        gst_util_set_object_arg(G_OBJECT(encoder), "audio-type", "voice");
        gst_util_set_object_arg(G_OBJECT(encoder), "frame-size",
                                std::to_string(opus_frame(options.ptime)).c_str());
        g_object_set(encoder, "bitrate", opus_bitrate, "complexity", opus_complexity, "inband-fec",
                     TRUE, "packet-loss-percentage", opus_expected_loss, "dtx",
                     options.saves_silence, nullptr);
        g_object_set(payloader, "dtx", options.saves_silence, nullptr);
    }
    if (codec.encoder == "speexenc")
        g_object_set(encoder, "vad", options.saves_silence, "dtx", options.saves_silence, nullptr);
    const gint64 nanoseconds = options.ptime.count() * 1000;
    g_object_set(payloader, "pt", static_cast<guint>(options.payload_type), "min-ptime",
                 nanoseconds, "max-ptime", nanoseconds, nullptr);
}

void add_decoder(Chain& chain, const CodecFacts& codec, std::uint32_t rate) {
    chain.add(std::string{codec.depayloader}.c_str());
    GstElement* decoder = chain.add(std::string{codec.decoder}.c_str());
    if (decoder && codec.decoder == "opusdec") {
        g_object_set(decoder, "use-inband-fec", TRUE, "plc", TRUE, nullptr);
        wait_one_frame_for_repair(decoder);
    }
    chain.add_conversion(rate);
}

Ref<GstCaps> rtp_caps(const sdp::Codec& codec, std::uint8_t payload_type) {
    std::string name = codec.name;
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    Ref<GstCaps> caps{gst_caps_new_simple(
        "application/x-rtp", "media", G_TYPE_STRING, "audio", "clock-rate", G_TYPE_INT,
        static_cast<int>(codec.clock_rate), "encoding-name", G_TYPE_STRING, name.c_str(), "payload",
        G_TYPE_INT, static_cast<int>(payload_type), nullptr)};
    // What their depayloaders want to hear; Opus says in each packet whether it is stereo (RFC 7587
    // §4).
    if (name == "L16")
        gst_caps_set_simple(caps.get(), "channels", G_TYPE_INT, static_cast<int>(codec.channels),
                            nullptr);
    return caps;
}

}  // namespace holdfast::media::gst
