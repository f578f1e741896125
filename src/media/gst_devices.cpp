#include "media/gst_devices.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <optional>
#include <string_view>
#include <vector>

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

// None: there is no such provider.
std::optional<std::vector<Device>> devices_of(const Provider& provider) {
    GstDeviceProvider* raw = gst_device_provider_factory_get_by_name(provider.factory);
    if (!raw) return std::nullopt;
    const Ref<GstObject> owner{GST_OBJECT(raw)};
    std::vector<Device> found;
    GList* devices = gst_device_provider_get_devices(raw);
    for (GList* at = devices; at; at = at->next) {
        const Ref<GstDevice> device{GST_DEVICE(at->data)};
        const bool captures = gst_device_has_classes(device.get(), "Audio/Source");
        const bool plays = gst_device_has_classes(device.get(), "Audio/Sink");
        if (!captures && !plays) continue;
        found.push_back(
            {.kind = provider.kind,
             .name = name_of_device(device.get(), provider.property),
             .description = text_of(Ref<char>{gst_device_get_display_name(device.get())}),
             .captures = captures,
             .plays = plays});
    }
    g_list_free(devices);
    return found;
}

}  // namespace

out::Listed list_all() {
    out::Listed listed{.codecs = supported_codecs(), .devices = {}, .missing = {}};
    for (const auto& codec : listed.codecs) {
        if (!codec.installed)
            listed.missing.push_back("codec " + codec.name + ": " + codec.missing);
    }
    for (const auto& provider : providers) {
        auto devices = devices_of(provider);
        if (!devices)
            listed.missing.push_back("no " + std::string{name_of(provider.kind)} +
                                     " devices: install " + provider.package);
        else
            std::ranges::move(*devices, std::back_inserter(listed.devices));
    }
    return listed;
}

bool is_there(const AudioEnd& device, bool captures) {
    const bool any = device.kind == EndKind::standard;
    for (const auto& provider : providers) {
        if (!any && provider.kind != device.kind) continue;
        for (const auto& found : devices_of(provider).value_or(std::vector<Device>{}))
            if ((captures ? found.captures : found.plays) && (any || found.name == device.name))
                return true;
    }
    return false;
}

}  // namespace holdfast::media::gst
