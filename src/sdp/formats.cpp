#include "sdp/formats.h"

#include <array>

#include "base/text.h"

namespace holdfast::sdp {
namespace {

struct Static {
    std::uint8_t payload_type;
    std::string_view name;
    std::uint32_t clock_rate;
    std::uint8_t channels;
};
// RFC 3551 §6. G722's clock is 8000 though it samples at 16000: an erratum that became law
// (§4.5.2).
constexpr std::array<Static, 19> statics{{{0, "PCMU", 8000, 1},
                                          {3, "GSM", 8000, 1},
                                          {4, "G723", 8000, 1},
                                          {5, "DVI4", 8000, 1},
                                          {6, "DVI4", 16000, 1},
                                          {7, "LPC", 8000, 1},
                                          {8, "PCMA", 8000, 1},
                                          {9, "G722", 8000, 1},
                                          {10, "L16", 44100, 2},
                                          {11, "L16", 44100, 1},
                                          {12, "QCELP", 8000, 1},
                                          {13, "CN", 8000, 1},
                                          {14, "MPA", 90000, 1},
                                          {15, "G728", 8000, 1},
                                          {16, "DVI4", 11025, 1},
                                          {17, "DVI4", 22050, 1},
                                          {18, "G729", 8000, 1},
                                          {31, "H261", 90000, 1},
                                          {34, "H263", 90000, 1}}};

// The value of a=NAME:FORMAT …, for this format.
std::optional<std::string_view> of_format(const Media& media, std::string_view name,
                                          std::string_view format) {
    for (const auto& attribute : media.attributes) {
        if (!attribute.value || !equals_ignoring_case(attribute.name, name)) continue;
        const auto value = trimmed(*attribute.value);
        const auto space = value.find(' ');
        if (value.substr(0, space) != format) continue;
        return space == std::string_view::npos ? std::string_view{}
                                               : trimmed(value.substr(space + 1));
    }
    return std::nullopt;
}

// RFC 8866 §6.6: NAME/CLOCK[/CHANNELS].
std::optional<Codec> parse_rtpmap(std::string_view value) {
    const auto slash = value.find('/');
    if (slash == 0 || slash == std::string_view::npos) return std::nullopt;
    Codec codec{.name = std::string(value.substr(0, slash))};
    auto rest = value.substr(slash + 1);
    const auto second = rest.find('/');
    const auto clock = parse_number<std::uint32_t>(trimmed(rest.substr(0, second)));
    if (!clock || *clock == 0) return std::nullopt;
    codec.clock_rate = *clock;
    if (second != std::string_view::npos) {
        const auto channels = parse_number<std::uint8_t>(trimmed(rest.substr(second + 1)));
        if (!channels || *channels == 0) return std::nullopt;
        codec.channels = *channels;
    }
    return codec;
}

}  // namespace

std::optional<Codec> static_codec(std::uint8_t payload_type) {
    for (const auto& known : statics)
        if (known.payload_type == payload_type)
            return Codec{.name = std::string(known.name),
                         .clock_rate = known.clock_rate,
                         .channels = known.channels,
                         .payload_type = payload_type};
    return std::nullopt;
}

std::optional<std::uint8_t> static_payload_type(const Codec& codec) {
    for (const auto& known : statics)
        if (equals_ignoring_case(known.name, codec.name) && known.clock_rate == codec.clock_rate &&
            known.channels == codec.channels)
            return known.payload_type;
    return std::nullopt;
}

std::optional<Codec> codec_of(const Media& media, std::string_view format) {
    const auto number = parse_number<std::uint8_t>(format);
    if (!number || *number > last_dynamic) return std::nullopt;
    const auto map = of_format(media, "rtpmap", format);
    auto codec = map ? parse_rtpmap(*map) : static_codec(*number);
    if (!codec) return std::nullopt;
    codec->payload_type = number;
    codec->fmtp = of_format(media, "fmtp", format).value_or(std::string_view{});
    return codec;
}

std::string rtpmap(const Codec& codec) {
    auto text = codec.name + "/" + std::to_string(codec.clock_rate);
    if (codec.channels != 1) text.append("/").append(std::to_string(codec.channels));
    return text;
}

bool is_telephone_event(const Codec& codec) {
    return equals_ignoring_case(codec.name, "telephone-event");
}
bool is_comfort_noise(const Codec& codec) { return equals_ignoring_case(codec.name, "CN"); }

std::optional<std::string> fmtp_parameter(const Codec& codec, std::string_view name) {
    std::string_view rest = codec.fmtp;
    while (!rest.empty()) {
        const auto end = rest.find(';');
        const auto one = trimmed(rest.substr(0, end));
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
        const auto equals = one.find('=');
        if (equals_ignoring_case(trimmed(one.substr(0, equals)), name))
            return std::string(equals == std::string_view::npos ? std::string_view{}
                                                                : trimmed(one.substr(equals + 1)));
    }
    return std::nullopt;
}

bool is_same_format(const Codec& ours, const Codec& theirs) {
    if (!equals_ignoring_case(ours.name, theirs.name) || ours.clock_rate != theirs.clock_rate)
        return false;
    // RFC 7587 §7: opus is always said as /48000/2, whatever is sent; some leave the 2 out.
    if (!equals_ignoring_case(ours.name, "opus") && ours.channels != theirs.channels) return false;
    if (equals_ignoring_case(ours.name, "H264"))  // RFC 6184 §8.2.2
        return fmtp_parameter(ours, "packetization-mode").value_or("0") ==
               fmtp_parameter(theirs, "packetization-mode").value_or("0");
    return true;
}

}  // namespace holdfast::sdp
