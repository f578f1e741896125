// The microphone's sound without what is played beside it, and without noise (WebRTC's processing,
// the elements webrtcdsp and webrtcechoprobe).
//
//   source ─ voice filter ─ volume …            … volume ─ echo probe ─ sink
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "media/gst_ref.h"
#include "media/types.h"

namespace holdfast::media::gst {

struct VoiceEffects {
    bool echo = false;   // is taken out
    bool noise = false;  // is weakened
    bool gain = false;   // speech is brought to one loudness
    [[nodiscard]] bool any() const { return echo || noise || gain; }
};
// What `voice` means for a source of this kind.
VoiceEffects effects_of(const Voice& voice, EndKind source);

// Between speaker and sink: keeps what is played for the filter of the same name. At 8, 16, 32 and
// 48 kHz only. Or why not, in words.
std::expected<Ref<GstElement>, std::string> make_echo_probe(const std::string& name,
                                                            std::uint32_t rate);
// Between source and microphone; the probe must be there if the echo is taken out, and have this
// name. Frames of 10 ms come out, 10 ms late.
std::expected<Ref<GstElement>, std::string> make_voice_filter(const VoiceEffects& effects,
                                                              const std::string& probe,
                                                              std::uint32_t rate);

}  // namespace holdfast::media::gst
