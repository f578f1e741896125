// What went wrong with the world around the engine, as a value: a sentence for a person that says
// what, where and what to do, and a kind for exit codes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::runtime {

enum class FailureKind : std::uint8_t {
    state_in_use,      // another process holds the state directory
    state_unusable,    // read-only, full, of a newer version, …
    port_in_use,       // the port that was asked for by name
    address_unusable,  // the local address that was asked for is not ours
    tls_files,         // CA, certificate, key or pin cannot be read
    dns_servers,       // --dns is no address
    recording,         // the file cannot be written or read
    system,            // the host gives no descriptors, no memory, …
};

struct Failure {
    FailureKind kind = FailureKind::system;
    std::string sentence;
};

// What was to be told of before it failed: whoever ends now is not there to tell it later.
inline Failure with_notices(const std::vector<std::string>& notices, Failure failure) {
    std::string sentences;
    for (const auto& notice : notices)
        if (!notice.empty()) sentences.append(notice).append(1, ' ');
    failure.sentence.insert(0, sentences);
    return failure;
}

}  // namespace holdfast::runtime
