#include "flow/stun.h"

#include <algorithm>

#include "base/check.h"

namespace holdfast::flow {

namespace {

constexpr std::uint32_t magic_cookie = 0x2112a442;      // RFC 8489 §5
constexpr std::uint32_t fingerprint_mask = 0x5354554e;  // "STUN", RFC 8489 §14.7
constexpr std::size_t header_size = 20;
constexpr std::size_t attribute_header_size = 4;
constexpr std::size_t fingerprint_size = attribute_header_size + 4;

// RFC 8489 §18.3; below 0x8000 an attribute must be understood.
namespace attribute {
constexpr std::uint16_t mapped_address = 0x0001;
constexpr std::uint16_t username = 0x0006;
constexpr std::uint16_t message_integrity = 0x0008;
constexpr std::uint16_t error_code = 0x0009;
constexpr std::uint16_t unknown_attributes = 0x000a;
constexpr std::uint16_t realm = 0x0014;
constexpr std::uint16_t nonce = 0x0015;
constexpr std::uint16_t message_integrity_sha256 = 0x001c;
constexpr std::uint16_t password_algorithm = 0x001d;
constexpr std::uint16_t userhash = 0x001e;
constexpr std::uint16_t xor_mapped_address = 0x0020;
constexpr std::uint16_t first_optional = 0x8000;
constexpr std::uint16_t fingerprint = 0x8028;
}  // namespace attribute

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
    return static_cast<std::uint8_t>(bytes[at]);
}

std::uint16_t u16_at(std::string_view bytes, std::size_t at) {
    return static_cast<std::uint16_t>(byte_at(bytes, at) << 8U | byte_at(bytes, at + 1));
}

std::uint32_t u32_at(std::string_view bytes, std::size_t at) {
    return static_cast<std::uint32_t>(u16_at(bytes, at)) << 16U | u16_at(bytes, at + 2);
}

void put_u8(std::string& bytes, std::uint32_t value) { bytes += static_cast<char>(value & 0xffU); }

void put_u16(std::string& bytes, std::uint32_t value) {
    put_u8(bytes, value >> 8U);
    put_u8(bytes, value);
}

void put_u32(std::string& bytes, std::uint32_t value) {
    put_u16(bytes, value >> 16U);
    put_u16(bytes, value);
}

constexpr std::size_t padded(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

// CRC-32 of ITU-T V.42, bits reflected, as Ethernet and zip have it (RFC 8489 §14.7).
constexpr std::array<std::uint32_t, 256> crc_table = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit)
            value = (value & 1U) != 0 ? 0xedb88320U ^ (value >> 1U) : value >> 1U;
        table[i] = value;
    }
    return table;
}();

std::uint32_t crc32(std::string_view bytes) {
    std::uint32_t crc = 0xffffffff;
    for (const char c : bytes)
        crc = crc_table[(crc ^ static_cast<std::uint8_t>(c)) & 0xffU] ^ (crc >> 8U);
    return ~crc;
}

// What an address is XORed with: the cookie, then the transaction (RFC 8489 §14.2).
std::array<std::uint8_t, 16> mask_of(const StunTransaction& transaction) {
    std::array<std::uint8_t, 16> mask{0x21, 0x12, 0xa4, 0x42};
    std::ranges::copy(transaction, mask.begin() + 4);
    return mask;
}

