// What a call's sound is described with: where it comes from and goes to, over which ports, with
// which codecs. Values only; nothing here knows GStreamer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/ids.h"
#include "base/time.h"
#include "sdp/stream.h"

namespace holdfast::media {

using SessionId = Id<struct MediaSessionTag>;  // the sound of one call

// Ports for RTP, inclusive. A pair is an even port and the odd one above it (RFC 3550 §11).
struct PortRange {
    std::uint16_t first = 16384;
    std::uint16_t last = 32767;
    friend bool operator==(const PortRange&, const PortRange&) = default;
};

enum class EndKind : std::uint8_t {
    null,      // silence in real time; what is heard is dropped
    tone,      // `name`: hertz, "440"
    file,      // `name`: a sound file to play (any that the installed plug-ins read)
    standard,  // the desktop's default device
    pulse,     // `name`: as `holdfast devices` lists it
    pipewire,
    alsa,
};
std::string_view name_of(EndKind kind);

// One end of the sound on our side: a microphone or what stands for it, a loudspeaker or nothing.
struct AudioEnd {
    EndKind kind = EndKind::null;
    std::string name{};
    bool loop = false;  // file: again from its start, for ever; else silence follows it
    // "null", "tone:440", "file:PATH", "loop:PATH", "default", "pulse:NAME", "pipewire:NAME",
    // "alsa:NAME".
    static std::optional<AudioEnd> parse(std::string_view text);
    [[nodiscard]] std::string to_string() const;
    friend bool operator==(const AudioEnd&, const AudioEnd&) = default;
};

// How digits are sent, and which are heard. SIP's INFO is no matter of media.
enum class DtmfMethod : std::uint8_t {
    automatic,  // telephone events where they were agreed on, else tones in the sound
    events,     // RFC 4733 only
    in_band,    // tones only (ITU-T Q.23)
};

// What is done to the microphone's sound. Not said: done if the source is a device.
struct Voice {
    std::optional<bool> echo{};   // what is played beside it is taken out
    std::optional<bool> noise{};  // is weakened
    bool gain = false;            // speech is brought to one loudness
    friend bool operator==(const Voice&, const Voice&) = default;
};

struct SessionOptions {
    // Bound for RTP and RTCP; unspecified: all addresses of its family.
    IpAddress bind{};
    // Told to the peer; none: `bind`.
    std::optional<IpAddress> advertise{};
    PortRange ports{};
    // Names in order of preference ("opus", "PCMA"); empty: all that are installed, in our order.
    std::vector<std::string> codecs{};
    AudioEnd source{};
    AudioEnd sink{};
    Voice voice{};
    Duration ptime = std::chrono::milliseconds{20};  // of one packet that we send; 10 – 60 ms
    // The jitter buffer holds so much; none: what the network needs (jitter_control.h).
    std::optional<Duration> jitter{};
    // DiffServ code point of RTP and RTCP, 0 – 63; 46 is Expedited Forwarding (RFC 3246).
    std::uint8_t dscp = 46;
    // Next to nothing is sent while nobody speaks, where the codec can (Opus: RFC 7587 §3.1.3).
    bool saves_silence = false;
    // Send to where RTP really comes from (latch.h). Off: only to what the SDP says.
    bool symmetric = true;
    std::string cname{};  // RFC 3550 §6.5.1; empty: drawn for this session
    // RTCP on RTP's port if the peer has it too (RFC 5761); its own port is bound all the same.
    bool rtcp_mux = true;
    DtmfMethod dtmf = DtmfMethod::automatic;
    // Encryption, and by which ways its keys are exchanged: in SDP (RFC 4568), by DTLS (RFC 5763).
    sdp::Srtp srtp = sdp::Srtp::off;
    bool sdes = true;
    bool dtls = true;
    std::vector<std::string> suites{};  // SRTP's, as in a=crypto, best first; empty: ours (srtp.h)
};

// A microphone or a loudspeaker of this host, as `holdfast devices` lists it.
struct Device {
    EndKind kind = EndKind::standard;
    std::string name{};         // as AudioEnd wants it
    std::string description{};  // for a person
    bool captures = false;
    bool plays = false;
    friend bool operator==(const Device&, const Device&) = default;
};

struct CodecSupport {
    std::string name{};  // as in SDP
    std::uint32_t clock_rate = 0;
    bool installed = false;
    std::string missing{};  // what to install, in words; empty: nothing
};

// Packets and what became of them; what is not known (no RTCP yet) is absent.
struct Statistics {
    std::string codec{};  // that we send with
    std::uint64_t sent_packets = 0;
    std::uint64_t sent_bytes = 0;
    std::uint64_t received_packets = 0;
    std::uint64_t received_bytes = 0;
    std::int64_t lost_packets =
        0;  // of those sent to us (RFC 3550 §6.4.1; duplicates count against)
    std::uint64_t late_packets = 0;          // came after their turn in the jitter buffer
    Duration held{};                         // by the jitter buffer, now
    Duration jitter{};                       // of what comes (RFC 3550 §A.8)
    std::optional<Duration> round_trip{};    // RFC 3550 §6.4.1
    std::optional<double> lost_there{};      // share of ours that the peer misses, 0 – 1
    std::optional<Duration> jitter_there{};  // of ours, at the peer
    double mos = 0;                          // of what we hear (quality.h), 1 – 4.5
    double level = -90;                      // of what we hear, dB below full scale
};

}  // namespace holdfast::media
