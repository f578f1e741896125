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
    // How many accounts there are: each may have one on its way.
    void expect(std::size_t accounts) { accounts_ = accounts; }
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
    std::size_t accounts_ = 0;
};

}  // namespace holdfast::engine