// MAPPED-ADDRESS with an all-zero mask, XOR-MAPPED-ADDRESS with the transaction's (RFC 8489 §14.1,
// §14.2).
std::optional<Endpoint> address_of(std::string_view value,
                                   const std::array<std::uint8_t, 16>& mask) {
    if (value.size() < 4) return std::nullopt;
    const bool is_v4 = byte_at(value, 1) == 0x01 && value.size() == 8;
    const bool is_v6 = byte_at(value, 1) == 0x02 && value.size() == 20;
    if (!is_v4 && !is_v6) return std::nullopt;
    std::array<std::uint8_t, 16> bytes{};
    for (std::size_t i = 0; i + 4 < value.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>(byte_at(value, i + 4) ^ mask[i]);
    const auto port = static_cast<std::uint16_t>(u16_at(value, 2) ^ (mask[0] << 8U | mask[1]));
    const auto address = is_v4 ? IpAddress::v4(std::array{bytes[0], bytes[1], bytes[2], bytes[3]})
                               : IpAddress::v6(bytes);
    return Endpoint{address, port};
}

// RFC 8489 §14.8: the class in 3 bits, 3 to 6; the number 0 to 99.
std::optional<StunError> error_of(std::string_view value) {
    if (value.size() < 4 || value.size() > 4 + max_stun_reason_bytes) return std::nullopt;
    const int hundreds = byte_at(value, 2) & 0x07;
    const int number = byte_at(value, 3);
    if (hundreds < 3 || hundreds > 6 || number > 99) return std::nullopt;
    return StunError{hundreds * 100 + number, std::string(value.substr(4))};
}

// Known means: named by RFC 8489, or by RFC 3489 and dropped since. Servers of that age still put
// SOURCE-ADDRESS and CHANGED-ADDRESS into every answer; a client ignores them (RFC 5389 §12).
bool is_known(std::uint16_t type) {
    switch (type) {
    case attribute::mapped_address:
    case 0x0002:  // RESPONSE-ADDRESS (RFC 3489)
    case 0x0003:  // CHANGE-REQUEST
    case 0x0004:  // SOURCE-ADDRESS
    case 0x0005:  // CHANGED-ADDRESS
    case attribute::username:
    case 0x0007:  // PASSWORD
    case attribute::message_integrity:
    case attribute::error_code:
    case attribute::unknown_attributes:
    case 0x000b:  // REFLECTED-FROM
    case attribute::realm:
    case attribute::nonce:
    case attribute::message_integrity_sha256:
    case attribute::password_algorithm:
    case attribute::userhash:
    case attribute::xor_mapped_address: return true;
    default: return type >= attribute::first_optional;
    }
}

class Decoder {
public:
    explicit Decoder(std::string_view datagram) : datagram_(datagram) {
        const auto type =
            u16_at(datagram, 0);  // RFC 8489 §5: the class bits C1 and C0 lie inside the method
        message_.kind = static_cast<StunClass>((type >> 7U & 2U) | (type >> 4U & 1U));
        message_.method = static_cast<std::uint16_t>((type & 0x000fU) | (type & 0x00e0U) >> 1U |
                                                     (type & 0x3e00U) >> 2U);
        std::ranges::copy(datagram.substr(8, 12), message_.transaction.begin());
    }

    std::expected<StunMessage, StunMalformed> run() {
        for (std::size_t at = header_size; at < datagram_.size();) {
            if (message_.has_fingerprint) return std::unexpected(StunMalformed::fingerprint);
            if (datagram_.size() - at < attribute_header_size)
                return std::unexpected(StunMalformed::attribute);
            const auto type = u16_at(datagram_, at);
            const auto size = u16_at(datagram_, at + 2);
            if (padded(size) > datagram_.size() - at - attribute_header_size)
                return std::unexpected(StunMalformed::attribute);
            const auto value = datagram_.substr(at + attribute_header_size, size);
            if (type == attribute::fingerprint) {
                if (!is_right_fingerprint(value, at))
                    return std::unexpected(StunMalformed::fingerprint);
                message_.has_fingerprint = true;
            } else if (!integrity_seen_ &&
                       !take(type, value)) {  // what follows the integrity is not covered by it
                return std::unexpected(StunMalformed::attribute);  // and ignored, RFC 8489 §14.5
            }
            at += attribute_header_size + padded(size);
        }
        if (!message_.mapped)
            message_.mapped = plain_;  // RFC 5389 §12.1: an RFC 3489 server sends only this
        return std::move(message_);
    }

private:
    // Over everything before the attribute; the length in the header already counts it (RFC 8489
    // §14.7).
    [[nodiscard]] bool is_right_fingerprint(std::string_view value, std::size_t at) const {
        return value.size() == 4 &&
               u32_at(value, 0) == (crc32(datagram_.substr(0, at)) ^ fingerprint_mask);
    }

    // Of a repeated attribute the first counts (RFC 8489 §14).
    bool take(std::uint16_t type, std::string_view value) {
        if (type == attribute::message_integrity || type == attribute::message_integrity_sha256) {
            integrity_seen_ = true;
        } else if (type == attribute::xor_mapped_address && !message_.mapped) {
            message_.mapped = address_of(value, mask_of(message_.transaction));
            return message_.mapped.has_value();
        } else if (type == attribute::mapped_address && !plain_) {
            plain_ = address_of(value, {});
            return plain_.has_value();
        } else if (type == attribute::error_code && !message_.error) {
            message_.error = error_of(value);
            return message_.error.has_value();
        } else if (type == attribute::unknown_attributes && message_.unknown_there.empty()) {
            if (value.size() % 2 != 0) return false;
            for (std::size_t i = 0; i < value.size() && i / 2 < max_unknown_stun_attributes; i += 2)
                message_.unknown_there.push_back(u16_at(value, i));
        } else if (!is_known(type) && message_.unknown.size() < max_unknown_stun_attributes) {
            message_.unknown.push_back(type);
        }
        return true;
    }

    std::string_view datagram_;
    StunMessage message_;
    std::optional<Endpoint> plain_;
    bool integrity_seen_ = false;
};

std::string header(StunClass kind, const StunTransaction& transaction) {
    std::string bytes;
    const auto c = static_cast<unsigned>(kind);
    put_u16(bytes, stun_binding | (c & 2U) << 7U | (c & 1U) << 4U);
    put_u16(bytes, 0);  // the length, known at the end
    put_u32(bytes, magic_cookie);
    bytes.append(transaction.begin(), transaction.end());
    return bytes;
}

void put_attribute(std::string& bytes, std::uint16_t type, std::string_view value) {
    put_u16(bytes, type);
    put_u16(bytes, static_cast<std::uint32_t>(value.size()));
    bytes += value;
    bytes.append(padded(value.size()) - value.size(), '\0');
}

std::string finished(std::string bytes) {
    const auto length = bytes.size() - header_size + fingerprint_size;
    bytes[2] = static_cast<char>(length >> 8U & 0xffU);
    bytes[3] = static_cast<char>(length & 0xffU);
    const auto crc = crc32(bytes) ^ fingerprint_mask;
    std::string value;
    put_u32(value, crc);
    put_attribute(bytes, attribute::fingerprint, value);
    return bytes;
}

}  // namespace

