#include "base/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace holdfast {

namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return port;
}

// An IPv4-mapped address (RFC 4291 §2.5.5.2) is where its IPv4 address is: servers on a dual-stack
// socket report
// ::ffff:192.168.1.2, and that is no global address (N1).
std::optional<IpAddress> mapped_v4(const IpAddress& address) {
    constexpr std::array<std::uint8_t, 12> prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    const auto& bytes = address.bytes();
    if (address.family() != Family::ipv6 ||
        !std::equal(prefix.begin(), prefix.end(), bytes.begin()))
        return std::nullopt;
    return IpAddress::v4(bytes[12], bytes[13], bytes[14], bytes[15]);
}

// As inet_pton has it: four decimal numbers, no zeros before them. By hand, since most texts that
// are asked about are host names, or an address in every message.
bool read_v4(std::string_view text, std::array<std::uint8_t, 4>& bytes) {
    for (auto& byte : bytes) {
        if (&byte != bytes.data()) {
            if (text.empty() || text.front() != '.') return false;
            text.remove_prefix(1);
        }
        unsigned value = 0;
        std::size_t digits = 0;
        for (; digits < text.size() && is_digit(text[digits]); ++digits) {
            value = 10 * value + static_cast<unsigned>(text[digits] - '0');
            if (value > 255 || (digits > 0 && text.front() == '0')) return false;
        }
        if (digits == 0) return false;
        byte = static_cast<std::uint8_t>(value);
        text.remove_prefix(digits);
    }
    return text.empty();
}

// Room for "tls:[" address "]:65535".
using AddressText = std::array<char, INET6_ADDRSTRLEN + 16>;

char* copy(char* end, std::string_view text) { return std::ranges::copy(text, end).out; }

char* decimal(char* end, unsigned number) {
    constexpr std::size_t most_digits = 5;  // of a port
    return std::to_chars(end, end + most_digits, number).ptr;
}

char* octet(char* end, std::uint8_t value) {
    if (value >= 100) *end++ = static_cast<char>('0' + value / 100);
    if (value >= 10) *end++ = static_cast<char>('0' + value / 10 % 10);
    *end++ = static_cast<char>('0' + value % 10);
    return end;
}

char* written(char* end, const IpAddress& address) {
    const auto& bytes = address.bytes();
    if (address.family() == Family::ipv6) {
        inet_ntop(AF_INET6, bytes.data(), end, INET6_ADDRSTRLEN);
        return end + std::string_view(end).size();
    }
    end = octet(end, bytes[0]);  // without sprintf, which is what inet_ntop does it with
    for (std::size_t i = 1; i < 4; ++i) {
        *end++ = '.';
        end = octet(end, bytes[i]);
    }
    return end;
}

char* written(char* end, const Endpoint& endpoint) {
    const bool bracketed = endpoint.address.family() == Family::ipv6;
    if (bracketed) *end++ = '[';
    end = written(end, endpoint.address);
    if (bracketed) *end++ = ']';
    *end++ = ':';
    return decimal(end, endpoint.port);
}

}  // namespace

IpAddress IpAddress::v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    return v4(std::array{a, b, c, d});
}

IpAddress IpAddress::v4(std::array<std::uint8_t, 4> bytes) {
    IpAddress address;
    std::ranges::copy(bytes, address.bytes_.begin());
    return address;
}

