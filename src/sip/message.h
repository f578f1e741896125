// One SIP message: its bytes, owned once, and typed values that point into them.
//
//     auto message = sip::Message::parse(datagram);
//     if (!message) return drop(message.error().reason);
//     if (message->is_request() && message->method() == Method::options) …
//
// Everything is parsed by parse(); getters only return. Views stay valid while the message lives,
// also when it is moved; reparse() and assignment end them. A moved-from message may only be
// assigned to, reparsed or destroyed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sip/address.h"
#include "sip/challenge.h"
#include "sip/cseq.h"
#include "sip/error.h"
#include "sip/header_name.h"
#include "sip/method.h"
#include "sip/uri.h"
#include "sip/via.h"

namespace holdfast::sip {

// One header line. The value is trimmed; where the line was folded, its CR LF are two spaces (RFC
// 3261 §7.3.1 makes a fold equal to one space, and every rule that reads the value skips them).
struct Header {
    std::string_view name_text;  // as written
    std::string_view value;
    HeaderName name = HeaderName::other;
};

// One element of Supported, Require, Proxy-Require, Unsupported or Allow-Events.
struct ListToken {
    std::string_view token;
    HeaderName header = HeaderName::other;
};

class Message {
public:
    Message() = default;  // nothing; for reparse()
    Message(Message&&) noexcept = default;
    Message& operator=(Message&&) noexcept = default;
    Message(const Message&) = delete;
    Message& operator=(const Message&) = delete;
    ~Message() = default;
    [[nodiscard]] Message clone() const;

    // Copies the bytes. Octets after Content-Length are ignored (RFC 3261 §18.3); leading line ends
    // are skipped (§7.5). Without Content-Length the body reaches to the end.
    static std::expected<Message, ParseError> parse(std::string_view datagram);
    // Reuses what an earlier message allocated: no allocation in steady state.
    std::expected<void, ParseError> reparse(std::string_view datagram);
    // Of a request that parse() refused: only what a response must copy (Via, From, To, Call-ID,
    // CSeq), good for write_response and nothing else. Nothing if those are not usable, or for a
    // response.
    static std::optional<Message> salvage(std::string_view datagram);
    // Of a response that parse() refused: only what says which request it answers (status, top Via,
    // Call-ID, CSeq; RFC 3261 §17.1.3, §8.2.6.2), and as far as they were read To, Contact and
    // Record-Route, which its ACK needs (§12.1.2). Nothing if the former are not usable, or for a
    // request.
    static std::optional<Message> salvage_answer(std::string_view datagram);

    [[nodiscard]] bool is_request() const { return status_ == 0; }
    [[nodiscard]] Method method() const { return cseq_.method; }  // of a response: of its CSeq
    [[nodiscard]] std::string_view method_text() const { return cseq_.method_text; }
    [[nodiscard]] const Uri& request_uri() const { return request_uri_; }
    [[nodiscard]] int status() const {
        return status_;
    }  // 0 for a request; may be above 699, see verdict.h
    [[nodiscard]] std::string_view reason_phrase() const { return reason_phrase_; }

    // The five that every message has (RFC 3261 §8.1.1); there is at least one Via.
    [[nodiscard]] std::span<const Via> vias() const { return vias_; }
    [[nodiscard]] const Via& top_via() const { return vias_.front(); }
    [[nodiscard]] const NameAddr& from() const { return from_; }
    [[nodiscard]] const NameAddr& to() const { return to_; }
    [[nodiscard]] std::string_view call_id() const { return call_id_; }
    [[nodiscard]] const CSeq& cseq() const { return cseq_; }

    // All values, in order, whether they stood in one header or in several.
    [[nodiscard]] std::span<const Contact> contacts() const { return contacts_; }
    [[nodiscard]] bool contact_is_star() const { return contact_is_star_; }
    [[nodiscard]] std::span<const NameAddr> routes() const { return routes_; }
    [[nodiscard]] std::span<const NameAddr> record_routes() const { return record_routes_; }
    [[nodiscard]] std::span<const NameAddr> service_routes() const { return service_routes_; }
    [[nodiscard]] std::span<const NameAddr> paths() const { return paths_; }
    [[nodiscard]] std::span<const Challenge> challenges() const { return challenges_; }
    [[nodiscard]] std::span<const Credentials> authorizations() const { return authorizations_; }

