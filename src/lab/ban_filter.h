// What a ban filter in front of a server does (fail2ban and its kin): it counts what the server
// complains of by the sender's address, and when there was too much of it in a while, that address
// is no longer heard for another while. Many count challenges too, because they look the same in
// the log.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>

#include "base/address.h"
#include "base/time.h"

namespace holdfast::lab {

enum class Offence : std::uint8_t { challenged, refused };

struct BanRules {
    std::size_t most = 0;  // so many offences bring the ban; 0: there is no filter
    Duration within = std::chrono::minutes(10);
    Duration lasts = std::chrono::minutes(10);
    bool counts_challenges = false;
    bool tries_prolong = false;  // what comes during it begins it anew
    bool grows = false;          // each further ban of an address lasts twice as long as the last
};

class BanFilter {
public:
    void note(Instant now, const IpAddress& sender, Offence offence, const BanRules& rules) {
        if (rules.most == 0) return;
        if (offence == Offence::challenged && !rules.counts_challenges) return;
        auto& sheet = sheets_[sender];
        sheet.offences.push_back(now);
        while (now - sheet.offences.front() > rules.within) sheet.offences.pop_front();
        if (sheet.offences.size() < rules.most) return;
        sheet.offences.clear();
        sheet.lasts = rules.lasts * (rules.grows ? 1 << sheet.bans : 1);
        sheet.until = now + sheet.lasts;
        if (sheet.bans < doublings) ++sheet.bans;
        ++bans_;
    }
    [[nodiscard]] bool is_banned(Instant now, const IpAddress& sender) const {
        const auto sheet = sheets_.find(sender);
        return sheet != sheets_.end() && now < sheet->second.until;
    }
    // Something came from it during its ban.
    void knock(Instant now, const IpAddress& sender, const BanRules& rules) {
        auto& sheet = sheets_[sender];
        if (rules.tries_prolong) sheet.until = std::max(sheet.until, now + sheet.lasts);
    }
    [[nodiscard]] std::size_t bans() const { return bans_; }

private:
    static constexpr int doublings = 8;
    struct Sheet {
        std::deque<Instant> offences;
        Duration lasts{};
        Instant until = Instant::min();
        int bans = 0;
    };
    std::map<IpAddress, Sheet> sheets_;
    std::size_t bans_ = 0;
};

}  // namespace holdfast::lab
