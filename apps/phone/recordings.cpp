#include "apps/phone/recordings.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <system_error>

#include "base/text.h"

namespace holdfast::phone {

namespace {

constexpr std::array formats{"wav", "opus", "ogg", "mp3"};
constexpr std::size_t peer_most = 64;
constexpr int same_name_most = 1000;

bool is_there(const std::filesystem::path& path) {
    std::error_code error;
    // A link to nowhere is there, too, and would be followed.
    return std::filesystem::exists(std::filesystem::symlink_status(path, error));
}

bool is_plain(char c) {
    const char low = to_lower(c);
    return is_digit(c) || (low >= 'a' && low <= 'z') || c == '+' || c == '-';
}

// "bob" of "Bob <sip:bob@example.test;user=phone>", "sip:bob@example.test" or "tel:bob".
std::string_view user_of(std::string_view peer) {
    if (const auto bracket = peer.rfind('<'); bracket != std::string_view::npos)
        peer.remove_prefix(bracket + 1);
    if (const auto scheme = peer.find(':'); scheme != std::string_view::npos)
        peer.remove_prefix(scheme + 1);
    return peer.substr(0, peer.find_first_of("@;?>"));
}

}  // namespace

std::string recording_format_of(const std::filesystem::path& path) {
    const auto end = lower_case(path.extension().string());
    const auto* const known = std::ranges::find_if(
        formats, [&](const char* each) { return end == "." + std::string(each); });
    return known == formats.end() ? "" : *known;
}

std::string recording_name(std::int64_t since_1970, bool incoming, std::string_view peer,
                           std::string_view format) {
    const auto seconds = static_cast<std::time_t>(since_1970);
    std::tm parts{};
    ::localtime_r(&seconds, &parts);
    std::array<char, 32> time{};
    const auto size = std::strftime(time.data(), time.size(), "%Y-%m-%d_%H-%M-%S", &parts);
    std::string name{time.data(), size};
    name += incoming ? "_from_" : "_to_";
    const auto user = user_of(peer).substr(0, peer_most);
    for (const char c : user) name += is_plain(c) ? c : '_';
    if (user.empty()) name += "unknown";
    return name + "." + std::string(format);
}

std::filesystem::path free_path(const std::filesystem::path& path) {
    if (!is_there(path)) return path;
    for (int n = 2; n <= same_name_most; ++n) {
        auto other = path.parent_path() / path.stem();
        other += "-" + std::to_string(n) + path.extension().string();
        if (!is_there(other)) return other;
    }
    return {};
}

std::expected<void, std::string> may_be_recorded_to(const std::filesystem::path& path) {
    if (!path.is_absolute())
        return std::unexpected("\"" + path.string() +
                               "\" is relative, and the phone has a working directory of its own: "
                               "name the file from / on");
    if (recording_format_of(path).empty())
        return std::unexpected("\"" + path.string() +
                               "\" ends in none of .wav, .opus, .ogg and .mp3, which say how sound "
                               "is recorded");
    std::error_code error;
    if (!std::filesystem::is_directory(path.parent_path(), error))
        return std::unexpected("There is no directory \"" + path.parent_path().string() + "\"");
    if (is_there(path))
        return std::unexpected("\"" + path.string() +
                               "\" is there already, and would be lost: name another file");
    return {};
}

}  // namespace holdfast::phone
