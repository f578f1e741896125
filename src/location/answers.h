// The DNS answers known so far, read as RFC 1034 wants it: aliases are followed, what is missing is
// noted down to be asked, and each answer used counts for the TTL and for the words about failures.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/dns.h"
#include "base/time.h"
#include "location/names.h"

namespace holdfast::location {

using KnownAnswers =
    std::map<dns::Question, std::optional<dns::Answer>>;  // nothing: asked, not answered

bool is_of(const dns::Record& record, dns::RecordType type);

class Answers {
public:
    Answers(const KnownAnswers& known, const HostsFileNames& hosts_file)
        : known_(known), hosts_file_(hosts_file) {}

    // The answer at the end of the chain of aliases; nullptr while it is not known.
    const dns::Answer* chase(std::string name, dns::RecordType type);

    void note(std::string words) { problems_.push_back(std::move(words)); }
    [[nodiscard]] std::vector<std::string>& problems() { return problems_; }
    [[nodiscard]] bool failed() const { return failed_; }
    [[nodiscard]] std::optional<Duration> ttl() const { return ttl_; }  // the smallest
    [[nodiscard]] std::vector<dns::Question> take_needed() { return std::move(needed_); }

private:
    const dns::Answer* find(const dns::Question& question);

    const KnownAnswers& known_;
    const HostsFileNames& hosts_file_;
    std::vector<dns::Question> needed_;
    std::size_t new_questions_ = 0;
    std::set<dns::Question> used_;
    std::vector<std::string> problems_;
    std::optional<Duration> ttl_;
    bool failed_ = false;
};

}  // namespace holdfast::location
