#include "registration/answer.h"

#include <array>

#include "base/text.h"

namespace holdfast::registration {

namespace {

struct Row {
    int first;
    int last;
    Verdict verdict;
};

// The first row that holds the status decides.
constexpr std::array rows{
    Row{100, 199, Verdict::progress},
    Row{200, 299, Verdict::success},
    Row{300, 399, Verdict::redirect},
    Row{401, 401, Verdict::challenge},
    Row{407, 407, Verdict::challenge},
    Row{408, 408, Verdict::next_target},
    Row{420, 420, Verdict::bad_extension},    // RFC 3261 §21.4.15
    Row{421, 421, Verdict::needs_extension},  // RFC 3261 §21.4.16
    Row{423, 423, Verdict::too_brief},        // RFC 3261 §10.2.8
    Row{439, 439, Verdict::no_outbound},      // RFC 5626 §11.6
    Row{400, 499, Verdict::slow},
    Row{500, 599, Verdict::next_target},
    Row{600, 699, Verdict::slow},
};

}  // namespace

Verdict verdict_of(int status) {
    for (const auto& row : rows)
        if (row.first <= status && status <= row.last) return row.verdict;
    return Verdict::slow;
}

std::string in_words(const sip::Message& response, std::string_view from) {
    std::string words = std::to_string(response.status()) + " " +
                        std::string(response.reason_phrase()) + " from " + std::string(from);
    if (const auto warning = response.header(sip::HeaderName::warning))
        words += ": " + std::string(*warning);
    if (const auto reason = response.header(sip::HeaderName::reason))
        words += ": " + std::string(*reason);
    return words;
}

std::string in_words(FlowError error, std::string_view detail) {
    const auto name = lower_case(name_of(error));
    std::string words(name_of(error));
    if (!detail.empty() && name.find(lower_case(detail)) == std::string::npos)
        words.append(": ").append(detail);
    return words;
}

}  // namespace holdfast::registration
