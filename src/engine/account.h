// One account as the engine has it.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/ids.h"
#include "engine/ping_identity.h"
#include "registration/registration.h"

namespace holdfast::engine {

// What calls need to know of an account that makes and takes them; most accounts do not.
struct CallSettings {
    std::string display_name;
    std::string outbound_proxy;  // URI; "" : none
    bool follows_transfers = true;
};

struct Account {
    registration::Registration registration;
    PingIdentityPtr identity;
    std::string user;                           // of the AOR, escapes resolved
    std::unique_ptr<const CallSettings> calls;  // null: it only rings
    bool leaving = false;
};
using Accounts = std::map<AccountId, Account>;

}  // namespace holdfast::engine
