// The habits of servers that people have, as far as REGISTER, NAT and OPTIONS go: docs/interop.md
// has where each is written down, and what could not be checked. Each is one deployment of many
// that its options allow; the interop tests turn single habits further.
#pragma once

#include "lab/registrar.h"

namespace holdfast::lab {

// A proxy with usrloc and nathelper: bindings by instance-id and reg-id, calls go where the
// REGISTER came from, OPTIONS pings.
ServerOptions kamailio();
// The same family, by URI; too many Contacts get 503.
ServerOptions opensips();
// PJSIP endpoints with rewrite_contact: a B2BUA that puts the sender into the first Contact.
ServerOptions asterisk();
// mod_sofia with NAT detection and one registration per user: a B2BUA that looks at the first
// Contact only.
ServerOptions freeswitch();
// A home router's registrar for IP phones.
ServerOptions fritzbox();

}  // namespace holdfast::lab
