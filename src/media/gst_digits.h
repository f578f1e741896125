// A call's digits, whichever way they go: as telephone events (RFC 4733) or as tones in the sound.
#pragma once

#include <expected>
#include <memory>
#include <mutex>
#include <string>

#include "media/dtmf_tones.h"
#include "media/engine.h"
#include "media/event_queue.h"
#include "media/gst_detector.h"
#include "media/gst_network.h"
#include "media/gst_thread.h"

namespace holdfast::media::gst {

class Digits {
public:
    // `thread` and `events` outlive it.
    Digits(Thread& thread, EventQueue& events, SessionId session, DtmfMethod method)
        : thread_(thread), events_(events), session_(session), method_(method) {}

    // On the media thread. Or why not, in words.
    std::expected<void, std::string> send(const in::SendDtmf& dtmf, Network& network);
    // Listens for tones where the method and what was agreed on ask for it. The same.
    std::expected<void, std::string> agreed(const sdp::AgreedStream& stream, std::uint32_t rate);

    // From the call's threads: what is about to be sent, which may be changed, and what is heard.
    // Only what is really sent: the tones that wait would be lost in silence.
    void on_departure(GstPadProbeInfo* info, std::uint32_t rate);
    void on_arrival(GstBuffer* buffer);

private:
    Thread& thread_;
    EventQueue& events_;
    SessionId session_;
    DtmfMethod method_;
    std::mutex mutex_;  // guards what follows
    DtmfTones tones_;
    std::unique_ptr<Detector> detector_;
};

}  // namespace holdfast::media::gst
