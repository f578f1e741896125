// REGISTERs for what measures transactions: that of tests/data/messages, each with a branch and a
// Call-ID of its own, since some look for transactions by the one, some by the other.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "registration/machine.h"
#include "sip/message.h"

namespace holdfast::bench {

class TransactionRequests {
public:
    struct Request {
        std::string wire;
        std::string branch;
        std::string call_id;
        std::uint32_t cseq;
    };
    TransactionRequests();
    Request next();

private:
    std::string drawn();

    std::mt19937_64 random_{2026};
    std::string pattern_;
    sip::Message parsed_;
};

// As the registration of an account hands it to the engine.
registration::act::Send to_send(std::uint32_t number, TransactionRequests::Request request,
                                FlowId flow);

}  // namespace holdfast::bench
