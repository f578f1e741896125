#include "location/answers.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "location/limits.h"

namespace holdfast::location {

namespace {

using dns::RecordType;

// Where the chain of aliases leads, as far as this answer knows; hops are counted over all answers.
std::string end_of_chain(std::string name, const std::vector<dns::Record>& records,
                         std::size_t& hops) {
    for (bool found = true; found && hops <= limits::cname_chain;) {
        found = false;
        for (const auto& record : records) {
            const auto* alias = std::get_if<dns::Cname>(&record);
            if (!alias || normal_name(alias->owner) != name) continue;
            name = normal_name(alias->name);
            ++hops;
            found = true;
            break;
        }
    }
    return name;
}

}  // namespace

bool is_of(const dns::Record& record, RecordType type) {
    switch (type) {
    case RecordType::a:
    case RecordType::aaaa: {
        const auto* address = std::get_if<IpAddress>(&record);
        return address && (address->family() == Family::ipv4) == (type == RecordType::a);
    }
    case RecordType::srv: return std::holds_alternative<dns::Srv>(record);
    case RecordType::naptr: return std::holds_alternative<dns::Naptr>(record);
    }
    return false;
}

// The answer, if it is known; else the question is needed_.
const dns::Answer* Answers::find(const dns::Question& question) {
    const auto known = known_.find(question);
    if (known == known_.end() || !known->second) {
        if (std::find(needed_.begin(), needed_.end(), question) != needed_.end()) return nullptr;
        const bool is_new = known == known_.end();
        if (is_new && known_.size() + new_questions_ >= limits::lookup_questions) {
            static const dns::Answer not_asked{dns::Status::refused, {}, {}};
            failed_ = true;
            note("too many questions: not all names were looked up");
            return &not_asked;
        }
        if (is_new) ++new_questions_;
        needed_.push_back(question);
        return nullptr;
    }
    const auto& answer = *known->second;
    if (!used_.insert(question).second) return &answer;
    if (dns::is_failure(answer.status)) {
        failed_ = true;
        note(std::string(dns::name_of(question.type)) + " " + question.name + ": " +
             std::string(dns::name_of(answer.status)));
    } else {
        ttl_ = ttl_ ? std::min(*ttl_, answer.ttl) : answer.ttl;
    }
    return &answer;
}

const dns::Answer* Answers::chase(std::string name, RecordType type) {
    std::size_t hops = 0;
    while (true) {
        const bool system = (type == RecordType::a || type == RecordType::aaaa) &&
                            is_system_name(name, hosts_file_);
        const auto* answer = find({name, type, system});
        if (!answer || answer->status != dns::Status::ok) return answer;
        const auto& records = answer->records;
        if (std::any_of(records.begin(), records.end(),
                        [&](const auto& r) { return is_of(r, type); }))
            return answer;
        auto end = end_of_chain(name, records, hops);
        if (end == name) return answer;
        static const dns::Answer nothing{};
        if (hops > limits::cname_chain || !is_valid_name(end)) {
            note("the CNAME chain from " + name +
                 (hops > limits::cname_chain ? " is too long" : " leads nowhere"));
            return &nothing;
        }
        name = std::move(end);
    }
}

}  // namespace holdfast::location
