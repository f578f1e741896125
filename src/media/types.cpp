#include "media/types.h"

#include <array>
#include <utility>

namespace holdfast::media {

namespace {

struct Prefix {
    std::string_view text;
    EndKind kind;
};
constexpr std::array prefixes{
    Prefix{.text = "tone:", .kind = EndKind::tone},
    Prefix{.text = "file:", .kind = EndKind::file},
    Prefix{.text = "loop:", .kind = EndKind::file},
    Prefix{.text = "pulse:", .kind = EndKind::pulse},
    Prefix{.text = "alsa:", .kind = EndKind::alsa},
    Prefix{.text = "pipewire:", .kind = EndKind::pipewire},
};

}  // namespace

std::string_view name_of(EndKind kind) {
    switch (kind) {
    case EndKind::null: return "null";
    case EndKind::tone: return "tone";
    case EndKind::file: return "file";
    case EndKind::standard: return "default";
    case EndKind::pulse: return "pulse";
    case EndKind::pipewire: return "pipewire";
    case EndKind::alsa: return "alsa";
    }
    return "?";
}

std::optional<AudioEnd> AudioEnd::parse(std::string_view text) {
    if (text == "null") return AudioEnd{};
    if (text == "default") return AudioEnd{.kind = EndKind::standard};
    for (const auto& prefix : prefixes) {
        if (!text.starts_with(prefix.text) || text.size() == prefix.text.size()) continue;
        return AudioEnd{.kind = prefix.kind,
                        .name = std::string{text.substr(prefix.text.size())},
                        .loop = prefix.text == "loop:"};
    }
    return std::nullopt;
}

std::string AudioEnd::to_string() const {
    if (kind == EndKind::null || kind == EndKind::standard) return std::string{name_of(kind)};
    return std::string{loop ? "loop" : name_of(kind)} + ":" + name;
}

}  // namespace holdfast::media
