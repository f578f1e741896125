// What a user can say about the devices that calls sound with, and what is done to a microphone.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace holdfast::cli {

struct Options;

std::expected<void, std::string> apply_audio(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_microphone(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_speaker(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_echo_cancel(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_noise_suppression(Options& options, std::string_view value,
                                                         bool);
std::expected<void, std::string> apply_auto_gain(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_ring_device(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_ring_file(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_tone_device(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_tones(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_vad(Options& options, std::string_view value, bool);

}  // namespace holdfast::cli
