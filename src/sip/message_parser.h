// One parse of one message: start line, then line by line each header into its typed value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sip/message.h"
#include "sip/value_parser.h"

namespace holdfast::sip {

class MessageParser {
public:
    enum class Mode : std::uint8_t {
        whole,
        // Of a request only what a response copies; what is wrong elsewhere is passed over.
        salvage,
        salvage_answer,  // of a response what says which request it answers, and what an ACK needs
    };
    MessageParser(Message& message, Mode mode);

    // Whether it worked; if not, error() says why, unless needs_more_parameters().
    bool parse(std::string_view datagram);
    [[nodiscard]] const ParseError& error() const { return error_; }
    [[nodiscard]] bool needs_more_parameters() const { return values_.pool_is_full(); }

private:
    bool take_bytes(std::string_view datagram);
    bool start_line();
    bool request_line(const char* method_end, const char* line_end);
    bool status_line(const char* line_end);
    bool header_section();
    bool header_line();
    const char* end_of_value(const char* p);
    void unfold(char* line_break);
    bool typed_value(HeaderName name, const char* p, std::string_view value);
    bool salvaged_value(HeaderName name, const char* p, std::string_view value);
    bool finish();
    bool check_complete();
    bool frame_body();
    bool check_cseq();

    bool vias(const char* p);
    bool contacts(const char* p);
    bool addresses(const char* p, std::vector<NameAddr>& list);
    bool address(const char* p, NameAddr& out, unsigned seen_bit);
    bool call_id(const char* p, std::string_view value);
    bool cseq(const char* p);
    const char* after_unreadable(const char* first, const char* stopped, std::string_view reason);
    bool challenges(const char* p, bool proxy);
    bool authorization(const char* p, bool proxy);
    bool content_type(const char* p, std::string_view value);
    bool token_list(HeaderName name, const char* p);
    bool allow(const char* p);
    bool content_length(const char* p);
    bool number(Message::Number which, const char* p, std::uint64_t largest,
                std::optional<std::uint32_t> otherwise);

    bool fail(const char* p, std::string_view reason,
              ParseError::Kind kind = ParseError::Kind::malformed);
    bool past_limit(const char* p, std::string_view reason, std::size_t most,
                    std::string_view unit = {});
    bool value_failed();
    bool once(unsigned bit, const char* p);

    Message& message_;
    ValueParser values_;
    Mode mode_;
    ParseError error_;
    char* begin_ = nullptr;
    char* end_ = nullptr;       // of the bytes; the sentinel stands here
    const char* at_ = nullptr;  // where the next line begins
    std::size_t skipped_ = 0;   // leading line ends
    std::string_view method_text_;
    Method method_ = Method::other;
    unsigned seen_ = 0;
    bool folded_ = false;
};

}  // namespace holdfast::sip
