// Where every call of a phone is recorded to, and under which name.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

namespace holdfast::phone {

struct Recordings {
    std::filesystem::path folder{};  // empty: calls are not recorded by themselves
    std::string format = "wav";      // the names' end: wav, opus, ogg or mp3
    friend bool operator==(const Recordings&, const Recordings&) = default;
};

// "wav" of "/music/talk.WAV", if sound can be recorded to such a file; "" else.
std::string recording_format_of(const std::filesystem::path& path);

// "2026-11-26_14-03-59_from_bob.wav": local time, direction, and what is harmless in a file's name
// of who the other side is. since_1970: seconds.
std::string recording_name(std::int64_t since_1970, bool incoming, std::string_view peer,
                           std::string_view format);

// The path, or if something is there already the same with -2, -3, … before its end; "" after 1000.
std::filesystem::path free_path(const std::filesystem::path& path);

// The error is a sentence: a relative name, another end, a directory that is missing, a file that
// is there already.
std::expected<void, std::string> may_be_recorded_to(const std::filesystem::path& path);

}  // namespace holdfast::phone
