// Any bytes as a URI and as an address: what is accepted is its parts and nothing else, and equals
// its copy.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/rebuilt.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace holdfast;
    using namespace holdfast::sip;
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    if (const auto uri = OwnedUri::parse(bytes)) {
        CHECK(uri->text() == bytes);
        fuzz::check_parts(uri->get());
        // The copy is what is tested: NOLINTNEXTLINE(performance-unnecessary-copy-initialization)
        const auto copy = *uri;
        CHECK(copy.text() == bytes && copy == *uri && fuzz::same(copy.get(), uri->get()));
        (void)uri->get().host_address();
        (void)percent_decode(uri->get().user);
    } else {
        CHECK(uri.error().offset <= size && !uri.error().reason.empty());
    }
    if (const auto address = OwnedNameAddr::parse(bytes)) {
        fuzz::check_parts(address->get());
        (void)unescape(address->get().display_name);
    }
    return 0;
}
