// From what the user said about calls to what a phone makes of each.
#pragma once

#include "apps/cli/options.h"
#include "apps/phone/calls.h"
#include "apps/phone/signals.h"
#include "media/types.h"

namespace holdfast::cli {

// The file that is played, if one is, else the device.
media::AudioEnd source_of(const CallOptions& options);
phone::CallSettings settings_of(const CallOptions& options);
phone::SignalSettings signals_of(const CallOptions& options);

}  // namespace holdfast::cli
