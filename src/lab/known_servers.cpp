#include "lab/known_servers.h"

namespace holdfast::lab {

using namespace std::chrono_literals;

ServerOptions kamailio() {
    return {.rules = {.min_expires = 60,
                      .raises_brief_expires = true,
                      .too_many = TooMany::refuse_the_sum,
                      .equal_cseq = EqualCseq::accept_without_storing,
                      .bad_cseq_status = 400,
                      .gruu = true,
                      .key = BindingKey::instance_and_reg_id,
                      .cseq_unchecked_with_instance = true,
                      .new_call_id_drops_instance = true,
                      .lists_received = true},
            .use_received = true,
            .pings = {.every = 30s, .lost_most = 3},
            .closes_idle_after = 120s};
}

ServerOptions opensips() {
    return {.rules = {.min_expires = 60,
                      .raises_brief_expires = true,
                      .max_contacts = 2,
                      .too_many = TooMany::refuse_on_the_way,
                      .equal_cseq = EqualCseq::accept_without_storing,
                      .bad_cseq_status = 400,
                      .lists_received = true},
            .use_received = true,
            .pings = {.every = 30s, .lost_most = 3},
            .closes_idle_after = 120s};
}

ServerOptions asterisk() {
    return {.rules = {.min_expires = 60,
                      .raises_brief_expires = true,
                      .max_expires = 7200,
                      .max_contacts = 1,
                      .too_many = TooMany::refuse_the_sum,
                      .too_many_status = 403,
                      .equal_cseq = EqualCseq::unchecked,
                      .rewrites_contact = true,
                      .echoes_expires = true,
                      .lists_uris_only = true},
            .digest = {.realm = "asterisk"},
            .options_to_aor = OptionsToAor::answer,
            .pings = {.every = 60s, .answer_within = 3s},
            .forgets_on_close = true};
}

ServerOptions freeswitch() {
    return {.rules = {.min_expires = 1,
                      .forced_expires = 30,
                      .equal_cseq = EqualCseq::unchecked,
                      .key = BindingKey::aor,
                      .marks_contact = true,
                      .first_contact_only = true,
                      .expires_header_first = true,
                      .lists_uris_only = true},
            .digest = {.wrong_is_forbidden = true},
            .use_received = true,
            .options_to_aor = OptionsToAor::answer,
            .ban = {.most = 5, .counts_challenges = true},
            .pings = {.every = 20s, .lost_most = 1}};
}

ServerOptions fritzbox() {
    return {.rules = {.min_expires = 60,
                      .raises_brief_expires = true,
                      .max_expires = 300,
                      .key = BindingKey::aor},
            .digest = {.realm = "fritz.box", .wrong_is_forbidden = true},
            .options_to_aor = OptionsToAor::answer,
            .ban = {.most = 4, .lasts = 1min, .tries_prolong = true, .grows = true},
            .drops_user_in_uri = true,
            .brackets_received = true};
}

}  // namespace holdfast::lab
