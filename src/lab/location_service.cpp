#include "lab/location_service.h"

#include <algorithm>

#include "base/text.h"
#include "sip/uri.h"

namespace holdfast::lab {

bool same_binding(const Binding& a, const Binding& b) {
    if (a.outbound && b.outbound) return a.instance == b.instance && a.reg_id == b.reg_id;
    const auto left = sip::OwnedUri::parse(a.contact);
    const auto right = sip::OwnedUri::parse(b.contact);
    return left && right ? *left == *right : a.contact == b.contact;
}

std::string aor_key(std::string_view uri) {
    if (const auto scheme = uri.find(':'); scheme < 5)  // npos is more
        uri.remove_prefix(scheme + 1);
    uri = uri.substr(0, uri.find_first_of(";?>"));
    const auto at = uri.find('@');
    const auto host = at == std::string_view::npos ? uri : uri.substr(at + 1);
    const auto user = at == std::string_view::npos ? std::string_view{} : uri.substr(0, at);
    return std::string(user) + "@" + lower_case(host.substr(0, host.find(':')));
}

std::vector<Binding> LocationService::bindings(std::string_view aor) const {
    const auto found = bindings_.find(aor_key(aor));
    if (found == bindings_.end()) return {};
    auto alive = found->second;
    std::erase_if(alive,
                  [&](const Binding& binding) { return binding.expires <= internet_.now(); });
    return alive;
}

std::vector<std::string> LocationService::aors() const {
    std::vector<std::string> keys;
    keys.reserve(bindings_.size());
    for (const auto& [key, bindings] : bindings_) keys.push_back(key);
    return keys;
}

void LocationService::put(const std::string& key, std::vector<Binding> bindings) {
    ++changes_;
    const auto before = this->bindings(key);
    std::vector<Binding> changed;
    std::vector<Binding> removed;
    for (const auto& binding : bindings)
        if (std::ranges::find(before, binding) == before.end()) changed.push_back(binding);
    for (const auto& old : before)
        if (std::ranges::none_of(bindings, [&](const Binding& b) { return same_binding(b, old); }))
            removed.push_back(old);
    bindings_[key] = std::move(bindings);
    for (const auto& copy : copies_)
        internet_.after(copy.delay, [service = copy.service, key, changed, removed] {
            service->merge(key, changed, removed);
        });
}

void LocationService::merge(const std::string& key, const std::vector<Binding>& changed,
                            const std::vector<Binding>& removed) {
    auto& mine = bindings_[key];
    std::erase_if(mine, [&](const Binding& binding) {
        const auto same = [&](const Binding& other) { return same_binding(binding, other); };
        return std::ranges::any_of(changed, same) || std::ranges::any_of(removed, same);
    });
    mine.insert(mine.end(), changed.begin(), changed.end());
}

}  // namespace holdfast::lab
