// The sound devices of this host.
#pragma once

#include "media/engine.h"

namespace holdfast::media::gst {

// What `holdfast devices` lists. Asks the sound servers, which takes some tenths of a second.
out::Listed list_all();
// Whether this device can be found now; of the standard ones: whether there is any.
bool is_there(const AudioEnd& device, bool captures);

}  // namespace holdfast::media::gst
