// Which transaction a message belongs to (RFC 3261 §17.1.3, §17.2.3): keys for a map. Case is
// folded (§7.3.1).
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "sip/message.h"

namespace holdfast::transaction {

struct ClientKey {
    std::string text;
    friend auto operator<=>(const ClientKey&, const ClientKey&) = default;
};
struct ServerKey {
    std::string text;
    friend auto operator<=>(const ServerKey&, const ServerKey&) = default;
};

// Of a request that we send, by the branch of its top Via and its method; of a response, the same.
ClientKey client_key(std::string_view branch, std::string_view method);
ClientKey client_key_of(const sip::Message& message);

// What an answer has of its request besides (RFC 3261 §8.2.6.2). A server that mixes up its clients
// sends another's answer with our branch: that one is not ours, and the right one may still come.
struct Asked {
    std::string call_id;
    std::uint32_t cseq = 0;  // its number
};
bool is_answer_to(const Asked& asked, const sip::Message& response);

// Of a request that came in: branch, sent-by and method, where ACK counts as INVITE. Without the
// magic cookie the rules of RFC 2543 apply: Request-URI, tags, Call-ID, CSeq and the top Via (the
// To tag of INVITE and ACK: see below).
ServerKey server_key_of(const sip::Message& request);
// Of the INVITE that a CANCEL wants to end (RFC 3261 §9.2).
ServerKey server_key_of_cancelled(const sip::Message& cancel);
// An ACK with an RFC 2543 branch must carry the To tag of our response (§17.2.3); any other ACK is
// right by its key.
bool ack_fits(const sip::Message& ack, std::string_view our_to_tag);

}  // namespace holdfast::transaction

template <>
struct std::hash<holdfast::transaction::ClientKey> {
    std::size_t operator()(const holdfast::transaction::ClientKey& key) const noexcept {
        return std::hash<std::string>{}(key.text);
    }
};
template <>
struct std::hash<holdfast::transaction::ServerKey> {
    std::size_t operator()(const holdfast::transaction::ServerKey& key) const noexcept {
        return std::hash<std::string>{}(key.text);
    }
};
