// What a TLS connection that was accepted is like, for people: nothing decides by it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast {

struct TlsFacts {
    std::string version;             // "TLSv1.3"
    std::vector<std::string> names;  // the certificate's domains and addresses (RFC 5922 §7.1)
    std::string issuer;
    std::int64_t expires = 0;  // seconds since 1970
    friend bool operator==(const TlsFacts&, const TlsFacts&) = default;
};

}  // namespace holdfast
