// Whom a person calls, and whom the other side of a call is to call.
#include <utility>

#include "apps/phone/phone.h"
#include "apps/phone/typed_number.h"

namespace holdfast::phone {

// The account that calls, if it can now.
Done<AccountId> Phone::caller_of(const std::string& text) const {
    if (leaving_) return std::unexpected("The phone is ending");
    auto account = account_of(text);
    if (account && calls_.all().size() >= calls_most)
        return std::unexpected("There are " + std::to_string(calls_most) +
                               " calls already, the most there can be");
    return account;
}

Caller Phone::caller_with(AccountId account) const {
    static const Dialling as_it_is;
    const auto place = static_cast<std::size_t>(account.value) - 1;
    return {.aor = is_direct(account) ? std::string_view{} : aor_of(account),
            .dialling = place < settings_.dialling.size() ? settings_.dialling[place] : as_it_is};
}

// What has to be pressed waits with the call for its answer. It may be a PIN: nobody is told of
// more than how many there are.
Done<CallRef> Phone::call(AccountId account, const Done<Dialled>& whom) {
    if (!whom) return std::unexpected(whom.error());
    auto settings = settings_.calls;
    settings.dtmf = whom->digits;
    if (is_direct(account)) return call_directly(account, whom->uri, std::move(settings));
    const auto status = engine_.status(account);
    if (!status || !status->registered)
        return std::unexpected(aor_of(account) + " is not registered" +
                               (status ? " (" + status->state + ")" : "") + ": it cannot call now");
    const auto ref = calls_.dial(account, whom->uri, std::move(settings));
    note_new_calls();
    return ref;
}

// What stands where the account does may be digits that a blank has parted from their comma.
Done<CallRef> Phone::dial(const std::string& whom, const std::string& account) {
    if (secret_at(whom) != std::string::npos && !account_of(account))
        return std::unexpected(
            "There is no account of that name on this phone (it is not shown: digits behind a "
            "comma stand without blanks)");
    const auto from = caller_of(account);
    if (!from) return std::unexpected(from.error());
    return call(*from, dialled(whom, caller_with(*from)));
}

Done<CallRef> Phone::call_voicemail(const std::string& account) {
    const auto from = caller_of(account);
    if (!from) return std::unexpected(from.error());
    return call(*from, voicemail_of(caller_with(*from)));
}

Done<CallRef> Phone::pick_up(const std::string& extension, const std::string& account) {
    const auto from = caller_of(account);
    if (!from) return std::unexpected(from.error());
    const auto uri = pickup_of(extension, caller_with(*from));
    if (!uri) return std::unexpected(uri.error());
    return call(*from, Dialled{.uri = *uri});
}

Done<CallRef> Phone::transfer(std::optional<CallRef> named, const std::string& whom) {
    const auto call = choose(
        named, [](const Call& one, const Line&) { return one.stage == Stage::talking; },
        "is answered");
    if (!call) return call;
    const auto uri = target_of(whom, caller_with(calls_.all().at(*call).account));
    if (!uri) return std::unexpected(uri.error());
    calls_.transfer(*call, *uri);
    return call;
}

Done<CallRef> Phone::connect(CallRef named, CallRef other) {
    const auto call = choose(
        named, [](const Call& one, const Line&) { return one.stage == Stage::talking; },
        "is answered");
    if (!call) return call;
    const auto to = choose(
        other,
        [](const Call& one, const Line&) {
            return one.stage == Stage::talking || (!one.incoming && one.stage == Stage::ringing);
        },
        "is answered or rings there");
    if (!to) return to;
    if (*to == *call) return std::unexpected("A call cannot be connected with itself");
    if (calls_.all().at(*call).account != calls_.all().at(*to).account)
        return std::unexpected("Calls " + std::to_string(call->value) + " and " +
                               std::to_string(to->value) +
                               " are of different accounts: only those of one can be connected");
    calls_.connect(*call, *to);
    return call;
}

}  // namespace holdfast::phone
