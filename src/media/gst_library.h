// GStreamer itself: its start, its elements, and in words what of it is not installed.
#pragma once

#include <cstdint>
#include <expected>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "media/codecs.h"
#include "media/gst_ref.h"
#include "media/types.h"

namespace holdfast::media::gst {

// Once in a process; the first on a host scans the plug-ins for about a second. Or why not.
std::expected<void, std::string> start_library();

bool has_element(std::string_view factory);
// What is missing for a codec: "no avenc_g722: install gstreamer1.0-libav"; empty: nothing.
std::string missing_for(const CodecFacts& codec);
std::vector<CodecSupport> supported_codecs();

// Elements in a bin, linked in order. Whoever makes one keeps only borrowed pointers: the bin owns
// it.
class Chain {
public:
    explicit Chain(GstBin* bin) : bin_(bin) {}
    // Adds an element after the last one; null, and said by error(), if there is none or it does
    // not link.
    GstElement* add(const char* factory, const char* name = nullptr);
    // Raw sound, 16 bit mono at this rate, converted to what comes next and from what came before.
    void add_conversion(std::uint32_t rate);
    // In a bin that runs already: its elements run too, the last one first.
    void sync();
    [[nodiscard]] GstElement* first() const {
        return elements_.empty() ? nullptr : elements_.front();
    }
    [[nodiscard]] GstElement* last() const {
        return elements_.empty() ? nullptr : elements_.back();
    }
    [[nodiscard]] const std::vector<GstElement*>& elements() const { return elements_; }
    [[nodiscard]] const std::string& error() const { return error_; }

private:
    GstBin* bin_;
    std::vector<GstElement*> elements_;
    std::string error_;
};

// audio/x-raw, 16 bit, mono; 0: any rate.
Ref<GstCaps> raw_caps(std::uint32_t rate);
// The bin's own pad `name` becomes that of an element in it.
void add_ghost(GstElement* bin, const char* name, GstElement* element, const char* pad);
// A message of kind error or warning, in words: what and where.
std::string words_of(GstMessage* message);

}  // namespace holdfast::media::gst