StunTransaction new_stun_transaction(Random& random) {
    StunTransaction transaction{};
    random.fill(transaction);
    return transaction;
}

bool is_stun(std::string_view datagram) {
    return datagram.size() >= header_size && (byte_at(datagram, 0) & 0xc0U) == 0 &&
           u32_at(datagram, 4) == magic_cookie && datagram.size() % 4 == 0 &&
           header_size + u16_at(datagram, 2) == datagram.size();
}

bool StunMessage::answers(const StunTransaction& asked) const {
    return (kind == StunClass::success || kind == StunClass::error) && method == stun_binding &&
           transaction == asked;
}

std::optional<Endpoint> StunMessage::mapping() const {
    if (kind != StunClass::success || method != stun_binding || !unknown.empty())
        return std::nullopt;
    return mapped;
}

std::expected<StunMessage, StunMalformed> decode_stun(std::string_view datagram) {
    if (!is_stun(datagram)) return std::unexpected(StunMalformed::not_stun);
    return Decoder{datagram}.run();
}

std::string encode_binding_request(const StunTransaction& transaction) {
    return finished(header(StunClass::request, transaction));
}

std::string encode_binding_success(const StunTransaction& transaction, const Endpoint& mapped) {
    const auto mask = mask_of(transaction);
    const bool is_v4 = mapped.address.family() == Family::ipv4;
    std::string value;
    put_u8(value, 0);
    put_u8(value, is_v4 ? 0x01 : 0x02);
    put_u16(value, mapped.port ^ magic_cookie >> 16U);
    for (std::size_t i = 0; i < (is_v4 ? 4U : 16U); ++i)
        put_u8(value, mapped.address.bytes()[i] ^ mask[i]);
    auto bytes = header(StunClass::success, transaction);
    put_attribute(bytes, attribute::xor_mapped_address, value);
    return finished(std::move(bytes));
}

std::string encode_binding_error(const StunTransaction& transaction, const StunError& error,
                                 const std::vector<std::uint16_t>& unknown) {
    CHECK(error.code >= 300 && error.code <= 699);
    CHECK(unknown.size() <= max_unknown_stun_attributes);
    std::string value;
    put_u16(value, 0);
    put_u8(value, static_cast<std::uint32_t>(error.code / 100));
    put_u8(value, static_cast<std::uint32_t>(error.code % 100));
    value += std::string_view{error.reason}.substr(0, max_stun_reason_bytes);
    auto bytes = header(StunClass::error, transaction);
    put_attribute(bytes, attribute::error_code, value);
    if (error.code == 420 && !unknown.empty()) {
        std::string list;
        for (const auto type : unknown) put_u16(list, type);
        put_attribute(bytes, attribute::unknown_attributes, list);
    }
    return finished(std::move(bytes));
}

}  // namespace holdfast::flow
