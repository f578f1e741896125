#include "sdp/media_line.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "sdp/attributes.h"
#include "sdp/formats.h"
#include "sdp/security.h"

namespace holdfast::sdp {
namespace {

std::string_view name_of(MediaKind kind) {
    switch (kind) {
    case MediaKind::audio: return "audio";
    case MediaKind::video: return "video";
    case MediaKind::other: return "application";
    }
    return "audio";
}

void write_codec(const Codec& codec, Media& media) {
    const auto number = std::to_string(*codec.payload_type);
    media.formats.push_back(number);
    media.attributes.push_back({"rtpmap", number + " " + rtpmap(codec)});
    if (!codec.fmtp.empty()) media.attributes.push_back({"fmtp", number + " " + codec.fmtp});
}

// What both an offer and an answer say of our end, but codecs and security.
void write_our_end(const LocalStream& stream, Direction direction, Media& media) {
    media.port = stream.rtp.port;
    media.connections = {connection_of(stream.rtp.address)};
    if (stream.bandwidth_kbps) media.bandwidths.push_back({"AS", *stream.bandwidth_kbps});
    if (stream.ptime) media.attributes.push_back({"ptime", std::to_string(*stream.ptime)});
    if (stream.maxptime) media.attributes.push_back({"maxptime", std::to_string(*stream.maxptime)});
    media.attributes.push_back({std::string(sdp::name_of(direction))});
    if (stream.rtcp) {
        auto value = std::to_string(stream.rtcp->port);
        if (stream.rtcp->address != stream.rtp.address) {
            const auto c = connection_of(stream.rtcp->address);
            value.append(" IN ").append(c.address_type).append(" ").append(c.address);
        }
        media.attributes.push_back({"rtcp", std::move(value)});
    }
    if (stream.source)
        media.attributes.push_back(
            {"ssrc", std::to_string(stream.source->ssrc) + " cname:" + stream.source->cname});
}

void write_ice(const LocalStream& stream, Media& media) {
    media.attributes.push_back({"ice-ufrag", stream.ice->ufrag});
    media.attributes.push_back({"ice-pwd", stream.ice->pwd.reveal()});
    for (const auto& candidate : stream.candidates)
        media.attributes.push_back({"candidate", candidate});
}

const Codec* same_format(const std::vector<Codec>& codecs, const Codec& wanted) {
    const auto found = std::ranges::find_if(
        codecs, [&](const Codec& codec) { return is_same_format(codec, wanted); });
    return found == codecs.end() ? nullptr : &*found;
}

// telephone-event with the clock of what is sent (RFC 4733 §2.5.1.2 wants it so), else any: several
// phones offer 8000 only, whatever the codec.
std::optional<std::uint8_t> events_for(const std::vector<Codec>& codecs) {
    std::optional<std::uint8_t> any;
    for (const auto& codec : codecs) {
        if (!is_telephone_event(codec)) continue;
        if (!codecs.empty() && codec.clock_rate == codecs.front().clock_rate)
            return codec.payload_type;
        if (!any) any = codec.payload_type;
    }
    return any;
}

std::string in_words(const Media& media) {
    std::string text;
    for (const auto& format : media.formats) {
        const auto codec = codec_of(media, format);
        if (codec && !is_sound(*codec)) continue;
        text += text.empty() ? "" : ", ";
        text += codec ? rtpmap(*codec) : format;
    }
    return text.empty() ? "nothing" : text;
}

// The peer's end, as offer and answer say it.
std::expected<void, std::string> read_their_end(const Description& description, const Media& media,
                                                AgreedStream& agreed) {
    const auto address = address_of(description, media);
    if (!address)
        return std::unexpected(std::string("the other side's media address is not a number"));
    agreed.remote_rtp = {*address, media.port};
    if (!agreed.rtcp_mux) agreed.remote_rtcp = rtcp_of(media, agreed.remote_rtp);
    agreed.ptime = ptime_of(media);
    agreed.maxptime = maxptime_of(media);
    agreed.bandwidth_kbps = bandwidth_of(media);
    agreed.source = source_of(media);
    agreed.ice_mismatch = has_ice_mismatch(media);
    return {};
}

// RFC 4585 §4.2: what both have.
void choose_feedback(const LocalStream& stream, const Media& theirs, AgreedStream& agreed) {
    for (const auto& attribute : theirs.attributes)
        if (attribute.value && equals_ignoring_case(attribute.name, "rtcp-fb") &&
            std::ranges::find(stream.feedback, *attribute.value) != stream.feedback.end())
            agreed.feedback.push_back(*attribute.value);
}

// What both can: theirs into send, ours (under the offer's numbers) into receive. In our order, or
// the offerer's.
void choose_codecs(const Media& offered, const LocalStream& stream, const AnswerStyle& style,
                   AgreedStream& agreed) {
    std::vector<Codec> theirs;
    for (const auto& format : offered.formats)
        if (auto codec = codec_of(offered, format); codec && same_format(stream.codecs, *codec))
            theirs.push_back(std::move(*codec));
    const auto rank = [&](const Codec& codec) {
        return same_format(stream.codecs, codec) - stream.codecs.data();
    };
    if (!style.offerers_order) std::ranges::stable_sort(theirs, {}, rank);
    // Sound first, whatever the order: a format that is only events carries no call.
    std::ranges::stable_partition(theirs, is_sound);
    bool sound = false;
    for (auto& codec : theirs) {
        if (is_sound(codec) && std::exchange(sound, true) && style.one_codec) continue;
        auto own = *same_format(stream.codecs, codec);
        own.payload_type = codec.payload_type;  // RFC 3264 §6.1: the same number in both directions
        agreed.receive.push_back(std::move(own));
        agreed.send.push_back(std::move(codec));
    }
    if (!sound) {
        agreed.receive.clear();
        agreed.send.clear();
    }
    agreed.dtmf_send = events_for(agreed.send);
    agreed.dtmf_receive = events_for(agreed.receive);
}

}  // namespace

Media offer_media(const LocalStream& stream) {
    Media media{.kind = std::string(name_of(stream.kind)), .protocol = protocol_of(stream)};
    for (const auto& codec : stream.codecs) write_codec(codec, media);
    write_our_end(stream, stream.direction, media);
    if (stream.rtcp_mux) media.attributes.push_back({"rtcp-mux"});
    for (const auto& feedback : stream.feedback) media.attributes.push_back({"rtcp-fb", feedback});
    write_offered_security(stream, media);
    if (stream.ice) write_ice(stream, media);
    return media;
}

Media refused_media(const Media& offered) {  // RFC 3264 §6: at least one format, port 0
    Media media{.kind = offered.kind, .protocol = offered.protocol, .formats = offered.formats};
    if (media.formats.empty()) media.formats = {"0"};
    if (const auto mid = find(offered.attributes, "mid"))
        media.attributes.push_back({"mid", std::string(*mid)});
    return media;
}

std::expected<AnsweredMedia, std::string> answer_media(const Description& offer,
                                                       const Media& offered,
                                                       const LocalStream& stream,
                                                       const AnswerStyle& style) {
    AnsweredMedia answered;
    auto& agreed = answered.agreed;
    agreed.kind = stream.kind;
    auto& media = answered.media;
    media.kind = offered.kind;
    media.protocol = offered.protocol;
    if (!is_rtp(offered))
        return std::unexpected("the transport " + offered.protocol + " is not known here");
    agreed.rtcp_mux = stream.rtcp_mux && find(offered.attributes, "rtcp-mux").has_value();
    if (auto end = read_their_end(offer, offered, agreed); !end)
        return std::unexpected(end.error());
    choose_codecs(offered, stream, style, agreed);
    if (agreed.send.empty())
        return std::unexpected("the other side offers " + in_words(offered) +
                               ", and none of that is installed or allowed here");
    auto theirs = direction_of(offer, offered);
    if (is_held_by_address(offer, offered)) theirs = common(theirs, Direction::sendonly);
    agreed.direction = common(stream.direction, reversed(theirs));
    agreed.held_by_peer = !receives(theirs);

    for (const auto& codec : agreed.receive) write_codec(codec, media);
    write_our_end(stream, agreed.direction, media);
    if (agreed.rtcp_mux) media.attributes.push_back({"rtcp-mux"});
    choose_feedback(stream, offered, agreed);
    for (const auto& feedback : agreed.feedback) media.attributes.push_back({"rtcp-fb", feedback});
    if (auto secured = answer_security(offer, offered, stream, style.dtls_before, agreed, media);
        !secured)
        return std::unexpected(secured.error());
    if (auto ice = ice_of(offer, offered); ice && stream.ice) {
        ice->controlling = ice->remote_lite;  // RFC 8445 §6.1.1: the offerer controls, unless lite
        agreed.ice = std::move(ice);
        write_ice(stream, media);
    }
    // RFC 8843 §7.3: we do not bundle; the identification is said again so that the offerer may
    // find its stream.
    if (const auto mid = find(offered.attributes, "mid"))
        media.attributes.push_back({"mid", std::string(*mid)});
    return answered;
}

std::expected<AgreedStream, std::string> read_answer(const LocalStream& offered,
                                                     const Description& answer,
                                                     const Media& answered) {
    AgreedStream agreed;
    agreed.kind = offered.kind;
    agreed.rtcp_mux = offered.rtcp_mux && find(answered.attributes, "rtcp-mux").has_value();
    if (auto end = read_their_end(answer, answered, agreed); !end)
        return std::unexpected(end.error());
    for (const auto& format : answered.formats) {
        auto theirs = codec_of(answered, format);
        // A dynamic number without its own a=rtpmap means what the offer said (seen in the field).
        if (!theirs) {
            const auto number = parse_number<std::uint8_t>(format);
            for (const auto& codec : offered.codecs)
                if (number && codec.payload_type == number) theirs = codec;
        }
        if (!theirs) continue;
        const auto* own = same_format(offered.codecs, *theirs);
        if (own == nullptr) continue;  // §6.1: not to be invented; passed over
        agreed.receive.push_back(*own);
        agreed.send.push_back(std::move(*theirs));
    }
    std::ranges::stable_partition(agreed.receive, is_sound);
    std::ranges::stable_partition(agreed.send, is_sound);
    if (agreed.send.empty() || !is_sound(agreed.send.front()))
        return std::unexpected("the answer names " + in_words(answered) +
                               ", and none of that was offered");
    agreed.dtmf_send = events_for(agreed.send);
    agreed.dtmf_receive = events_for(agreed.receive);
    choose_feedback(offered, answered, agreed);
    auto theirs = direction_of(answer, answered);
    if (is_held_by_address(answer, answered)) theirs = common(theirs, Direction::sendonly);
    agreed.direction = common(offered.direction, reversed(theirs));
    agreed.held_by_peer = sends(offered.direction) && !receives(theirs);
    if (auto secured = read_security(offered, answer, answered, agreed); !secured)
        return std::unexpected(secured.error());
    if (offered.ice) agreed.ice = ice_of(answer, answered);
    if (agreed.ice) agreed.ice->controlling = !offered.ice_lite || agreed.ice->remote_lite;
    return agreed;
}

}  // namespace holdfast::sdp
