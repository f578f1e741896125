#include "sip/via.h"

#include "base/text.h"

namespace holdfast::sip {

bool Via::has_magic_cookie() const {
    return branch.size() > branch_cookie.size() &&
           equals_ignoring_case(branch.substr(0, branch_cookie.size()), branch_cookie);
}

}  // namespace holdfast::sip
