// R1: the Call-IDs of OPTIONS that accounts sent to themselves. A copy that arrives here is proof.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/time.h"

namespace holdfast::engine {

class OwnOptions {
public:
    void note(Instant now, AccountId account, std::string_view call_id);
    // The account that sent it, lately; 0: nobody.
    [[nodiscard]] AccountId sender(Instant now, std::string_view call_id) const;

private:
    struct Sent {
        AccountId account;
        Instant until;
    };
    std::map<std::string, Sent, std::less<>> sent_;
    std::deque<std::string> order_;
};

}  // namespace holdfast::engine
