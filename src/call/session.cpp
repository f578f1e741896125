// The first session descriptions, as little as a call needs: one audio stream over RTP/AVP, its
// codecs, address and direction. Everything else that RFC 3264 knows is src/sdp's, and replaces
// this.
#include "call/session.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace holdfast::call {

namespace {

std::string_view direction_name(sdp::Direction direction) {
    switch (direction) {
    case sdp::Direction::sendrecv: return "sendrecv";
    case sdp::Direction::sendonly: return "sendonly";
    case sdp::Direction::recvonly: return "recvonly";
    case sdp::Direction::inactive: return "inactive";
    }
    return "";
}

std::expected<sdp::AgreedStream, std::string> read(std::string_view text,
                                                   const sdp::LocalStream& ours, bool held) {
    sdp::AgreedStream agreed;
    agreed.direction = sdp::Direction::sendrecv;
    bool has_media = false;
    IpAddress address;
    auto theirs = sdp::Direction::sendrecv;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const auto line = trimmed(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.starts_with("c=IN IP"))
            address = IpAddress::parse(line.substr(9)).value_or(IpAddress{});
        if (line.starts_with("m=audio ")) {
            has_media = true;
            const auto rest = line.substr(8);
            agreed.remote_rtp.port =
                parse_number<std::uint16_t>(rest.substr(0, rest.find(' '))).value_or(0);
        }
        if (line.starts_with("a=rtpmap:"))
            for (const auto& codec : ours.codecs)
                if (lower_case(line).find(" " + lower_case(codec.name) + "/") != std::string::npos)
                    agreed.send.push_back(codec);
        for (const auto direction : {sdp::Direction::sendrecv, sdp::Direction::sendonly,
                                     sdp::Direction::recvonly, sdp::Direction::inactive})
            if (line == std::string("a=").append(direction_name(direction))) theirs = direction;
    }
    agreed.remote_rtp.address = address;
    if (!has_media) return std::unexpected("the session description has no audio");
    if (agreed.send.empty()) return std::unexpected("no codec that both sides know");
    agreed.receive = agreed.send;
    agreed.held_by_peer = !sdp::receives(theirs);
    auto wanted = ours.direction;
    if (held) wanted = sdp::make_direction(sdp::sends(wanted), false);
    agreed.direction = sdp::common(wanted, sdp::reversed(theirs));
    return agreed;
}

}  // namespace

void Session::set_streams(std::vector<sdp::LocalStream> streams) { streams_ = std::move(streams); }

std::string Session::text(Random& random, const std::vector<sdp::AgreedStream>* answered) {
    if (id_ == 0) id_ = random.below(1'000'000'000) + 1;
    ++version_;
    const auto& ours = streams_.front();
    const auto address = ours.rtp.address.to_string();
    const bool v6 = ours.rtp.address.family() == Family::ipv6;
    const std::string where = std::string("IN IP") + (v6 ? "6 " : "4 ") + address + "\r\n";
    std::string out = "v=0\r\no=- " + std::to_string(id_) + " " + std::to_string(version_) + " " +
                      where + "s=-\r\nc=" + where + "t=0 0\r\nm=audio " +
                      std::to_string(ours.rtp.port) + " RTP/AVP";
    const auto& codecs = answered == nullptr ? ours.codecs : answered->front().send;
    int type = 96;
    for (std::size_t i = 0; i < codecs.size(); ++i) out += " " + std::to_string(type++);
    out += "\r\n";
    type = 96;
    for (const auto& codec : codecs)
        out += "a=rtpmap:" + std::to_string(type++) + " " + codec.name + "/" +
               std::to_string(codec.clock_rate) + "\r\n";
    auto direction = ours.direction;
    if (held_) direction = sdp::make_direction(sdp::sends(direction), false);
    if (answered != nullptr) direction = answered->front().direction;
    return out + "a=" + std::string(direction_name(direction)) + "\r\n";
}

std::string Session::offer(Random& random) {
    offering_ = true;
    return text(random, nullptr);
}

std::expected<void, std::string> Session::on_answer(std::string_view answer) {
    auto agreed = read(answer, streams_.front(), held_);
    if (!agreed) return std::unexpected(agreed.error());
    offering_ = false;
    agreement_ = std::make_shared<const sdp::Agreement>(sdp::Agreement{{*std::move(agreed)}});
    return {};
}

std::expected<std::string, std::string> Session::on_offer(std::string_view offer, Random& random) {
    auto agreed = read(offer, streams_.front(), held_);
    if (!agreed) return std::unexpected(agreed.error());
    agreement_ = std::make_shared<const sdp::Agreement>(sdp::Agreement{{*std::move(agreed)}});
    return text(random, &agreement_->streams);
}

bool Session::can_read(std::string_view sdp) { return sdp.starts_with("v=0"); }

bool Session::is_held_by_peer() const {
    return agreement_ != nullptr &&
           std::ranges::any_of(agreement_->streams, &sdp::AgreedStream::held_by_peer);
}

}  // namespace holdfast::call
