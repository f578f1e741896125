// One call's sound: a pipeline from source to network and from network to sink. All of it is called
// on the media thread.
//
//   source ─ volume ─ network.sink → RTP      RTP → network.src ─ volume ─ sink
//                 └ recorder, level                           └ recorder, level
// Between source and volume may stand a filter of the voice, and between volume and sink what tells
// it what is played (gst_voice.h).
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "media/engine.h"
#include "media/event_queue.h"
#include "media/gst_conference.h"
#include "media/gst_digits.h"
#include "media/gst_network.h"
#include "media/gst_recorder.h"
#include "media/gst_source.h"
#include "media/gst_thread.h"
#include "media/lost_device.h"

namespace holdfast::media::gst {

class Session {
public:
    // `thread` and `events` outlive it.
    Session(Thread& thread, EventQueue& events, SessionId id, SessionOptions options, Ports ports);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();

    void handle(const in::Agreed& agreed);
    void handle(const in::SendDtmf& dtmf);
    void handle(const in::Mute& mute);
    void handle(const in::Volume& volume);
    void handle(const in::Source& source);
    void handle(const in::Sink& sink);
    void handle(const in::Record& record);
    void handle(const in::StopRecording& stop);
    void handle(const in::AskStatistics& ask);
    // Its place in a conference; null: none.
    void seat(std::shared_ptr<Party> party);
    // Of its sound; 0: it has none yet.
    [[nodiscard]] std::uint32_t rate() const { return pipeline_ ? rate_ : 0; }
    // Ends the recording and the sound; the last figures.
    Statistics close();
    // A few times a second: recording, silence, devices that are missing, the jitter buffer.
    void on_time();
    // It has failed for good, and said so.
    [[nodiscard]] bool is_over() const { return over_; }

private:
    bool start(const sdp::AgreedStream& stream);
    bool replace_network(const sdp::AgreedStream& stream);
    void change_network(const sdp::AgreedStream& stream);
    void listen_for_digits(const sdp::AgreedStream& stream);
    std::expected<void, std::string> replace_source(const AudioEnd& end);
    std::expected<void, std::string> replace_sink(const AudioEnd& end);
    void take_out_voice_filter();
    GstElement* put_in_voice_filter(EndKind source);
    std::expected<void, std::string> hear_what_is_played(const std::string& name);
    void lose(bool is_source, std::string sentence);
    void look_for_lost(bool is_source);
    void watch_moves(GstElement* bin, std::atomic<bool>& moved);
    void look_where_it_is(bool is_source);
    void on_message(GstMessage* message);
    [[nodiscard]] bool is_of_voice(GstMessage* message) const;
    void on_error(GstMessage* message);
    void on_association(GstMessage* message);
    void begin_again();
    // From GStreamer's threads:
    void on_departure(GstPadProbeInfo* info);
    void on_arrival(GstBuffer* buffer);
    void on_sound(Side side, GstBuffer* buffer);
    std::shared_ptr<Party> party();
    void stop_recording();
    void fail(out::FailureKind kind, std::string sentence, bool ends);
    [[nodiscard]] Duration running_time() const;
    [[nodiscard]] Statistics statistics() const;

    Thread& thread_;
    EventQueue& events_;
    SessionId id_;
    SessionOptions options_;
    Sockets sockets_;
    Digits digits_;
    in::Mute mute_{};  // as last said, before the sound began as well
    in::Volume volume_{};
    std::uint32_t rate_ = 0;  // of the sound within, from the first codec

    Ref<GstElement> pipeline_;          // null: not started
    GstElement* microphone_ = nullptr;  // its volume
    GstElement* speaker_ = nullptr;
    Source source_;
    GstElement* voice_filter_ = nullptr;  // null: the sound goes as it comes
    GstElement* echo_probe_ = nullptr;    // null: nobody asks what is played
    Ref<GstElement> sink_bin_;
    LostDevice lost_source_;
    LostDevice lost_sink_;
    std::atomic<bool> source_moved_{false};  // to another device, by the sound server
    std::atomic<bool> sink_moved_{false};
    std::string source_name_;  // of the device, by the sound server's first word
    std::string sink_name_;
    std::unique_ptr<Network> network_;
    Ref<GSource> bus_watch_;

    std::mutex party_mutex_;  // guards party_ itself
    std::shared_ptr<Party> party_;
    std::mutex recorder_mutex_;  // guards recorder_ itself, against on_sound()
    std::unique_ptr<Recorder> recorder_;
    std::atomic<double> level_{-90};
    bool silence_told_ = false;
    bool over_ = false;
    bool begins_again_ = false;  // the DTLS association has failed
    int attempts_ = 0;           // that have failed
    Instant last_attempt_{};
    std::atomic<bool> sends_{false};  // what the source gives now reaches the peer
};

}  // namespace holdfast::media::gst
