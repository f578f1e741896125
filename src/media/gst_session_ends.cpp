// The two ends of a call's sound on our side, changed and lost while it runs.
#include <string>
#include <utility>

#include "media/gst_clock.h"
#include "media/gst_devices.h"
#include "media/gst_library.h"
#include "media/gst_pads.h"
#include "media/gst_session.h"
#include "media/gst_voice.h"

namespace holdfast::media::gst {

std::expected<void, std::string> Session::replace_source(const AudioEnd& end) {
    if (source_.generator && !is_device(end.kind))
        return set_waveform(*source_.generator, end, rate_);
    auto made = make_source(end, rate_, options_.ptime,
                            {.is_heard = [this] { return sends_.load(); },
                             .on_end = [this] { events_.push(out::Played{id_}); }});
    if (!made) return std::unexpected(made.error());
    if (source_.bin) take_out(pipeline_.get(), source_.bin.get());
    take_out_voice_filter();
    source_ = std::move(*made);
    GstElement* bin = source_.bin.get();
    gst_bin_add(GST_BIN(pipeline_.get()), bin);
    gst_element_link_pads(bin, "src", put_in_voice_filter(end.kind), "sink");
    source_name_.clear();
    watch_moves(bin, source_moved_);
    gst_element_sync_state_with_parent(bin);
    return {};
}

// Nor is what is played kept any longer: nobody would read it.
void Session::take_out_voice_filter() {
    if (voice_filter_) take_out(pipeline_.get(), std::exchange(voice_filter_, nullptr));
    if (!echo_probe_) return;
    between_buffers(pad_of(speaker_, "src").get(), [this] {
        take_out(pipeline_.get(), std::exchange(echo_probe_, nullptr));
        if (sink_bin_) gst_element_link_pads(speaker_, "src", sink_bin_.get(), "sink");
    });
}

// What the source is linked to: the filter, or without one the microphone's volume.
GstElement* Session::put_in_voice_filter(EndKind source) {
    const auto effects = effects_of(options_.voice, source);
    if (!effects.any()) return microphone_;
    const auto name = "echo-probe-" + std::to_string(id_.value);
    if (effects.echo && !echo_probe_) {
        if (const auto heard = hear_what_is_played(name); !heard) {
            fail(out::FailureKind::device, heard.error(), false);
            return microphone_;
        }
    }
    auto filter = make_voice_filter(effects, name, rate_);
    if (!filter) {
        fail(out::FailureKind::device, filter.error(), false);
        return microphone_;
    }
    voice_filter_ = filter->get();
    gst_bin_add(GST_BIN(pipeline_.get()), voice_filter_);
    gst_element_link_pads(voice_filter_, "src", microphone_, "sink");
    gst_element_sync_state_with_parent(voice_filter_);
    return voice_filter_;
}

std::expected<void, std::string> Session::hear_what_is_played(const std::string& name) {
    auto probe = make_echo_probe(name, rate_);
    if (!probe) return std::unexpected(probe.error());
    const auto put_in = [&] {
        echo_probe_ = probe->get();
        gst_bin_add(GST_BIN(pipeline_.get()), echo_probe_);
        if (sink_bin_) gst_element_unlink(speaker_, sink_bin_.get());
        gst_element_link_pads(speaker_, "src", echo_probe_, "sink");
        if (sink_bin_) gst_element_link_pads(echo_probe_, "src", sink_bin_.get(), "sink");
        gst_element_sync_state_with_parent(echo_probe_);
    };
    if (!between_buffers(pad_of(speaker_, "src").get(), put_in))
        return std::unexpected("the echo stays in the microphone's sound: the sink hangs");
    return {};
}

std::expected<void, std::string> Session::replace_sink(const AudioEnd& end) {
    auto made = make_sink(end);
    if (!made) return std::unexpected(made.error());
    sink_name_.clear();
    watch_moves(made->get(), sink_moved_);
    const auto swap = [&] {
        if (sink_bin_) take_out(pipeline_.get(), sink_bin_.get());
        sink_bin_ = std::move(*made);
        gst_bin_add(GST_BIN(pipeline_.get()), sink_bin_.get());
        gst_element_link_pads(echo_probe_ ? echo_probe_ : speaker_, "src", sink_bin_.get(), "sink");
        gst_element_sync_state_with_parent(sink_bin_.get());
    };
    if (!between_buffers(pad_of(speaker_, "src").get(), swap))
        return std::unexpected("the sink " + end.to_string() +
                               " cannot be set: the present one hangs");
    return {};
}

void Session::handle(const in::Source& source) {
    options_.source = source.source;
    lost_source_.forget();
    if (!pipeline_) return;
    if (const auto made = replace_source(source.source); !made)
        fail(out::FailureKind::device, made.error(), false);
}

void Session::handle(const in::Sink& sink) {
    options_.sink = sink.sink;
    lost_sink_.forget();
    if (!pipeline_) return;
    if (const auto made = replace_sink(sink.sink); !made)
        fail(out::FailureKind::device, made.error(), false);
}

bool Session::is_of_voice(GstMessage* message) const {
    const auto* source = GST_MESSAGE_SRC(message);
    return (voice_filter_ && source == GST_OBJECT(voice_filter_)) ||
           (echo_probe_ && source == GST_OBJECT(echo_probe_));
}

void Session::on_error(GstMessage* message) {
    const auto is_of = [&](const Ref<GstElement>& bin) {
        return bin && gst_object_has_as_ancestor(GST_MESSAGE_SRC(message), GST_OBJECT(bin.get()));
    };
    // What was taken out may have said more before.
    if (!gst_object_has_as_ancestor(GST_MESSAGE_SRC(message), GST_OBJECT(pipeline_.get()))) return;
    if (is_of_voice(message)) {
        fail(out::FailureKind::device,
             "echo and noise stay in the microphone's sound: " + words_of(message), false);
        options_.voice = {.echo = false, .noise = false};
        source_.generator.reset();  // it is linked anew
        if (const auto made = replace_source(options_.source); !made) lose(true, made.error());
        gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
        return;
    }
    if (network_ && network_->transport().is_of_dtls(GST_MESSAGE_SRC(message)))
        return;  // the association tells it
    const bool of_source = is_of(source_.bin);
    if (!of_source && !is_of(sink_bin_)) {
        fail(out::FailureKind::stream, "the call's sound fails: " + words_of(message), true);
        return;
    }
    lose(of_source, words_of(message));
    // What failed may have kept the others from starting.
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
}

// The call goes on with silence at this end; the device that was wanted still is.
void Session::lose(bool is_source, std::string sentence) {
    const auto& wanted = is_source ? options_.source : options_.sink;
    if ((is_source ? lost_source_ : lost_sink_).failed(present()))
        events_.push(out::DeviceLost{.session = id_,
                                     .end = wanted,
                                     .sentence = wanted.to_string() + ": " + std::move(sentence)});
    const auto silent = is_source ? replace_source(AudioEnd{}) : replace_sink(AudioEnd{});
    if (!silent) fail(out::FailureKind::stream, silent.error(), true);
}

// PulseAudio gives the streams of a device that goes to another one, and says so.
void Session::watch_moves(GstElement* bin, std::atomic<bool>& moved) {
    const Ref<GstElement> device{gst_bin_get_by_name(GST_BIN(bin), device_name)};
    if (!device ||
        !g_object_class_find_property(G_OBJECT_GET_CLASS(device.get()), "current-device"))
        return;
    const auto note = +[](GObject*, GParamSpec*, gpointer flag) {
        *static_cast<std::atomic<bool>*>(flag) = true;
    };
    g_signal_connect(device.get(), "notify::current-device", G_CALLBACK(note), &moved);
}

// A user may have moved it: that counts only where the one that was wanted is not there any more.
void Session::look_where_it_is(bool is_source) {
    if (!(is_source ? source_moved_ : sink_moved_).exchange(false)) return;
    const auto& bin = is_source ? source_.bin : sink_bin_;
    const auto& wanted = is_source ? options_.source : options_.sink;
    const Ref<GstElement> device{gst_bin_get_by_name(GST_BIN(bin.get()), device_name)};
    if (!device || wanted.kind != EndKind::pulse) return;
    char* name = nullptr;
    g_object_get(device.get(), "current-device", &name, nullptr);
    const auto present_one = text_of(Ref<char>{name});
    if (present_one.empty()) return;
    // PulseAudio's own word for it: the user may have named it by a number, or @DEFAULT_SINK@.
    auto& known = is_source ? source_name_ : sink_name_;
    if (known.empty()) known = present_one;
    if (present_one == known || present_one == wanted.name ||
        is_there({.kind = EndKind::pulse, .name = known}, is_source))
        return;
    if ((is_source ? lost_source_ : lost_sink_).failed(present()))
        events_.push(out::DeviceLost{.session = id_,
                                     .end = wanted,
                                     .sentence = wanted.to_string() +
                                                 ": it is gone; PulseAudio uses " + present_one +
                                                 " in its place"});
}

void Session::look_for_lost(bool is_source) {
    auto& lost = is_source ? lost_source_ : lost_sink_;
    const auto& wanted = is_source ? options_.source : options_.sink;
    if (lost.is_back(present())) events_.push(out::DeviceFound{.session = id_, .end = wanted});
    if (!lost.is_due(present())) return;
    // ALSA has more names than those that it lists: only a try can tell.
    if (wanted.kind != EndKind::alsa && !is_there(wanted, is_source))
        return lost.not_there(present());
    lost.tried(present());
    if (const auto made = is_source ? replace_source(wanted) : replace_sink(wanted); !made)
        lost.failed(present());
}

}  // namespace holdfast::media::gst