IpAddress IpAddress::v6(const std::array<std::uint8_t, 16>& bytes) {
    IpAddress address;
    address.family_ = Family::ipv6;
    address.bytes_ = bytes;
    return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    if (text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
    if (text.find(':') == std::string_view::npos) {
        std::array<std::uint8_t, 4> four{};
        if (!read_v4(text, four)) return std::nullopt;
        return v4(four);
    }
    if (text.find('\0') != std::string_view::npos) return std::nullopt;
    std::array<char, INET6_ADDRSTRLEN> zero_terminated{};
    std::ranges::copy(text, zero_terminated.begin());
    std::array<std::uint8_t, 16> bytes{};
    if (inet_pton(AF_INET6, zero_terminated.data(), bytes.data()) != 1) return std::nullopt;
    return v6(bytes);
}

std::string IpAddress::to_string() const {
    AddressText text{};
    return {text.data(), written(text.data(), *this)};
}

bool IpAddress::is_unspecified() const {
    if (const auto v4 = mapped_v4(*this)) return v4->is_unspecified();
    return std::ranges::all_of(bytes_, [](std::uint8_t byte) { return byte == 0; });
}

bool IpAddress::is_loopback() const {
    if (const auto v4 = mapped_v4(*this)) return v4->is_loopback();
    if (family_ == Family::ipv4) return bytes_[0] == 127;
    return bytes_[15] == 1 &&
           std::all_of(bytes_.begin(), bytes_.end() - 1, [](auto b) { return b == 0; });
}

bool IpAddress::is_link_local() const {
    if (const auto v4 = mapped_v4(*this)) return v4->is_link_local();
    if (family_ == Family::ipv4) return bytes_[0] == 169 && bytes_[1] == 254;
    return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

bool IpAddress::is_private() const {
    if (const auto v4 = mapped_v4(*this)) return v4->is_private();
    if (family_ == Family::ipv6) return (bytes_[0] & 0xfe) == 0xfc;
    return bytes_[0] == 10 || (bytes_[0] == 172 && (bytes_[1] & 0xf0) == 16) ||
           (bytes_[0] == 192 && bytes_[1] == 168);
}

bool IpAddress::is_shared() const {
    if (const auto v4 = mapped_v4(*this)) return v4->is_shared();
    return family_ == Family::ipv4 && bytes_[0] == 100 && (bytes_[1] & 0xc0) == 64;
}

bool IpAddress::is_multicast() const {
    if (const auto v4 = mapped_v4(*this)) return v4->is_multicast();
    return family_ == Family::ipv4 ? (bytes_[0] & 0xf0) == 0xe0 : bytes_[0] == 0xff;
}

bool IpAddress::is_global() const {
    return !is_unspecified() && !is_loopback() && !is_link_local() && !is_private() &&
           !is_shared() && !is_multicast();
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) return std::nullopt;
        const auto address = IpAddress::parse(text.substr(1, close - 1));
        if (!address || address->family() != Family::ipv6) return std::nullopt;
        const auto rest = text.substr(close + 1);
        if (rest.empty()) return Endpoint{*address, 0};
        if (!rest.starts_with(':')) return std::nullopt;
        const auto port = parse_port(rest.substr(1));
        if (!port) return std::nullopt;
        return Endpoint{*address, *port};
    }
    if (const auto whole = IpAddress::parse(text)) return Endpoint{*whole, 0};
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto address = IpAddress::parse(text.substr(0, colon));
    const auto port = parse_port(text.substr(colon + 1));
    if (!address || address->family() != Family::ipv4 || !port) return std::nullopt;
    return Endpoint{*address, *port};
}

std::string Endpoint::to_string() const {
    AddressText text{};
    return {text.data(), written(text.data(), *this)};
}

std::string_view name_of(Transport transport) {
    switch (transport) {
    case Transport::udp: return "udp";
    case Transport::tcp: return "tcp";
    case Transport::tls: return "tls";
    }
    return "?";
}

std::string_view via_name_of(Transport transport) {
    switch (transport) {
    case Transport::udp: return "UDP";
    case Transport::tcp: return "TCP";
    case Transport::tls: return "TLS";
    }
    return "?";
}

std::optional<Transport> parse_transport(std::string_view text) {
    for (const auto transport : {Transport::udp, Transport::tcp, Transport::tls})
        if (equals_ignoring_case(text, name_of(transport))) return transport;
    return std::nullopt;
}

std::string Target::to_string() const {
    AddressText text{};
    char* end = copy(text.data(), name_of(transport));
    *end++ = ':';
    return {text.data(), written(end, endpoint)};
}

std::optional<Target> Target::parse(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto transport = parse_transport(text.substr(0, colon));
    const auto endpoint = Endpoint::parse(text.substr(colon + 1));
    if (!transport || !endpoint) return std::nullopt;
    return Target{*transport, *endpoint};
}

}  // namespace holdfast

namespace {
std::size_t mix(std::size_t seed, std::size_t value) {
    return seed ^ (value + 0x9e3779b97f4a7c15ULL + (seed << 6) + (seed >> 2));
}
}  // namespace

std::size_t std::hash<holdfast::IpAddress>::operator()(
    const holdfast::IpAddress& address) const noexcept {
    std::size_t seed = static_cast<std::size_t>(address.family());
    for (const auto byte : address.bytes()) seed = seed * 1099511628211ULL ^ byte;
    return seed;
}

std::size_t std::hash<holdfast::Endpoint>::operator()(
    const holdfast::Endpoint& endpoint) const noexcept {
    return mix(std::hash<holdfast::IpAddress>{}(endpoint.address), endpoint.port);
}

std::size_t std::hash<holdfast::Target>::operator()(const holdfast::Target& target) const noexcept {
    return mix(std::hash<holdfast::Endpoint>{}(target.endpoint),
               static_cast<std::size_t>(target.transport));
}
