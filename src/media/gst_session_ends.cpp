// The two ends of a call's sound on our side, changed and lost while it runs.
#include <utility>

#include "media/gst_library.h"
#include "media/gst_pads.h"
#include "media/gst_session.h"

namespace holdfast::media::gst {

std::expected<void, std::string> Session::replace_source(const AudioEnd& end) {
    if (source_.generator && !is_device(end.kind))
        return set_waveform(*source_.generator, end, rate_);
    auto made = make_source(end, rate_, options_.ptime,
                            {.is_heard = [this] { return sends_.load(); },
                             .on_end = [this] { events_.push(out::Played{id_}); }});
    if (!made) return std::unexpected(made.error());
    if (source_.bin) take_out(pipeline_.get(), source_.bin.get());
    source_ = std::move(*made);
    GstElement* bin = source_.bin.get();
    gst_bin_add(GST_BIN(pipeline_.get()), bin);
    gst_element_link_pads(bin, "src", microphone_, "sink");
    gst_element_sync_state_with_parent(bin);
    return {};
}

std::expected<void, std::string> Session::replace_sink(const AudioEnd& end) {
    auto made = make_sink(end);
    if (!made) return std::unexpected(made.error());
    const auto swap = [&] {
        if (sink_bin_) take_out(pipeline_.get(), sink_bin_.get());
        sink_bin_ = std::move(*made);
        gst_bin_add(GST_BIN(pipeline_.get()), sink_bin_.get());
        gst_element_link_pads(speaker_, "src", sink_bin_.get(), "sink");
        gst_element_sync_state_with_parent(sink_bin_.get());
    };
    if (!between_buffers(pad_of(speaker_, "src").get(), swap))
        return std::unexpected("the sink " + end.to_string() +
                               " cannot be set: the present one hangs");
    return {};
}

void Session::handle(const in::Source& source) {
    options_.source = source.source;
    if (!pipeline_) return;
    if (const auto made = replace_source(source.source); !made)
        fail(out::FailureKind::device, made.error(), false);
}

void Session::handle(const in::Sink& sink) {
    options_.sink = sink.sink;
    if (!pipeline_) return;
    if (const auto made = replace_sink(sink.sink); !made)
        fail(out::FailureKind::device, made.error(), false);
}

void Session::on_error(GstMessage* message) {
    const auto is_of = [&](const Ref<GstElement>& bin) {
        return bin && gst_object_has_as_ancestor(GST_MESSAGE_SRC(message), GST_OBJECT(bin.get()));
    };
    if (network_ && network_->transport().is_of_dtls(GST_MESSAGE_SRC(message)))
        return;  // the association tells it
    const bool of_source = is_of(source_.bin);
    if (!of_source && !is_of(sink_bin_)) {
        fail(out::FailureKind::stream, "the call's sound fails: " + words_of(message), true);
        return;
    }
    AudioEnd& end = of_source ? options_.source : options_.sink;
    events_.push(out::DeviceLost{
        .session = id_, .end = end, .sentence = end.to_string() + ": " + words_of(message)});
    end = AudioEnd{};
    const auto silent = of_source ? replace_source(end) : replace_sink(end);
    if (!silent) fail(out::FailureKind::stream, silent.error(), true);
    // What failed may have kept the others from starting.
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
}

}  // namespace holdfast::media::gst
