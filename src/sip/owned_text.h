// How a value that stands alone keeps its text: a padded buffer (scan.h) and its own pool of
// parameters.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "sip/error.h"
#include "sip/limits.h"
#include "sip/scan.h"
#include "sip/value_parser.h"

namespace holdfast::sip {

// read(ValueParser&, const char*) parses the value and returns where it stopped. Nothing: the whole
// text was read.
template <class Read>
std::optional<ParseError> parse_owned(std::string_view text, std::unique_ptr<char[]>& buffer,
                                      std::vector<Parameter>& parameters, Read read) {
    if (text.size() > limits::uri_bytes)
        return ParseError{.kind = ParseError::Kind::too_large,
                          .offset = limits::uri_bytes,
                          .reason = "URI too long"};
    buffer = std::make_unique_for_overwrite<char[]>(text.size() + scan::padding);
    text.copy(buffer.get(), text.size());
    char* end = buffer.get() + text.size();
    std::memset(end, 0, scan::padding);
    *end = '\r';
    // Each parameter costs a ';': the pool is exact, and never too small.
    const auto first = std::min(text.find(';'), text.size());
    parameters.resize(static_cast<std::size_t>(std::ranges::count(text.substr(first), ';')));
    ValueParser values(parameters.data(), parameters.size());
    const char* stop = read(values, buffer.get());
    if (stop == end) return std::nullopt;
    const bool failed = stop == nullptr;
    const char* at = failed ? values.failed_at() : stop;
    return ParseError{.offset = static_cast<std::size_t>(at - buffer.get()),
                      .reason = failed ? values.reason() : std::string_view("bad character")};
}

}  // namespace holdfast::sip
