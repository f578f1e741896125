// One session description as values (RFC 8866): everything is kept, in order; nothing is judged
// beyond the grammar.
//
//     auto description = sdp::parse(body);
//     if (!description) return refuse(description.error().reason);
//     for (const auto& media : description->media) …
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::sdp {

struct Attribute {  // a=NAME or a=NAME:VALUE
    std::string name;
    std::optional<std::string> value{};
    friend bool operator==(const Attribute&, const Attribute&) = default;
};
using Attributes = std::vector<Attribute>;

struct Origin {  // o= (RFC 8866 §5.2)
    std::string user = "-";
    std::string session_id = "0";
    std::string version = "0";
    std::string network = "IN";
    std::string address_type = "IP4";
    std::string address = "0.0.0.0";
    friend bool operator==(const Origin&, const Origin&) = default;
};

struct Connection {  // c= (§5.7)
    std::string network = "IN";
    std::string address_type = "IP4";
    std::string address;  // a number or a name; "/ttl" and "/count" kept
    friend bool operator==(const Connection&, const Connection&) = default;
};

struct Bandwidth {  // b= (§5.8)
    std::string type;
    std::uint32_t value = 0;  // kbit/s; TIAS (RFC 3890): bit/s
    friend bool operator==(const Bandwidth&, const Bandwidth&) = default;
};

struct Media {         // m= and what follows it (§5.14)
    std::string kind;  // "audio"
    std::uint16_t port = 0;
    std::uint32_t ports = 1;  // the number behind "/"
    std::string protocol = "RTP/AVP";
    std::vector<std::string> formats{};
    std::optional<std::string> title{};     // i=
    std::vector<Connection> connections{};  // several only with multicast layers
    std::vector<Bandwidth> bandwidths{};
    std::optional<std::string> key{};  // k=, obsolete
    Attributes attributes{};
    friend bool operator==(const Media&, const Media&) = default;
};

struct Description {
    Origin origin;
    std::string name = "-";              // s=
    std::optional<std::string> title{};  // i=
    std::optional<std::string> uri{};    // u=
    std::vector<std::string> emails{};
    std::vector<std::string> phones{};
    std::optional<Connection> connection{};
    std::vector<Bandwidth> bandwidths{};
    std::vector<std::string> times{};  // t=, r= and z= as whole lines, in order
    std::optional<std::string> key{};
    Attributes attributes{};
    std::vector<Media> media{};
    friend bool operator==(const Description&, const Description&) = default;
};

struct Error {
    std::size_t offset = 0;        // of the line that is wrong
    std::string_view reason = {};  // static text
};

// Strict where a mistake changes what is meant, lenient where the field is: bare LF, spaces at a
// line's end, o=, s= or t= missing, lines of unknown type (RFC 8866 §5: ignored), order.
std::expected<Description, Error> parse(std::string_view text);
// The text, CR LF after each line, in the order of RFC 8866 §5. A CR, LF or NUL inside a value is
// written as a space.
std::string print(const Description& description);

// The first attribute of that name; nothing if absent. Without value: "".
std::optional<std::string_view> find(const Attributes& attributes, std::string_view name);

}  // namespace holdfast::sdp
