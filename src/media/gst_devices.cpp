#include "media/gst_devices.h"

#include <array>
#include <cstring>
#include <string_view>

#include "media/gst_library.h"

namespace holdfast::media::gst {

namespace {

struct Provider {
    const char* factory;
    EndKind kind;
    const char* package;
    const char* property;  // of its devices' elements: the name
};
constexpr std::array providers{
    Provider{.factory = "pipewiredeviceprovider",
             .kind = EndKind::pipewire,
             .package = "gstreamer1.0-pipewire",
             .property = "target-object"},
    Provider{.factory = "pulsedeviceprovider",
             .kind = EndKind::pulse,
             .package = "gstreamer1.0-plugins-good",
             .property = "device"},
    Provider{.factory = "alsadeviceprovider",
             .kind = EndKind::alsa,
             .package = "gstreamer1.0-alsa",
             .property = "device"},
};

// What the device's own element is set to: the name that AudioEnd takes.
std::string name_of_device(GstDevice* device, const char* property) {
    const auto element = owned(gst_device_create_element(device, nullptr));
    if (!element || !g_object_class_find_property(G_OBJECT_GET_CLASS(element.get()), property))
        return {};
    char* name = nullptr;
    g_object_get(element.get(), property, &name, nullptr);
    return text_of(Ref<char>{name});
}

void add_devices(out::Listed& listed, const Provider& provider) {
    GstDeviceProvider* raw = gst_device_provider_factory_get_by_name(provider.factory);
    if (!raw) {
        listed.missing.push_back("no " + std::string{name_of(provider.kind)} +
                                 " devices: install " + provider.package);
        return;
    }
    const Ref<GstObject> owner{GST_OBJECT(raw)};
    GList* devices = gst_device_provider_get_devices(raw);
    for (GList* at = devices; at; at = at->next) {
        const Ref<GstDevice> device{GST_DEVICE(at->data)};
        const bool captures = gst_device_has_classes(device.get(), "Audio/Source");
        const bool plays = gst_device_has_classes(device.get(), "Audio/Sink");
        if (!captures && !plays) continue;
        listed.devices.push_back(
            {.kind = provider.kind,
             .name = name_of_device(device.get(), provider.property),
             .description = text_of(Ref<char>{gst_device_get_display_name(device.get())}),
             .captures = captures,
             .plays = plays});
    }
    g_list_free(devices);
}

}  // namespace

out::Listed list_all() {
    out::Listed listed{.codecs = supported_codecs(), .devices = {}, .missing = {}};
    for (const auto& codec : listed.codecs) {
        if (!codec.installed)
            listed.missing.push_back("codec " + codec.name + ": " + codec.missing);
    }
    for (const auto& provider : providers) add_devices(listed, provider);
    return listed;
}

}  // namespace holdfast::media::gst
