#include "bench/transaction_requests.h"

#include <array>
#include <cstdio>
#include <utility>

#include "bench/traffic.h"

namespace holdfast::bench {

namespace {

void replace(std::string& text, std::string_view old, std::string_view with) {
    text.replace(text.find(old), old.size(), with);
}

}  // namespace

TransactionRequests::TransactionRequests()
    : pattern_(read_message("a_register.sip")), parsed_(sip::Message::parse(pattern_).value()) {}

TransactionRequests::Request TransactionRequests::next() {
    Request request{pattern_, "z9hG4bK" + drawn(), drawn() + drawn(), parsed_.cseq().number};
    replace(request.wire, parsed_.top_via().branch, request.branch);
    replace(request.wire, parsed_.call_id(), request.call_id);
    return request;
}

std::string TransactionRequests::drawn() {
    std::array<char, 17> hex{};
    std::snprintf(hex.data(), hex.size(), "%016llx", static_cast<unsigned long long>(random_()));
    return hex.data();
}

registration::act::Send to_send(std::uint32_t number, TransactionRequests::Request request,
                                FlowId flow) {
    return {.attempt = registration::AttemptId{number},
            .flow = flow,
            .branch = std::move(request.branch),
            .wire = std::move(request.wire),
            .call_id = std::move(request.call_id),
            .cseq = request.cseq};
}

}  // namespace holdfast::bench
