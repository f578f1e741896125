#include "apps/phone/recordings.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <system_error>

#include "base/text.h"

namespace holdfast::phone {

namespace {

constexpr std::array formats{"wav", "opus", "ogg", "mp3"};
constexpr std::size_t peer_most = 64;
constexpr int same_name_most = 1000;

// A link is never followed, and nothing that is there is touched.
std::error_code make_file(const std::filesystem::path& path) {
    const int file =
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0) return {errno, std::generic_category()};
    ::close(file);
    return {};
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

std::expected<void, std::string> claim_recording(const std::filesystem::path& path) {
    const auto text = path.string();
    const auto is_control = [](char c) {
        return static_cast<unsigned char>(c) < 0x20U || c == 0x7f;
    };
    if (std::ranges::any_of(text, is_control))
        return std::unexpected("A recording's name has no control characters");
    if (!path.is_absolute())
        return std::unexpected("\"" + text +
                               "\" is relative, and the phone has a working directory of its own: "
                               "name the file from / on");
    if (recording_format_of(path).empty())
        return std::unexpected("\"" + text +
                               "\" ends in none of .wav, .opus, .ogg and .mp3, which say how "
                               "sound is recorded");
    const auto error = make_file(path);
    if (error == std::errc::file_exists)
        return std::unexpected("\"" + text +
                               "\" is there already, and would be lost: name another file");
    if (error) return std::unexpected("\"" + text + "\" cannot be made: " + error.message());
    return {};
}

std::expected<std::filesystem::path, std::string> claim_recording(
    const std::filesystem::path& folder, const std::string& name) {
    auto path = folder / name;
    std::error_code error = make_file(path);
    if (!error) return path;
    for (int n = 2; n <= same_name_most && error == std::errc::file_exists; ++n) {
        auto other = folder / path.stem();
        other += "-" + std::to_string(n) + path.extension().string();
        error = make_file(other);
        if (!error) return other;
    }
    return std::unexpected("\"" + path.string() + "\" cannot be made: " + error.message());
}

}  // namespace holdfast::phone
