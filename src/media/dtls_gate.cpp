#include "media/dtls_gate.h"

#include <algorithm>
#include <cstddef>

#include "media/limits.h"

namespace holdfast::media {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t header_size = 13;  // type, version, epoch, sequence, length
constexpr std::uint8_t first_type = 20;  // change_cipher_spec
constexpr std::uint8_t alert_type = 21;
constexpr std::uint8_t handshake_type = 22;
constexpr std::uint8_t last_type = 23;  // application_data
constexpr std::uint8_t major_version = 0xfe;
constexpr Duration patience_with_a_handshake = 2s;

constexpr std::size_t message_header_size = 12;  // type, length, sequence, fragment's place
constexpr std::size_t random_at = header_size + message_header_size + 2;
constexpr std::size_t random_size = 32;
constexpr std::uint8_t client_hello = 1;
constexpr std::uint8_t server_hello = 2;
constexpr std::uint8_t hello_verify_request = 3;

struct Records {
    std::uint8_t first_message = 0;  // of a handshake without keys; 0: none
    bool has_plain_alert = false;
    std::vector<std::uint8_t> client_random{};
};

std::size_t number(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t size) {
    std::size_t value = 0;
    for (const auto byte : bytes.subspan(at, size)) value = value << 8 | byte;
    return value;
}

// RFC 6347 §4.2.2: a fragment lies within its message, and is there.
bool is_whole_message(std::span<const std::uint8_t> content) {
    if (content.size() < message_header_size) return false;
    const auto length = number(content, 1, 3);
    const auto offset = number(content, 6, 3);
    const auto fragment = number(content, 9, 3);
    return offset + fragment <= length && fragment <= content.size() - message_header_size;
}

std::optional<Records> parse(std::span<const std::uint8_t> datagram) {
    if (datagram.empty()) return std::nullopt;
    Records records;
    for (auto rest = datagram; !rest.empty();) {
        if (rest.size() < header_size || rest[0] < first_type || rest[0] > last_type ||
            rest[1] != major_version)
            return std::nullopt;
        const bool encrypted = number(rest, 3, 2) != 0;  // the epoch
        const auto length = number(rest, 11, 2);
        if (length == 0 || length > rest.size() - header_size) return std::nullopt;
        if (rest[0] == alert_type && !encrypted) records.has_plain_alert = true;
        if (rest[0] == handshake_type && !encrypted) {
            if (!is_whole_message(rest.subspan(header_size, length))) return std::nullopt;
            // A later fragment of a hello begins nothing.
            const bool begins = number(rest, header_size + 6, 3) == 0;
            if (rest.data() == datagram.data() && begins) records.first_message = rest[header_size];
        }
        rest = rest.subspan(header_size + length);
    }
    if (records.first_message == client_hello && datagram.size() >= random_at + random_size) {
        const auto random = datagram.subspan(random_at, random_size);
        records.client_random.assign(random.begin(), random.end());
    }
    return records;
}

}  // namespace

bool DtlsGate::may_begin(const Endpoint& from) const {
    if (from == rules_.described) return true;
    return rules_.follow && !rules_.active &&
           std::ranges::find(rules_.strangers, from) == rules_.strangers.end();
}

DtlsGate::Verdict DtlsGate::of_another_source(Instant now, const Endpoint& from) const {
    const bool gets_its_turn = from == rules_.described ||
                               (is_with_stranger() && now - since_ >= patience_with_a_handshake);
    return gets_its_turn ? Verdict::anew : Verdict::drop;
}

DtlsGate::Verdict DtlsGate::on_datagram(Instant now, const Endpoint& from,
                                        std::span<const std::uint8_t> datagram, bool open) {
    const auto records = parse(datagram);
    const bool known = from == peer_ || from == rules_.described;
    if (!records || (open && !known)) return Verdict::drop;
    // RFC 6347 §4.1.2.7: what anybody could have written ends nothing.
    if (records->has_plain_alert) return known && !open ? Verdict::alert : Verdict::drop;
    if (open) return Verdict::pass;
    if (from == peer_)
        return records->client_random.empty() || records->client_random == client_random_
                   ? Verdict::pass
                   : Verdict::anew;
    const bool begins = rules_.active ? records->first_message == server_hello ||
                                            records->first_message == hello_verify_request
                                      : records->first_message == client_hello;
    if (!begins || !may_begin(from)) return Verdict::drop;
    if (peer_) return of_another_source(now, from);
    peer_ = from;
    since_ = now;
    client_random_ = records->client_random;
    return Verdict::pass;
}

std::vector<Endpoint> DtlsGate::strangers() const {
    auto strangers = rules_.strangers;
    if (is_with_stranger()) strangers.push_back(*peer_);
    // The first of many gets another turn.
    if (strangers.size() > limits::dtls_strangers) strangers.erase(strangers.begin());
    return strangers;
}

}  // namespace holdfast::media
