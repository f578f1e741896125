// What `holdfast devices` lists.
#pragma once

#include "media/engine.h"

namespace holdfast::media::gst {

// Asks the sound servers, which takes some tenths of a second.
out::Listed list_all();

}  // namespace holdfast::media::gst
