// sofia-sip's user agent (nua) as a process of its own, that tools/bench-register and
// tools/bench-accounts start beside ours: it registers the accounts of a file over UDP, with
// digest, and keeps them until it is killed.
//   sofia_sip_agent REGISTRAR FILE      FILE: a line "user password" for each account
// The registrar's address is the domain of the accounts. All else is as the library has it, but:
// the stack runs in the program's one thread, which wakes less than one of its own, and its
// OPTIONS to itself (validate) are off, as ours in bench-accounts: that registrar answers them.
namespace holdfast::bench {
struct SofiaAccount;
struct SofiaAccounts;
}  // namespace holdfast::bench
#define NUA_MAGIC_T holdfast::bench::SofiaAccounts  // the types of a callback's arguments
#define NUA_HMAGIC_T holdfast::bench::SofiaAccount
#include <sofia-sip/msg_header.h>
#include <sofia-sip/nua.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_wait.h>

#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct holdfast::bench::SofiaAccount {
    std::string user, password;
    bool is_challenged = false, has_ended = false;
};

struct holdfast::bench::SofiaAccounts {
    std::string registrar;  // its URI's host and port
    std::vector<SofiaAccount> all;
    std::size_t begun = 0;
};

namespace {

using holdfast::bench::SofiaAccount;
using holdfast::bench::SofiaAccounts;

// nua has no rate: with all of thousands at once the registrar's socket would overflow.
constexpr std::size_t at_once = 10;

void begin_one(nua_t* agent, SofiaAccounts& accounts) {
    if (accounts.begun == accounts.all.size()) return;
    auto& account = accounts.all[accounts.begun++];
    const auto aor = "sip:" + account.user + "@" + accounts.registrar;
    const auto registrar = "sip:" + accounts.registrar;
    nua_handle_t* handle = nua_handle(agent, &account, SIPTAG_FROM_STR(aor.c_str()),
                                      SIPTAG_TO_STR(aor.c_str()), TAG_END());
    nua_register(handle, NUTAG_REGISTRAR(URL_STRING_MAKE(registrar.c_str())),
                 NUTAG_M_USERNAME(account.user.c_str()), NUTAG_OUTBOUND("no-validate"),
                 SIPTAG_EXPIRES_STR("300"), TAG_END());
}

// Ends this account's first registration; the next begins.
void end_one(nua_t* agent, SofiaAccounts& accounts, SofiaAccount& account) {
    if (account.has_ended) return;
    account.has_ended = true;
    begin_one(agent, accounts);
}

// One challenge an account is answered; nua keeps the credentials for its refreshes.
void on_challenge(nua_handle_t* handle, SofiaAccount& account, const sip_t& response) {
    const auto* challenge = response.sip_www_authenticate;
    const char* realm = msg_params_find(challenge->au_params, "realm=");  // quoted
    if (realm == nullptr) return;
    account.is_challenged = true;
    const auto credentials =
        "Digest:" + std::string(realm) + ":" + account.user + ":" + account.password;
    nua_authenticate(handle, NUTAG_AUTH(credentials.c_str()), TAG_END());
}

void on_event(nua_event_t event, int status, const char* phrase, nua_t* agent,
              SofiaAccounts* accounts, nua_handle_t* handle, SofiaAccount* account,
              const sip_t* sip, tagi_t* /*tags*/) {
    if (event != nua_r_register || status < 200) return;
    if (status == 401 && !account->is_challenged && sip != nullptr &&
        sip->sip_www_authenticate != nullptr)
        return on_challenge(handle, *account, *sip);
    if (status >= 300) std::cerr << account->user << ": " << status << ' ' << phrase << '\n';
    end_one(agent, *accounts, *account);
}

bool read_accounts(const char* file, SofiaAccounts& accounts) {
    std::ifstream lines(file);
    for (SofiaAccount account; lines >> account.user >> account.password;)
        accounts.all.push_back(account);
    return !accounts.all.empty();
}

}  // namespace

int main(int argc, char** argv) {
    SofiaAccounts accounts;
    if (argc != 3 || !read_accounts(argv[2], accounts)) {
        std::cerr << "usage: sofia_sip_agent REGISTRAR FILE\n";
        return 2;
    }
    accounts.registrar = argv[1];
    if (su_init() != 0) return 1;
    const std::unique_ptr<su_root_t, decltype(&su_root_destroy)> root(su_root_create(nullptr),
                                                                      su_root_destroy);
    if (root == nullptr) return 1;
    su_root_threading(root.get(), 0);
    nua_t* agent = nua_create(root.get(), on_event, &accounts,
                              NUTAG_URL(URL_STRING_MAKE("sip:127.0.0.1:*;transport=udp")),
                              NUTAG_MEDIA_ENABLE(0), TAG_END());
    if (agent == nullptr) {
        std::cerr << "sofia_sip_agent: nua_create failed\n";
        return 1;
    }
    for (std::size_t i = 0; i < at_once; ++i) begin_one(agent, accounts);
    su_root_run(root.get());
}
