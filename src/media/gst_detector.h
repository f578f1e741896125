// Hears digits in the sound itself (ITU-T Q.23). A pipeline of its own beside the call's, as
// recordings have: it costs nothing where it is not needed, and touches the call in no way.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "media/gst_ref.h"
#include "media/gst_thread.h"

namespace holdfast::media::gst {

class Detector {
public:
    // `rate`: of the sound; `on_digit` is called on `thread`. Or why not, in words.
    static std::expected<std::unique_ptr<Detector>, std::string> make(
        Thread& thread, std::uint32_t rate, std::function<void(char)> on_digit);
    Detector(const Detector&) = delete;
    Detector& operator=(const Detector&) = delete;
    ~Detector();
    void add(GstBuffer* buffer);  // of the call's sound; from its threads

private:
    explicit Detector(Ref<GstElement> pipeline);

    Ref<GstElement> pipeline_;
    Ref<GstElement> source_;
    Ref<GSource> watch_;
};

}  // namespace holdfast::media::gst
