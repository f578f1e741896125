// Ownership of GLib's and GStreamer's counted objects. What holds a Ref owns a reference; raw
// pointers are borrowed. Only gst_*.cpp files include this.
#pragma once

#include <gst/gst.h>

#include <memory>
#include <string>
#include <utility>

namespace holdfast::media::gst {

struct Unref {
    void operator()(GstObject* object) const { gst_object_unref(object); }
    void operator()(GstElement* object) const { gst_object_unref(object); }
    void operator()(GstPad* object) const { gst_object_unref(object); }
    void operator()(GstBus* object) const { gst_object_unref(object); }
    void operator()(GstClock* object) const { gst_object_unref(object); }
    void operator()(GstDevice* object) const { gst_object_unref(object); }
    void operator()(GstDeviceMonitor* object) const { gst_object_unref(object); }
    void operator()(GstElementFactory* object) const { gst_object_unref(object); }
    void operator()(GstPadTemplate* object) const { gst_object_unref(object); }
    void operator()(GstCaps* caps) const { gst_caps_unref(caps); }
    void operator()(GstSample* sample) const { gst_sample_unref(sample); }
    void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
    void operator()(GstMessage* message) const { gst_message_unref(message); }
    void operator()(GstStructure* structure) const { gst_structure_free(structure); }
    void operator()(GError* error) const { g_error_free(error); }
    void operator()(char* text) const { g_free(text); }
    void operator()(GMainContext* context) const { g_main_context_unref(context); }
    void operator()(GMainLoop* loop) const { g_main_loop_unref(loop); }
    void operator()(GObject* object) const { g_object_unref(object); }
    // It stops as well: a source that its owner forgets must not call it.
    void operator()(GSource* source) const {
        g_source_destroy(source);
        g_source_unref(source);
    }
};

// Owns one reference that the caller was given ("transfer full").
template <class T>
using Ref = std::unique_ptr<T, Unref>;

// A new element comes with a floating reference, which a bin would take; this one is ours.
inline Ref<GstElement> owned(GstElement* element) {
    return Ref<GstElement>{element ? GST_ELEMENT(gst_object_ref_sink(element)) : nullptr};
}
// One more reference to what is borrowed.
inline Ref<GstElement> shared(GstElement* element) {
    return Ref<GstElement>{GST_ELEMENT(gst_object_ref(element))};
}
inline std::string text_of(Ref<char> text) {
    return text ? std::string{text.get()} : std::string{};
}

}  // namespace holdfast::media::gst
