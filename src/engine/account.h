// One account as the engine has it.
#pragma once

#include <map>
#include <string>

#include "base/ids.h"
#include "engine/ping_identity.h"
#include "registration/registration.h"

namespace holdfast::engine {

struct Account {
    registration::Registration registration;
    PingIdentityPtr identity;
    std::string user;  // of the AOR, escapes resolved
    bool leaving = false;
};
using Accounts = std::map<AccountId, Account>;

}  // namespace holdfast::engine
