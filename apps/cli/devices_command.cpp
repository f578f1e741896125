// holdfast devices: what calls can sound with here.
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "apps/cli/commands.h"
#include "apps/cli/media_modules.h"
#include "apps/cli/session.h"
#include "apps/cli/terminal.h"
#include "media/service.h"
#include "runtime/loop.h"

namespace holdfast::cli {

namespace {

using media::out::Listed;
using nlohmann::ordered_json;

constexpr Duration patience = std::chrono::seconds{30};  // plug-ins are scanned once on a host

std::string spoken_name(const media::Device& device) {
    return media::AudioEnd{.kind = device.kind, .name = device.name}.to_string();
}

std::string uses_of(const media::Device& device) {
    if (device.captures && device.plays) return "in and out";
    return device.captures ? "in" : "out";
}

std::string in_words(const Listed& listed) {
    std::string text;
    const auto line = [&](const std::string& words) { text += printable(words) + "\n"; };
    line("codecs, in the order in which they are offered");
    for (const auto& codec : listed.codecs)
        line("  " + codec.name + "/" + std::to_string(codec.clock_rate) +
             (codec.installed ? "" : "  missing: " + codec.missing));
    line("devices, as --audio takes them");
    for (const auto& device : listed.devices)
        line("  " + spoken_name(device) + "  " + uses_of(device) + ": " + device.description);
    line("  null  in and out: silence");
    for (const auto& missing : listed.missing) line(missing);
    return text;
}

std::string in_json(const Listed& listed) {
    auto codecs = ordered_json::array();
    for (const auto& codec : listed.codecs) {
        ordered_json object{
            {"name", codec.name}, {"clock_rate", codec.clock_rate}, {"installed", codec.installed}};
        if (!codec.installed) object["missing"] = codec.missing;
        codecs.push_back(std::move(object));
    }
    auto devices = ordered_json::array();
    for (const auto& device : listed.devices)
        devices.push_back({{"device", spoken_name(device)},
                           {"description", device.description},
                           {"captures", device.captures},
                           {"plays", device.plays}});
    const ordered_json all{{"codecs", codecs}, {"devices", devices}, {"missing", listed.missing}};
    return all.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

ExitCode run_devices(const std::vector<std::string>&, const std::vector<Setting>& settings) {
    const auto options = gather(settings);
    if (!options) return complain(options.error().code, options.error().sentence);
    runtime::Loop loop;
    media::Service media{media_modules()};
    std::optional<Listed> listed;
    const runtime::Watch watch{loop, media.descriptor(), [&](runtime::Ready) {
                                   for (auto& event : media.take())
                                       if (auto* list = std::get_if<Listed>(&event))
                                           listed = std::move(*list);
                               }};
    media.submit(media::in::List{});
    if (!loop.run_until([&] { return listed.has_value(); }, patience))
        return complain(ExitCode::no_sound, "GStreamer did not answer within 30 s");
    // Without the module there is one sentence: why.
    if (listed->codecs.empty() && !listed->missing.empty())
        return complain(ExitCode::no_sound, listed->missing.front());
    Printer output(STDOUT_FILENO);
    output.write(options->json ? in_json(*listed) : in_words(*listed));
    return output.broken() ? ExitCode::host : ExitCode::ok;
}

}  // namespace holdfast::cli
