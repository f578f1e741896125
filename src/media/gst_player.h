// What a person hears beside all calls: a tone or a sound file to a device or a file, in a pipeline
// of its own, so that no call's sound waits for it.
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <string>

#include "media/engine.h"
#include "media/event_queue.h"
#include "media/gst_ref.h"
#include "media/gst_source.h"
#include "media/gst_thread.h"
#include "media/wav_file.h"

namespace holdfast::media::gst {

// On the media thread. One signal at a time: another one ends it.
class Player {
public:
    // Both must outlive it.
    Player(Thread& thread, EventQueue& events) : thread_(thread), events_(events) {}
    Player(const Player&) = delete;
    Player& operator=(const Player&) = delete;
    ~Player();

    void play(const in::Play& wanted);

private:
    std::expected<void, std::string> begin(const in::Play& wanted);
    void set_sound(Generator& generator, const in::Play& wanted);
    std::expected<Ref<GstElement>, std::string> sink_for(const AudioEnd& end);
    std::expected<Ref<GstElement>, std::string> file_sink(const std::string& path);
    void on_message(GstMessage* message);
    [[nodiscard]] std::string failure_on_bus() const;
    void stop();

    Thread& thread_;
    EventQueue& events_;
    in::Play playing_;
    Ref<GstElement> pipeline_;
    Ref<GSource> watch_;
    bool failed_ = false;  // what plays: it has been said
    std::map<std::string, std::shared_ptr<WavFile>> files_;
};

}  // namespace holdfast::media::gst
