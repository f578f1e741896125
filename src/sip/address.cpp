#include "sip/address.h"

#include "base/check.h"
#include "base/text.h"
#include "sip/owned_text.h"

namespace holdfast::sip {

std::string_view Contact::instance() const {
    auto value = parameters.find("+sip.instance").value_or(std::string_view{});
    if (value.size() >= 2 && value.front() == '<' && value.back() == '>')
        value = value.substr(1, value.size() - 2);
    return value;
}

std::optional<std::uint32_t> Contact::reg_id() const {
    const auto value = parameters.find("reg-id");
    return value ? parse_number<std::uint32_t>(*value) : std::nullopt;
}

std::string_view Contact::pub_gruu() const {
    return parameters.find("pub-gruu").value_or(std::string_view{});
}

std::string_view Contact::temp_gruu() const {
    return parameters.find("temp-gruu").value_or(std::string_view{});
}

std::expected<OwnedNameAddr, ParseError> OwnedNameAddr::parse(std::string_view text) {
    OwnedNameAddr result;
    const auto failed = parse_owned(text, result.buffer_, result.parameters_,
                                    [&](ValueParser& values, const char* p) {
                                        result.value_ = {};
                                        return values.name_addr(p, result.value_);
                                    });
    if (failed) return std::unexpected(*failed);
    return result;
}

OwnedNameAddr::OwnedNameAddr(const OwnedNameAddr& other) { *this = other; }

OwnedNameAddr& OwnedNameAddr::operator=(const OwnedNameAddr& other) {
    if (this == &other) return *this;
    auto copy = parse(other.text());
    CHECK(copy.has_value());  // it was parsed before
    return *this = std::move(*copy);
}

}  // namespace holdfast::sip
