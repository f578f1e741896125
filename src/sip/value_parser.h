// Typed values out of header text. Works on padded text that ends in CR (scan.h); folds are gone by
// then. Every function takes where to begin and returns where it stopped, or nullptr after a
// failure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "sip/address.h"
#include "sip/challenge.h"
#include "sip/cseq.h"
#include "sip/parameters.h"
#include "sip/uri.h"
#include "sip/via.h"

namespace holdfast::sip {

class ValueParser {
public:
    // Parameters go into a pool that does not move. When it is full, parsing fails and
    // pool_is_full() says why.
    ValueParser(Parameter* pool, std::size_t size) : next_(pool), limit_(pool + size) {}

    // Where a URI stands decides where it may end (RFC 3261 §20: bare ones hold no ; ? or ,).
    enum class Form : std::uint8_t { bracketed, bare };
    const char* uri(const char* p, Form form, Uri& out);
    const char* name_addr(const char* p, NameAddr& out);  // with the header's parameters
    const char* contact(const char* p, Contact& out);
    const char* via(const char* p, Via& out);
    const char* challenge(const char* p, Challenge& out);
    const char* credentials(const char* p, Credentials& out);
    const char* parameters(const char* p,
                           Parameters& out);  // *(SEMI generic-param), blanks behind them skipped

    [[nodiscard]] bool pool_is_full() const { return pool_is_full_; }
    [[nodiscard]] const char* failed_at() const { return failed_at_; }
    [[nodiscard]] std::string_view reason() const { return reason_; }
    void forget_failure() { failed_at_ = nullptr; }
    const char* fail(const char* p, std::string_view reason);

private:
    const char* sip_uri(const char* p, Form form, Uri& out);
    const char* user_info(const char* p, const char* at, Uri& out);
    const char* tel_uri(const char* p, Form form, Uri& out);
    const char* other_uri(const char* p, Form form, Uri& out);
    const char* uri_parameters(const char* p, Parameters& out);
    const char* uri_headers(const char* p, Uri& out);
    const char* host_and_port(const char* p, std::string_view& host, std::uint16_t& port);
    const char* host(const char* p, std::string_view& out);
    const char* port(const char* p, std::uint16_t& out);
    const char* escaped(const char* p, unsigned classes);
    const char* quoted_string(const char* p, std::string_view& out);
    const char* parameter_value(const char* p, Parameter& out);
    const char* auth_parameters(const char* p, std::string_view& scheme, Parameters& out);
    Parameter* take(const char* p);

    Parameter* next_;
    Parameter* limit_;
    const char* failed_at_ = nullptr;
    std::string_view reason_;
    bool pool_is_full_ = false;
};

}  // namespace holdfast::sip
