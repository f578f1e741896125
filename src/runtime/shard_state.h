// Where an account's state lies when there are several shards: each has a directory of its own
// below the state directory, and an account belongs to the shard that its AOR hashes to, on every
// host and in every version.
#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/failure.h"

namespace holdfast::runtime {

// shards: not 0.
std::size_t shard_of(std::string_view aor, std::size_t shards);
std::filesystem::path shard_directory(const std::filesystem::path& state_directory,
                                      std::size_t shard);
// Makes the state directory fit this many shards: what another number of them left is moved to
// where it belongs now. First written, then deleted: whoever is killed in between begins again.
// Returns what the user should know, as StateFile::take_notice() does. The error: another process
// holds one of the directories, or they cannot be written.
std::expected<std::vector<std::string>, Failure> arrange_shards(
    const std::filesystem::path& state_directory, std::size_t shards);

}  // namespace holdfast::runtime
