// Words that several findings share.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "doctor/seen.h"

namespace holdfast::doctor {

std::string milliseconds(Duration duration);  // "12 ms", "0.4 ms"
std::string seconds(Duration duration);       // "32 s", "31.4 s"
std::string date_of(std::int64_t unixtime);   // "2026-11-23"
std::string count_of(std::size_t number, std::string_view one, std::string_view many);
std::string list_of(std::span<const std::string> words);  // "a, b and c"

// A URI for a report that goes to others: a password in it and our token (`;hf=`, by which requests
// to us are known to be meant for us) become "…".
std::string without_secrets(std::string_view uri);

std::string name_of(const ServerSeen& server);                     // "udp:203.0.113.11:5060"
std::string answer_in_words(int status, std::string_view phrase);  // "200 OK"

}  // namespace holdfast::doctor
