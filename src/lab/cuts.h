// Ways that are cut: what one address sends to another is lost, while all else arrives. A fault of
// routing or of a firewall: nobody is told, there is no ICMP.
#pragma once

#include <set>
#include <utility>

#include "base/address.h"

namespace holdfast::lab {

class Cuts {
public:
    void cut(const IpAddress& from, const IpAddress& to) { ways_.emplace(from, to); }
    void mend(const IpAddress& from, const IpAddress& to) { ways_.erase({from, to}); }
    void mend_all() { ways_.clear(); }
    [[nodiscard]] bool is_cut(const IpAddress& from, const IpAddress& to) const {
        return !ways_.empty() && ways_.contains({from, to});
    }
    // No question of one is answered by the other.
    [[nodiscard]] bool parts(const IpAddress& a, const IpAddress& b) const {
        return is_cut(a, b) || is_cut(b, a);
    }

private:
    std::set<std::pair<IpAddress, IpAddress>> ways_;
};

}  // namespace holdfast::lab
