// RFC 8866 §5 and §9.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "sdp/description.h"
#include "sdp/limits.h"

namespace holdfast::sdp {
namespace {

// The next word, cut off the front of text. A tab parts words as a space does: at a line's end both
// are dropped, so a word that ends with one would not be read again.
std::string_view word(std::string_view& text) {
    constexpr std::string_view blanks = " \t";
    const auto begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) {
        text = {};
        return {};
    }
    text.remove_prefix(begin);
    const auto taken = text.substr(0, text.find_first_of(blanks));
    text.remove_prefix(taken.size());
    return taken;
}

class Parser {
public:
    std::expected<Description, Error> parse(std::string_view text) {
        if (text.size() > limits::description_bytes)
            return std::unexpected(Error{0, "session description too long"});
        bool first = true;
        for (std::size_t at = 0; at < text.size();) {
            const auto end = std::min(text.find('\n', at), text.size());
            auto line = text.substr(at, end - at);
            while (!line.empty() &&
                   (line.back() == '\r' || line.back() == ' ' || line.back() == '\t'))
                line.remove_suffix(1);
            if (!line.empty()) {
                if (const auto reason = take(line, std::exchange(first, false)); !reason.empty())
                    return std::unexpected(Error{at, reason});
            }
            at = end + 1;
        }
        if (first) return std::unexpected(Error{0, "empty session description"});
        return std::move(description_);
    }

private:
    // One line; a reason if it is wrong.
    std::string_view take(std::string_view line, bool is_first) {
        // RFC 8866 §9: a byte-string has neither.
        if (line.find_first_of(std::string_view("\0\r", 2)) != std::string_view::npos)
            return "NUL or CR in a line";
        if (line.size() < 2 || line[1] != '=') return "not a TYPE=VALUE line";
        const auto value = line.substr(2);
        if (is_first) return line == "v=0" ? "" : "the first line is not v=0";
        switch (line.front()) {
        case 'v': return "v= again";
        case 'm': return media(value);
        case 'a': return attribute(value);
        case 'c': return connection(value);
        case 'b': return bandwidth(value);
        case 'i': (in_media() ? current().title : description_.title) = value; return {};
        case 'k': (in_media() ? current().key : description_.key) = value; return {};
        default: return in_media() ? unknown() : of_session(line, value);
        }
    }

    std::string_view of_session(std::string_view line, std::string_view value) {
        switch (line.front()) {
        case 'o': return origin(value);
        case 's': description_.name = value; return {};
        case 'u': description_.uri = value; return {};
        case 'e': description_.emails.emplace_back(value); return {};
        case 'p': description_.phones.emplace_back(value); return {};
        case 't':
        case 'r':
        case 'z': description_.times.emplace_back(line); return {};
        default: return unknown();
        }
    }

    std::string_view unknown() {
        return ++unknown_ > limits::unreadable ? "too many lines of no known type" : "";
    }

    std::string_view origin(std::string_view value) {
        Origin origin;
        for (auto* field : {&origin.user, &origin.session_id, &origin.version, &origin.network,
                            &origin.address_type, &origin.address}) {
            const auto text = word(value);
            if (text.empty()) return "o= has six fields";
            *field = text;
        }
        description_.origin = std::move(origin);
        return {};
    }

    std::string_view connection(std::string_view value) {
        Connection connection;
        connection.network = word(value);
        connection.address_type = word(value);
        connection.address = word(value);
        if (connection.address.empty()) return "c= has three fields";
        if (connection.network != "IN" ||
            (connection.address_type != "IP4" && connection.address_type != "IP6"))
            return "c= of another network";
        if (in_media()) {
            if (current().connections.size() >= limits::formats) return "too many c= lines";
            current().connections.push_back(std::move(connection));
        } else {
            description_.connection = std::move(connection);
        }
        return {};
    }

    std::string_view bandwidth(std::string_view value) {
        const auto colon = value.find(':');
        if (colon == 0 || colon == std::string_view::npos) return "b= is TYPE:VALUE";
        auto& all = in_media() ? current().bandwidths : description_.bandwidths;
        if (all.size() >= limits::formats) return "too many b= lines";
        // RFC 8866 §5.8: what cannot be understood is ignored; so is what is no number.
        if (const auto number = parse_number<std::uint32_t>(trimmed(value.substr(colon + 1))))
            all.push_back({std::string(value.substr(0, colon)), *number});
        return {};
    }

    std::string_view attribute(std::string_view value) {
        auto& all = in_media() ? current().attributes : description_.attributes;
        if (all.size() >= limits::attributes) return "too many attributes";
        const auto colon = value.find(':');
        const auto name = trimmed(value.substr(0, colon));
        if (name.empty()) return "a= without a name";
        Attribute attribute{std::string(name)};
        if (colon != std::string_view::npos) attribute.value = value.substr(colon + 1);
        all.push_back(std::move(attribute));
        return {};
    }

    std::string_view media(std::string_view value) {
        if (description_.media.size() >= limits::media) return "too many m= lines";
        Media media;
        media.kind = word(value);
        const auto ports = word(value);
        const auto slash = ports.find('/');
        const auto port = parse_number<std::uint16_t>(ports.substr(0, slash));
        if (!port) return "m= without a port";
        media.port = *port;
        if (slash != std::string_view::npos) {
            const auto count = parse_number<std::uint32_t>(ports.substr(slash + 1));
            if (!count || *count == 0) return "m= with a wrong number of ports";
            media.ports = *count;
        }
        media.protocol = word(value);
        if (media.protocol.empty()) return "m= has four fields";
        for (auto format = word(value); !format.empty(); format = word(value)) {
            if (media.formats.size() >= limits::formats) return "too many formats";
            media.formats.emplace_back(format);
        }
        if (media.formats.empty() && media.port != 0) return "m= without a format";
        description_.media.push_back(std::move(media));
        return {};
    }

    [[nodiscard]] bool in_media() const { return !description_.media.empty(); }
    Media& current() { return description_.media.back(); }

    Description description_;
    std::size_t unknown_ = 0;
};

}  // namespace

std::expected<Description, Error> parse(std::string_view text) { return Parser{}.parse(text); }

std::optional<std::string_view> find(const Attributes& attributes, std::string_view name) {
    for (const auto& attribute : attributes)
        if (equals_ignoring_case(attribute.name, name))
            return attribute.value ? std::string_view(*attribute.value) : std::string_view{};
    return std::nullopt;
}

}  // namespace holdfast::sdp
