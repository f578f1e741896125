// RFC 8866 §5: the order of lines is fixed.
#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sdp/description.h"

namespace holdfast::sdp {
namespace {

class Printer {
public:
    std::string take() { return std::move(text_); }

    template <class... Parts>
    void line(char type, const Parts&... parts) {
        text_ += type;
        text_ += '=';
        const auto begin = static_cast<std::ptrdiff_t>(text_.size());
        (text_.append(parts), ...);
        std::replace_if(
            text_.begin() + begin, text_.end(),
            [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
        text_ += "\r\n";
    }
    void optional(char type, const std::optional<std::string>& value) {
        if (value) line(type, *value);
    }
    void connection(const Connection& c) {
        line('c', c.network, " ", c.address_type, " ", c.address);
    }
    void bandwidths(const std::vector<Bandwidth>& all) {
        for (const auto& b : all) line('b', b.type, ":", std::to_string(b.value));
    }
    void attributes(const Attributes& all) {
        for (const auto& a : all) {
            if (a.value)
                line('a', a.name, ":", *a.value);
            else
                line('a', a.name);
        }
    }
    void media(const Media& media) {
        std::string port = std::to_string(media.port);
        if (media.ports != 1) port.append("/").append(std::to_string(media.ports));
        std::string formats;
        for (const auto& format : media.formats) formats.append(" ").append(format);
        line('m', media.kind, " ", port, " ", media.protocol, formats);
        optional('i', media.title);
        for (const auto& c : media.connections) connection(c);
        bandwidths(media.bandwidths);
        optional('k', media.key);
        attributes(media.attributes);
    }

private:
    std::string text_;
};

}  // namespace

std::string print(const Description& description) {
    Printer out;
    out.line('v', "0");
    const auto& o = description.origin;
    out.line('o', o.user, " ", o.session_id, " ", o.version, " ", o.network, " ", o.address_type,
             " ", o.address);
    out.line('s', description.name.empty() ? "-" : description.name);  // §5.3: never empty
    out.optional('i', description.title);
    out.optional('u', description.uri);
    for (const auto& email : description.emails) out.line('e', email);
    for (const auto& phone : description.phones) out.line('p', phone);
    if (description.connection) out.connection(*description.connection);
    out.bandwidths(description.bandwidths);
    if (description.times.empty()) out.line('t', "0 0");
    for (const auto& time : description.times) out.line(time.front(), time.substr(2));
    out.optional('k', description.key);
    out.attributes(description.attributes);
    for (const auto& media : description.media) out.media(media);
    return out.take();
}

}  // namespace holdfast::sdp
