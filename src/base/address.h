// IP addresses, endpoints and targets: where a message can be sent.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast {

enum class Family : std::uint8_t { ipv4, ipv6 };

class IpAddress {
public:
    constexpr IpAddress() = default;  // 0.0.0.0
    static IpAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d);
    static IpAddress v4(std::array<std::uint8_t, 4> bytes);
    static IpAddress v6(const std::array<std::uint8_t, 16>& bytes);
    // Dotted IPv4, or IPv6 (RFC 4291 §2.2) without brackets and without zone. Nothing else.
    static std::optional<IpAddress> parse(std::string_view text);

    [[nodiscard]] Family family() const { return family_; }
    [[nodiscard]] std::string to_string() const;  // RFC 5952 for IPv6, no brackets
    // Network order; the first 4 are used for IPv4.
    [[nodiscard]] const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }

    [[nodiscard]] bool is_unspecified() const;
    [[nodiscard]] bool is_loopback() const;
    [[nodiscard]] bool is_link_local() const;
    [[nodiscard]] bool is_private() const;  // RFC 1918, RFC 4193
    [[nodiscard]] bool is_shared() const;   // RFC 6598, 100.64.0.0/10
    [[nodiscard]] bool is_multicast() const;
    [[nodiscard]] bool is_global() const;  // none of the above

    friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

private:
    Family family_ = Family::ipv4;
    std::array<std::uint8_t, 16> bytes_{};
};

struct Endpoint {
    IpAddress address;
    std::uint16_t port = 0;
    // "192.0.2.1:5060" or "[2001:db8::1]:5060"; a missing port is 0.
    static std::optional<Endpoint> parse(std::string_view text);
    [[nodiscard]] std::string to_string() const;
    friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

enum class Transport : std::uint8_t { udp, tcp, tls };

constexpr bool is_reliable(Transport t) { return t != Transport::udp; }
constexpr bool is_secure(Transport t) { return t == Transport::tls; }
constexpr std::uint16_t default_port(Transport t) { return t == Transport::tls ? 5061 : 5060; }
std::string_view name_of(Transport transport);                    // "udp"
std::string_view via_name_of(Transport transport);                // "UDP"
std::optional<Transport> parse_transport(std::string_view text);  // any case

// One transport, address and port to try (RFC 3263 §4).
struct Target {
    Transport transport = Transport::udp;
    Endpoint endpoint;
    [[nodiscard]] std::string to_string() const;  // "udp:203.0.113.11:5060"
    static std::optional<Target> parse(std::string_view text);
    friend auto operator<=>(const Target&, const Target&) = default;
};

}  // namespace holdfast

template <>
struct std::hash<holdfast::IpAddress> {
    std::size_t operator()(const holdfast::IpAddress& address) const noexcept;
};
template <>
struct std::hash<holdfast::Endpoint> {
    std::size_t operator()(const holdfast::Endpoint& endpoint) const noexcept;
};
template <>
struct std::hash<holdfast::Target> {
    std::size_t operator()(const holdfast::Target& target) const noexcept;
};
