// Pads, and what is done to a pipeline that runs.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "media/gst_ref.h"

namespace holdfast::media::gst {

Ref<GstPad> pad_of(GstElement* element, const char* name);  // an existing one
// Calls `probe` with `data` for each buffer that passes.
void on_buffers(GstPad* pad, GstPadProbeCallback probe, gpointer data);
// For such a probe: `change` writes to the samples of the buffer that passes, 16 bit each.
void change_samples(GstPadProbeInfo* info,
                    const std::function<void(std::span<std::int16_t>)>& change);
// Runs `work` at a moment when no buffer passes this pad, and holds the next one back meanwhile.
// False: such a moment did not come within 2 s.
bool between_buffers(GstPad* pad, std::function<void()> work);
// Stops the element, and the pipeline has it no more.
void take_out(GstElement* pipeline, GstElement* element);

}  // namespace holdfast::media::gst
