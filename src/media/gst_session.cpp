#include "media/gst_session.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "base/check.h"
#include "media/gst_clock.h"
#include "media/gst_library.h"
#include "media/gst_pads.h"

namespace holdfast::media::gst {

namespace {

using namespace std::chrono_literals;

double level_of(std::span<const std::int16_t> samples) {
    double sum = 0;
    for (const std::int16_t sample : samples) sum += static_cast<double>(sample) * sample;
    if (sum == 0) return -90;
    return std::max(-90.0, 10 * std::log10(sum / static_cast<double>(samples.size())) -
                               20 * std::log10(32768.0));
}

const CodecFacts* first_sound(const sdp::AgreedStream& stream) {
    for (const auto& codec : stream.send) {
        if (const auto* facts = find_codec(codec.name, codec.clock_rate)) return facts;
    }
    return nullptr;
}

}  // namespace

Session::Session(Thread& thread, EventQueue& events, SessionId id, SessionOptions options,
                 Ports ports)
    : thread_(thread),
      events_(events),
      id_(id),
      options_(std::move(options)),
      sockets_(to_sockets(std::move(ports))),
      digits_(thread, events, id, options_.dtmf) {}

Session::~Session() {
    bus_watch_.reset();
    if (pipeline_) gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
}

void Session::fail(out::FailureKind kind, std::string sentence, bool ends) {
    if (ends) stop_recording();  // what has been recorded is whole
    over_ = over_ || ends;
    events_.push(
        out::Failed{.session = id_, .kind = kind, .sentence = std::move(sentence), .ends = ends});
}

Duration Session::running_time() const {
    const Ref<GstClock> clock{gst_element_get_clock(pipeline_.get())};
    if (!clock) return {};
    return Duration{static_cast<std::int64_t>(
        (gst_clock_get_time(clock.get()) - gst_element_get_base_time(pipeline_.get())) / 1000)};
}

Statistics Session::statistics() const {
    if (!network_) return {};
    auto sum = network_->statistics();
    sum.level = level_;
    return sum;
}

void Session::handle(const in::Agreed& agreed) {
    if (agreed.stream.rejected) {
        if (network_) network_->pause();
        return;
    }
    if (!pipeline_) {
        if (start(agreed.stream)) return;
        pipeline_.reset();
        return;
    }
    silence_told_ = false;
    change_network(agreed.stream);
}

void Session::change_network(const sdp::AgreedStream& stream) {
    const auto changed = network_->update(stream);
    if (!changed)
        fail(changed.error().kind, changed.error().sentence,
             changed.error().kind == out::FailureKind::stream);
    else if (*changed)
        listen_for_digits(stream);
    else
        replace_network(stream);
}

void Session::listen_for_digits(const sdp::AgreedStream& stream) {
    if (const auto listens = digits_.agreed(stream, rate_); !listens)
        fail(out::FailureKind::dtmf, listens.error(), false);
}

bool Session::start(const sdp::AgreedStream& stream) {
    const auto* codec = first_sound(stream);
    if (!codec) {
        fail(out::FailureKind::codec_missing, "the agreed codecs are not known here", true);
        return false;
    }
    rate_ = codec->sample_rate;
    pipeline_ = owned(gst_pipeline_new(nullptr));
    // One clock for all: devices with their own are fitted to it.
    const Ref<GstClock> clock{gst_system_clock_obtain()};
    gst_pipeline_use_clock(GST_PIPELINE(pipeline_.get()), clock.get());
    Chain microphone{GST_BIN(pipeline_.get())};
    microphone_ = microphone.add("volume");
    Chain speaker{GST_BIN(pipeline_.get())};
    speaker_ = speaker.add("volume");
    if (!microphone_ || !speaker_) {
        fail(out::FailureKind::stream,
             "GStreamer lacks its element volume: install gstreamer1.0-plugins-base", true);
        return false;
    }
    handle(in::Mute{mute_});
    handle(in::Volume{volume_});
    const auto departing = +[](GstPad*, GstPadProbeInfo* info, gpointer self) {
        static_cast<Session*>(self)->on_departure(info);
        return GST_PAD_PROBE_OK;
    };
    const auto arriving = +[](GstPad*, GstPadProbeInfo* info, gpointer self) {
        static_cast<Session*>(self)->on_arrival(GST_PAD_PROBE_INFO_BUFFER(info));
        return GST_PAD_PROBE_OK;
    };
    const auto heard = +[](GstPad*, GstPadProbeInfo* info, gpointer self) {
        static_cast<Session*>(self)->on_sound(Side::right, GST_PAD_PROBE_INFO_BUFFER(info));
        return GST_PAD_PROBE_OK;
    };
    on_buffers(pad_of(microphone_, "src").get(), departing, this);
    on_buffers(pad_of(speaker_, "sink").get(), arriving, this);
    on_buffers(pad_of(speaker_, "src").get(), heard, this);
    // A device that is gone ends its stream; the call's goes on.
    const auto keep = +[](GstPad*, GstPadProbeInfo* info, gpointer) {
        return GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS ? GST_PAD_PROBE_DROP
                                                                               : GST_PAD_PROBE_OK;
    };
    gst_pad_add_probe(pad_of(microphone_, "sink").get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, keep,
                      nullptr, nullptr);

    if (!replace_network(stream)) return false;
    for (const bool is_source : {true, false}) {
        const auto& end = is_source ? options_.source : options_.sink;
        const auto made = is_source ? replace_source(end) : replace_sink(end);
        if (made) continue;
        // Without a device the call goes on, and the user is told.
        fail(out::FailureKind::device, made.error(), false);
        const auto silent = is_source ? replace_source(AudioEnd{}) : replace_sink(AudioEnd{});
        if (!silent) {
            fail(out::FailureKind::stream, silent.error(), true);
            return false;
        }
    }
    const Ref<GstBus> bus{gst_element_get_bus(pipeline_.get())};
    bus_watch_ = thread_.watch(bus.get(), [this](GstMessage* message) { on_message(message); });
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
    return true;
}

bool Session::replace_network(const sdp::AgreedStream& stream) {
    auto made = Network::make({.session = id_, .events = events_, .sends = sends_}, sockets_,
                              options_, stream, rate_, network_.get());
    if (!made) {
        // Sound that was to be encrypted does not go on with what was agreed on before.
        fail(made.error().kind, made.error().sentence,
             !network_ || made.error().kind == out::FailureKind::encryption);
        return false;
    }
    if (network_ && network_->has_digits())
        fail(out::FailureKind::dtmf,
             "digits are lost that were not yet sent: the call's keys or ports changed", false);
    const auto swap = [&] {
        if (network_) take_out(pipeline_.get(), network_->bin());
        network_ = std::move(*made);
        gst_bin_add(GST_BIN(pipeline_.get()), network_->bin());
        gst_element_link_pads(microphone_, "src", network_->bin(), "sink");
        gst_element_link_pads(network_->bin(), "src", speaker_, "sink");
        gst_element_sync_state_with_parent(network_->bin());
    };
    if (between_buffers(pad_of(microphone_, "src").get(), swap)) {
        listen_for_digits(stream);
        return true;
    }
    fail(out::FailureKind::stream, "the call's sound hangs: its source does not come to rest",
         true);
    return false;
}

void Session::handle(const in::SendDtmf& dtmf) {
    const auto sent = network_ ? digits_.send(dtmf, *network_)
                               : std::expected<void, std::string>{
                                     std::unexpect, "no digits before the call has sound"};
    if (!sent) fail(out::FailureKind::dtmf, sent.error(), false);
}

void Session::handle(const in::Mute& mute) {
    mute_ = mute;
    if (!pipeline_) return;
    g_object_set(microphone_, "mute", mute.microphone, nullptr);
    g_object_set(speaker_, "mute", mute.speaker, nullptr);
}

void Session::handle(const in::Volume& volume) {
    volume_ = volume;
    if (!pipeline_) return;
    g_object_set(microphone_, "volume", std::clamp(volume.microphone, 0.0, 10.0), nullptr);
    g_object_set(speaker_, "volume", std::clamp(volume.speaker, 0.0, 10.0), nullptr);
}

void Session::handle(const in::Record& record) {
    stop_recording();
    if (!pipeline_) {
        fail(out::FailureKind::recording,
             "cannot record to " + record.path + ": the call has no sound yet", false);
        return;
    }
    auto made = Recorder::make(record.path, rate_, running_time());
    if (!made) {
        fail(out::FailureKind::recording, made.error(), false);
        return;
    }
    const std::lock_guard lock{recorder_mutex_};
    recorder_ = std::move(*made);
}

void Session::handle(const in::StopRecording& /*stop*/) { stop_recording(); }

void Session::stop_recording() {
    std::unique_ptr<Recorder> recorder;
    {
        const std::lock_guard lock{recorder_mutex_};
        recorder = std::move(recorder_);
    }
    if (!recorder) return;
    if (const auto length = recorder->stop(running_time())) {
        events_.push(out::Recorded{.session = id_, .path = recorder->path(), .length = *length});
    } else {
        fail(out::FailureKind::recording, length.error(), false);
    }
}

void Session::handle(const in::AskStatistics& /*ask*/) {
    events_.push(out::Measured{.session = id_, .statistics = statistics()});
}

Statistics Session::close() {
    stop_recording();
    auto last = statistics();
    bus_watch_.reset();
    if (pipeline_) gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    return last;
}

void Session::on_time() {
    if (!network_) return;
    if (begins_again_) begin_again();
    for (const bool is_source : {true, false}) {
        look_where_it_is(is_source);
        look_for_lost(is_source);
    }
    network_->fit_jitter_buffer(present());
    const auto silent = network_->silent_for(present());
    if (silent.has_value() != silence_told_) {
        silence_told_ = silent.has_value();
        if (silent)
            events_.push(out::Silent{.session = id_, .since = *silent});
        else
            events_.push(out::Heard{id_});
    }
    std::optional<std::string> wrong;
    if (recorder_) wrong = recorder_->flush(running_time());
    if (!wrong) return;
    {
        const std::lock_guard lock{recorder_mutex_};
        recorder_.reset();
    }
    fail(out::FailureKind::recording, *wrong, false);
}

void Session::seat(std::shared_ptr<Party> party) {
    const std::lock_guard lock{party_mutex_};
    party_ = std::move(party);
}

std::shared_ptr<Party> Session::party() {
    const std::lock_guard lock{party_mutex_};
    return party_;
}

void Session::on_departure(GstPadProbeInfo* info) {
    if (const auto joined = party())
        change_samples(info, [&](std::span<std::int16_t> frame) { joined->speak(frame); });
    // Before the tones: they may be a PIN, which a recording is not to give away.
    on_sound(Side::left, GST_PAD_PROBE_INFO_BUFFER(info));
    if (sends_) digits_.on_departure(info, rate_);
}

void Session::on_arrival(GstBuffer* buffer) {
    digits_.on_arrival(buffer);
    if (const auto joined = party()) joined->hear(buffer);
}

void Session::on_sound(Side side, GstBuffer* buffer) {
    const std::lock_guard lock{recorder_mutex_};
    if (side == Side::left && !recorder_) return;
    GstMapInfo map{};
    if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) return;
    // GStreamer's buffers are aligned for every type.
    const std::span samples{reinterpret_cast<const std::int16_t*>(map.data),
                            map.size / sizeof(std::int16_t)};
    if (side == Side::right) level_ = level_of(samples);
    if (recorder_ && GST_BUFFER_PTS_IS_VALID(buffer))
        recorder_->add(side, Duration{static_cast<std::int64_t>(GST_BUFFER_PTS(buffer) / 1000)},
                       samples);
    gst_buffer_unmap(buffer, &map);
}

void Session::on_message(GstMessage* message) {
    switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR: on_error(message); break;
    case GST_MESSAGE_APPLICATION: on_association(message); break;
    case GST_MESSAGE_LATENCY: gst_bin_recalculate_latency(GST_BIN(pipeline_.get())); break;
    default: break;  // of some forty kinds, none that matters here
    }
}

}  // namespace holdfast::media::gst
