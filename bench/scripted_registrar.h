// A registrar that costs next to nothing, so that what is measured beside it is the client: it
// looks for a few lines and puts an answer together from them. It asks for digest, and believes any
// answer to a nonce; it keeps nothing, so that memory in use is the client's.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::bench {

class ScriptedRegistrar {
public:
    // What goes back to who sent the text: to a REGISTER a 401 with a nonce of its own, or a 200
    // for 300 s; to an OPTIONS without a user a 200; an OPTIONS to an AOR comes back to its own
    // Contact, as a proxy would do it, and the answer to that goes back without the proxy's Via.
    // "": nothing.
    std::string answer(std::string_view text);

private:
    unsigned nonces_ = 0;
    unsigned forwarded_ = 0;
};

// The value of the first header line of this name ("Via"), "": there is none.
std::string_view header_value(std::string_view text, std::string_view name);

}  // namespace holdfast::bench
