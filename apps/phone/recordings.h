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

// Makes the file, empty and for its owner alone, so that whoever comes next finds it there: nothing
// is ever written over. The error is a sentence: a relative name, another end, a directory that is
// missing or not ours, a file that is there already.
std::expected<void, std::string> claim_recording(const std::filesystem::path& path);

// The same with the name in the folder, or if it is taken with -2, -3, … before its end; returns
// the path.
std::expected<std::filesystem::path, std::string> claim_recording(
    const std::filesystem::path& folder, const std::string& name);

}  // namespace holdfast::phone
