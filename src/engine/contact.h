// The Contact that others reach an account by.
#pragma once

#include <string>

#include "base/ids.h"
#include "registration/machine.h"
#include "sip/uri.h"

namespace holdfast::engine {

// Over this flow if it has a binding there, else any. RFC 5627 §4.4: a GRUU where the registrar
// gave one, the public one first (who calls knows our AOR), because it leads here from anywhere and
// outlives a change of our address; not in a call to a sips URI, if it is none itself (RFC 3261
// §12.1.1). "": there is no binding.
std::string contact_of(const registration::View& view, FlowId flow, sip::Scheme called);

}  // namespace holdfast::engine
