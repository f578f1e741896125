// Any bytes as a URI and as an address: what is accepted equals itself, its copy and its own text.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "sip/address.h"
#include "sip/uri.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace holdfast::sip;
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    if (const auto uri = OwnedUri::parse(bytes)) {
        CHECK(uri->text() == bytes);
        // The copy is what is tested: NOLINTNEXTLINE(performance-unnecessary-copy-initialization)
        const auto copy = *uri;
        CHECK(copy.text() == bytes && copy == *uri);
        (void)uri->get().host_address();
        (void)percent_decode(uri->get().user);
    } else {
        CHECK(uri.error().offset <= size && !uri.error().reason.empty());
    }
    if (const auto address = OwnedNameAddr::parse(bytes)) {
        const auto again = OwnedNameAddr::parse(address->text());
        CHECK(again && again->get().tag() == address->get().tag());
        CHECK(again->get().uri.text == address->get().uri.text);
        (void)unescape(address->get().display_name);
    }
    return 0;
}
