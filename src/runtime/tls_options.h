// What a user says about TLS (design: Security). Every connection is verified; nothing here turns
// that off.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace holdfast::runtime {

struct TlsOptions {
    std::filesystem::path ca_file{};  // "" : the system's
    // "sha256/BASE64" of a server's public key (SPKI, as RFC 7469 writes it); one of them must
    // match. A pin without ca_file stands for issuer and name: the user has named the very key.
    // With ca_file both must hold. The dates count always.
    std::vector<std::string> pins{};
    std::filesystem::path certificate_file{};  // client certificate, PEM, with its chain; "" : none
    std::filesystem::path key_file{};          // its key; "" : in certificate_file
    friend bool operator==(const TlsOptions&, const TlsOptions&) = default;
};

}  // namespace holdfast::runtime
