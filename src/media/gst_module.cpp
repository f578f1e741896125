// What libholdfast-media.so gives (module.h).
#include <cstdio>
#include <string>
#include <string_view>

#include "media/gst_engine.h"
#include "media/module.h"

extern "C" __attribute__((visibility("default"))) holdfast::media::Engine* holdfast_media_engine(
    const char* version, char* why, unsigned long why_size) {
    if (std::string_view{version} != HOLDFAST_VERSION) {
        std::snprintf(
            why, why_size,
            "libholdfast-media.so is of version %s, the program of %s: install them together",
            HOLDFAST_VERSION, version);
        return nullptr;
    }
    auto engine = holdfast::media::gst::make_engine();
    if (!engine) {
        std::snprintf(why, why_size, "%s", engine.error().c_str());
        return nullptr;
    }
    return engine->release();
}
