// What RTP and RTCP have counted (RFC 3550 §6.4), from rtpbin's session and its jitter buffer.
#include <algorithm>

#include "media/gst_network.h"
#include "media/quality.h"

namespace holdfast::media::gst {

namespace {

using namespace std::chrono_literals;

template <class Number>
Number number(const GstStructure* structure, const char* field) {
    const GValue* value = gst_structure_get_value(structure, field);
    if (!value) return 0;
    if (G_VALUE_HOLDS_UINT64(value)) return static_cast<Number>(g_value_get_uint64(value));
    if (G_VALUE_HOLDS_UINT(value)) return static_cast<Number>(g_value_get_uint(value));
    if (G_VALUE_HOLDS_INT(value)) return static_cast<Number>(g_value_get_int(value));
    return 0;
}
bool flag(const GstStructure* structure, const char* field) {
    gboolean value = FALSE;
    return gst_structure_get_boolean(structure, field, &value) && value;
}

// Of a clock with this rate; 0 where nothing was sent or heard.
Duration from_clock(std::uint32_t ticks, int rate) {
    return rate > 0 ? Duration{static_cast<std::int64_t>(ticks) * 1'000'000 / rate} : Duration{};
}

void add_own_source(Statistics& sum, const GstStructure* source) {
    sum.sent_packets += number<std::uint64_t>(source, "packets-sent");
    sum.sent_bytes += number<std::uint64_t>(source, "octets-sent");
}

void add_their_source(Statistics& sum, const GstStructure* source, int clock_rate) {
    const auto packets = number<std::uint64_t>(source, "packets-received");
    sum.received_packets += packets;
    sum.received_bytes += number<std::uint64_t>(source, "octets-received");
    if (packets > 0) {
        sum.lost_packets += number<std::int64_t>(source, "packets-lost");
        sum.jitter = from_clock(number<std::uint32_t>(source, "jitter"), clock_rate);
    }
    if (!flag(source, "have-rb")) return;
    // The peer's report on what we send.
    sum.lost_there = number<double>(source, "rb-fractionlost") / 256;
    sum.jitter_there = from_clock(number<std::uint32_t>(source, "rb-jitter"), clock_rate);
    // In 1/65536 s; 0: the peer has not seen a report of ours yet.
    const auto round_trip = number<std::uint32_t>(source, "rb-round-trip");
    if (round_trip > 0)
        sum.round_trip = Duration{static_cast<std::int64_t>(round_trip) * 1'000'000 / 65536};
}

double mos_of_path(const Statistics& sum, const CodecFacts& codec, Duration held) {
    const double lost = static_cast<double>(std::max<std::int64_t>(sum.lost_packets, 0)) +
                        static_cast<double>(sum.late_packets);
    const double due = static_cast<double>(sum.received_packets) +
                       static_cast<double>(std::max<std::int64_t>(sum.lost_packets, 0));
    return mos_of(rating_of({.mouth_to_ear = held + sum.round_trip.value_or(0ms) / 2,
                             .loss = due > 0 ? lost / due : 0,
                             .codec = codec.impairment}));
}

}  // namespace

void Network::take_counts(const Network& before) {
    before_ = before.statistics();
    jitter_control_ = before.jitter_control_;
}

Statistics Network::statistics() const {
    Statistics sum{.codec = std::string{codec_->name},
                   .sent_packets = before_.sent_packets,
                   .sent_bytes = before_.sent_bytes,
                   .received_packets = before_.received_packets,
                   .received_bytes = before_.received_bytes,
                   .lost_packets = before_.lost_packets,
                   .late_packets = before_.late_packets};
    GstElement* raw = nullptr;
    g_signal_emit_by_name(rtpbin_, "get-session", 0U, &raw);
    const Ref<GstElement> session{raw};
    if (!session) return sum;
    GstStructure* raw_stats = nullptr;
    g_object_get(session.get(), "stats", &raw_stats, nullptr);
    const Ref<GstStructure> stats{raw_stats};
    const GValue* sources = stats ? gst_structure_get_value(stats.get(), "source-stats") : nullptr;
    if (sources && G_VALUE_HOLDS_BOXED(sources)) {
        const auto* array = static_cast<const GValueArray*>(g_value_get_boxed(sources));
        for (guint n = 0; n < array->n_values; ++n) {
            const auto* source =
                static_cast<const GstStructure*>(g_value_get_boxed(array->values + n));
            if (flag(source, "internal"))
                add_own_source(sum, source);
            else
                add_their_source(sum, source, static_cast<int>(codec_->clock_rate));
        }
    }
    Ref<GstElement> buffer;
    {
        const std::lock_guard lock{mutex_};
        if (jitter_buffer_) buffer = shared(jitter_buffer_.get());
    }
    if (buffer) {
        GstStructure* raw_buffer_stats = nullptr;
        g_object_get(buffer.get(), "stats", &raw_buffer_stats, nullptr);
        const Ref<GstStructure> buffer_stats{raw_buffer_stats};
        if (buffer_stats) sum.late_packets += number<std::uint64_t>(buffer_stats.get(), "num-late");
    }
    sum.held = jitter_control_.held();
    sum.mos = mos_of_path(sum, *codec_, sum.held + sender_.ptime);
    return sum;
}

void Network::fit_jitter_buffer(Instant now) {
    const auto sum = statistics();
    if (jitter_control_.look(
            {.packets = sum.received_packets, .late = sum.late_packets, .jitter = sum.jitter}, now))
        g_object_set(rtpbin_, "latency", static_cast<guint>(jitter_control_.held() / 1ms), nullptr);
}

}  // namespace holdfast::media::gst
