// What a certificate says and what we make of it, in words a person understands: RFC 5922 (domain
// certificates in SIP), RFC 5924 (extended key usage), public key pins (RFC 7469 §2.4). OpenSSL's
// types stay behind the .cpp files.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct x509_st;

namespace holdfast::runtime {

// RFC 5922 §7.1: the SIP domains of a certificate, in lower case, and the addresses it holds for.
struct CertificateNames {
    std::vector<std::string> domains;
    std::vector<std::string> addresses;  // iPAddress, as IpAddress::to_string() writes them
    [[nodiscard]] std::string to_string() const;  // "a.example, b.example"
};
CertificateNames names_of(const x509_st& certificate);

// RFC 5922 §7.2: whole names, any case, and no wildcards. An address matches an iPAddress only.
bool is_for(const CertificateNames& names, std::string_view name);

// RFC 5924 §4: no extended key usage, anyExtendedKeyUsage, id-kp-sipDomain; and serverAuth, as the
// web's CAs give.
bool allows_sip_server(const x509_st& certificate);

using Pin = std::array<std::uint8_t, 32>;
std::optional<Pin> parse_pin(std::string_view text);  // "sha256/BASE64"
Pin pin_of(const x509_st& certificate);               // SHA-256 of its public key (SPKI)
std::string to_string(const Pin& pin);                // "sha256/BASE64"

std::string issuer_of(const x509_st& certificate);  // its common name, else all of it
std::string begins_on(const x509_st& certificate);  // "2026-11-23 14:00 UTC"
std::string expires_on(const x509_st& certificate);
std::int64_t expires_at(const x509_st& certificate);  // seconds since 1970; 0: unreadable
bool is_current(const x509_st& certificate);          // by the host's clock

}  // namespace holdfast::runtime