    // Numbers. Nothing: absent, or (all but Content-Length) not a number that fits. A malformed
    // Expires of a request reads as 3600 (RFC 3261 §20.19).
    [[nodiscard]] std::optional<std::uint32_t> expires() const { return number(Number::expires); }
    [[nodiscard]] std::optional<std::uint32_t> min_expires() const {
        return number(Number::min_expires);
    }
    [[nodiscard]] std::optional<std::uint32_t> max_forwards() const {
        return number(Number::max_forwards);
    }
    [[nodiscard]] std::optional<std::uint32_t> content_length() const {
        return number(Number::content_length);
    }
    [[nodiscard]] std::optional<std::uint32_t> retry_after() const {
        return number(Number::retry_after);
    }
    [[nodiscard]] std::optional<std::uint32_t> flow_timer() const {
        return number(Number::flow_timer);
    }
    [[nodiscard]] std::optional<std::uint32_t> rseq() const { return number(Number::rseq); }

    // Option tags and event packages; compared without case.
    [[nodiscard]] bool has_token(HeaderName header, std::string_view token) const;
    [[nodiscard]] bool supports(std::string_view option) const {
        return has_token(HeaderName::supported, option);
    }
    [[nodiscard]] bool demands(std::string_view option) const {
        return has_token(HeaderName::require, option);
    }
    [[nodiscard]] std::span<const ListToken> tokens() const { return tokens_; }
    [[nodiscard]] bool allows(Method method) const {
        return (allow_ >> static_cast<unsigned>(method) & 1U) != 0;
    }

    [[nodiscard]] std::span<const Header> headers() const { return headers_; }
    [[nodiscard]] bool has(HeaderName name) const { return header(name).has_value(); }
    // The first line of that name. By text: any case; a name that HeaderName knows is found in both
    // its forms.
    [[nodiscard]] std::optional<std::string_view> header(HeaderName name) const;
    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;

    [[nodiscard]] std::string_view body() const { return body_; }
    [[nodiscard]] std::string_view content_type() const {
        return content_type_;
    }  // raw value, "" if absent
    [[nodiscard]] std::string_view media_type()
        const;  // "application/sdp" without parameters, case kept
    // The message byte by byte as it came: without leading line ends and without what followed the
    // body.
    [[nodiscard]] std::string_view text() const { return text_; }

private:
    friend class MessageParser;
    std::expected<void, ParseError> parse_bytes(std::string_view datagram);
    void clear();
    enum class Number : std::uint8_t {
        expires,
        min_expires,
        max_forwards,
        content_length,
        retry_after,
        flow_timer,
        rseq,
        count
    };
    [[nodiscard]] std::optional<std::uint32_t> number(Number which) const {
        const auto index = static_cast<std::size_t>(which);
        if ((numbers_present_ >> index & 1U) == 0) return std::nullopt;
        return numbers_[index];
    }

    std::unique_ptr<char[]> buffer_;  // what the views point into; padded
    std::size_t capacity_ = 0;
    std::unique_ptr<char[]> original_;  // only after folded headers: the bytes before unfolding
    std::size_t original_capacity_ = 0;
    std::vector<Parameter> parameters_;  // never grows during a parse: values point into it

    std::vector<Header> headers_;
    std::vector<Via> vias_;
    std::vector<Contact> contacts_;
    std::vector<NameAddr> routes_;
    std::vector<NameAddr> record_routes_;
    std::vector<NameAddr> service_routes_;
    std::vector<NameAddr> paths_;
    std::vector<Challenge> challenges_;
    std::vector<Credentials> authorizations_;
    std::vector<ListToken> tokens_;

    Uri request_uri_;
    NameAddr from_;
    NameAddr to_;
    CSeq cseq_;
    std::string_view reason_phrase_;
    std::string_view call_id_;
    std::string_view content_type_;
    std::string_view body_;
    std::string_view text_;
    std::array<std::uint32_t, static_cast<std::size_t>(Number::count)> numbers_{};
    std::uint32_t numbers_present_ = 0;
    std::uint32_t allow_ = 0;
    int status_ = 0;
    bool contact_is_star_ = false;
};

}  // namespace holdfast::sip
