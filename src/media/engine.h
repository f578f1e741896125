// The contract of calls' sound: commands in, events out, as values. The owner's loop waits for
// descriptor(); nothing calls back into it (docs/media.md).
//
//   engine.submit(in::Open{id, options})       → out::Ready{id, stream}: into the offer or answer
//   engine.submit(in::Agreed{id, stream})      sound flows; again after each offer and answer
//   engine.submit(in::Close{id})               → out::Closed{id, statistics}
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "media/signals.h"
#include "media/types.h"
#include "sdp/stream.h"

namespace holdfast::media {

namespace in {

// Binds ports; answered by out::Ready, or by out::Failed and then the session is not there.
struct Open {
    SessionId session;
    SessionOptions options{};
};
// What offer and answer agreed on. The first starts the sound, a later one changes it.
struct Agreed {
    SessionId session;
    sdp::AgreedStream stream{};
};
// One after the other: 0-9 A-D * #; a comma pauses for a second.
struct SendDtmf {
    SessionId session;
    std::string digits{};
    Duration length = std::chrono::milliseconds{160};  // of one digit; 40 ms – 8 s
    std::optional<DtmfMethod> method{};                // none: as in SessionOptions
};
struct Mute {
    SessionId session;
    bool microphone = false;
    bool speaker = false;
};
// 1 is as it comes, 0 silence, at most 10.
struct Volume {
    SessionId session;
    double microphone = 1;
    double speaker = 1;
};
// Another source instead of the present one, in the call.
struct Source {
    SessionId session;
    AudioEnd source{};
};
struct Sink {
    SessionId session;
    AudioEnd sink{};
};
// Both directions: what we send is the left channel, what we hear the right one. A WAV file.
struct Record {
    SessionId session;
    std::string path{};
};
struct StopRecording {
    SessionId session;
};
// The two calls hear each other, and all that are in a conference with `with`; `session` leaves
// the one where it is. Answered by out::Joined or out::Failed.
struct Join {
    SessionId session;
    SessionId with;
};
struct Split {  // out of its conference; answered by out::Parted
    SessionId session;
};
struct AskStatistics {
    SessionId session;
};
struct Close {
    SessionId session;
};
// What the person here hears beside all calls from now on, until another one: Signal::none is
// silence. It belongs to no session.
struct Play {
    Signal signal = Signal::none;
    Tones tones = Tones::europe;
    // null: nobody hears it; file: a WAV file gets all signals that go there, one behind the other,
    // and is begun anew by the first.
    AudioEnd sink{};
    std::string file{};  // a sound file in the place of the tone, again and again; "": the tone
};
struct List {};  // answered by out::Listed

}  // namespace in

using Command = std::variant<in::Open, in::Agreed, in::SendDtmf, in::Mute, in::Volume, in::Source,
                             in::Sink, in::Record, in::StopRecording, in::Join, in::Split,
                             in::AskStatistics, in::Close, in::Play, in::List>;

namespace out {

enum class FailureKind : std::uint8_t {
    no_module,      // libholdfast-media or GStreamer cannot be loaded
    no_port,        // the range is full, or the address is not ours
    codec_missing,  // no plug-in for a codec, or none of all
    device,         // a device, or a file in its place
    recording,
    conference,
    dtmf,
    encryption,  // SRTP, DTLS: a plug-in is missing, keys do not fit, the peer is another
    stream,      // the media pipeline itself
};

struct Ready {
    SessionId session;
    sdp::LocalStream stream{};
};
// `ends`: the session is gone; else it goes on without what failed.
struct Failed {
    SessionId session;
    FailureKind kind = FailureKind::stream;
    std::string sentence{};  // what, where, what to do
    bool ends = false;
};
struct Started {  // the first packet of ours is on its way
    SessionId session;
    std::string codec{};
};
struct FirstPacket {  // RTP arrives
    SessionId session;
    Endpoint from{};
    std::string codec{};
};
// Nothing came for 3 s although the peer may send: a one-way or dead call.
struct Silent {
    SessionId session;
    Duration since{};
};
struct Heard {  // after Silent: it comes again
    SessionId session;
};
// RTP does not come from where the SDP said. `followed`: we send there now (latch.h).
struct FromElsewhere {
    SessionId session;
    Endpoint expected{};
    Endpoint from{};
    bool followed = false;
};
struct DtmfHeard {  // as it begins
    SessionId session;
    char digit = '0';
};
struct DtmfSent {  // all digits of the SendDtmf commands so far
    SessionId session;
};
struct Played {  // the source's file has ended; silence follows
    SessionId session;
};
// A device is gone. The call goes on with `null` at this end until it is there again, or another
// one is given.
struct DeviceLost {
    SessionId session;
    AudioEnd end{};
    std::string sentence{};
};
struct DeviceFound {  // after DeviceLost: it is used again
    SessionId session;
    AudioEnd end{};
};
struct Recorded {
    SessionId session;
    std::string path{};
    Duration length{};
};
struct Joined {
    SessionId session;
    std::vector<SessionId> members{};  // of its conference now, itself among them
};
struct Parted {  // by in::Split; a call that ends leaves as well
    SessionId session;
};
struct Measured {
    SessionId session;
    Statistics statistics{};
};
struct Closed {
    SessionId session;
    Statistics statistics{};
};
// What a signal should be heard of or from is missing, in words. `has_tone`: only its file is, and
// the tone is heard in its place.
struct NotPlayed {
    Signal signal = Signal::none;
    std::string sentence{};
    bool has_tone = false;
};
struct Listed {
    std::vector<CodecSupport> codecs{};
    std::vector<Device> devices{};
    std::vector<std::string> missing{};  // "no PulseAudio devices: install …"
};

}  // namespace out

using Event =
    std::variant<out::Ready, out::Failed, out::Started, out::FirstPacket, out::Silent, out::Heard,
                 out::FromElsewhere, out::DtmfHeard, out::DtmfSent, out::Played, out::DeviceLost,
                 out::DeviceFound, out::Recorded, out::Joined, out::Parted, out::Measured,
                 out::Closed, out::NotPlayed, out::Listed>;

// An interface, since what implements it is loaded when the first call needs it (service.h).
class Engine {
public:
    Engine() = default;
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    virtual ~Engine() = default;
    // Returns at once, from any one thread; a session that is not there is ignored (it may just
    // have failed).
    virtual void submit(Command command) = 0;
    // Readable (poll) while take() has something.
    [[nodiscard]] virtual int descriptor() const = 0;
    // What has happened since the last time, in order.
    virtual std::vector<Event> take() = 0;
};

}  // namespace holdfast::media
