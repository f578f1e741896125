#include "media/gst_engine.h"

#include <atomic>
#include <map>
#include <optional>
#include <utility>

#include "media/event_queue.h"
#include "media/gst_conferences.h"
#include "media/gst_devices.h"
#include "media/gst_dtls.h"
#include "media/gst_library.h"
#include "media/gst_player.h"
#include "media/gst_session.h"
#include "media/gst_srtp.h"
#include "media/gst_thread.h"
#include "media/limits.h"
#include "media/local_stream.h"

namespace holdfast::media::gst {

namespace {

using namespace std::chrono_literals;

constexpr auto rhythm = 250ms;  // of recordings and of the watch for silence

bool wants_dtls(const SessionOptions& options) {
    return options.srtp != sdp::Srtp::off && options.dtls;
}

// Keys of ours for SDP; what is wrong with them, in words.
std::vector<std::string> add_keys(const SessionOptions& options, sdp::LocalStream& stream) {
    if (options.srtp == sdp::Srtp::off || !options.sdes) return {};
    if (!has_element("srtpenc") || !has_element("srtpdec"))
        return {"no keys for SRTP: install gstreamer1.0-plugins-bad"};
    auto offered = offered_suites(options.suites);
    stream.crypto = draw_keys(offered.suites);
    return std::move(offered.missing);
}

template <class C>
concept ForOneSession = requires(Session& session, const C& command) { session.handle(command); };

class GstEngine final : public Engine {
public:
    GstEngine() : support_(supported_codecs()) {}
    GstEngine(const GstEngine&) = delete;
    GstEngine& operator=(const GstEngine&) = delete;
    ~GstEngine() override {
        thread_.post([this] {
            rhythm_.reset();
            player_.reset();
            while (!sessions_.empty()) remove(sessions_.begin()->first);
        });
    }

    void submit(Command command) override {
        // Ports are opened here: an answer to a call does not wait for another call's pipeline.
        if (auto* open = std::get_if<in::Open>(&command)) return this->open(std::move(*open));
        thread_.post([this, command = std::move(command)] {
            std::visit([this](const auto& c) { handle(c); }, command);
        });
    }
    [[nodiscard]] int descriptor() const override { return events_.descriptor(); }
    std::vector<Event> take() override { return events_.take(); }

private:
    void open(in::Open command);
    void handle(const in::Open& /*done by submit()*/) {}
    void handle(const in::List& /*list*/) { events_.push(list_all()); }
    void handle(const in::Play& play) {
        if (!player_) player_.emplace(thread_, events_);
        player_->play(play);
    }
    void handle(const in::Close& close);
    void handle(const in::Join& join);
    void handle(const in::Split& split);
    template <ForOneSession C>
    void handle(const C& command) {
        const auto found = sessions_.find(command.session);
        if (found == sessions_.end()) return;
        found->second->handle(command);
        if (found->second->is_over()) remove(command.session);
    }
    struct Opened {
        in::Open command;
        Ports ports;
        sdp::LocalStream stream;
    };
    bool add_certificate(Opened& opened);
    void adopt(SessionId id, SessionOptions options, Ports ports);
    void remove(SessionId id);
    Conferences::Sessions seats();
    void on_time();

    std::vector<CodecSupport> support_;
    EventQueue events_;
    std::atomic<std::size_t> count_{0};
    // On the media thread only:
    std::map<SessionId, std::unique_ptr<Session>> sessions_;
    Conferences conferences_{seats()};
    Ref<GSource> rhythm_;
    std::optional<Player> player_;
    Thread thread_;  // the last: it ends first
};

void GstEngine::open(in::Open command) {
    const auto failed = [&](out::FailureKind kind, std::string sentence) {
        events_.push(out::Failed{.session = command.session,
                                 .kind = kind,
                                 .sentence = std::move(sentence),
                                 .ends = true});
    };
    if (count_ >= limits::sessions) {
        return failed(out::FailureKind::no_port,
                      "there are " + std::to_string(limits::sessions) +
                          " calls with sound already, which is the limit");
    }
    auto offered = offered_codecs(support_, command.options.codecs);
    for (auto& sentence : offered.missing) {
        events_.push(out::Failed{.session = command.session,
                                 .kind = out::FailureKind::codec_missing,
                                 .sentence = sentence});
    }
    if (offered.codecs.empty())
        return failed(out::FailureKind::codec_missing, "there is no codec to offer");
    auto ports = open_ports(command.options.bind, command.options.ports, command.options.dscp,
                            g_random_int());
    if (!ports) return failed(out::FailureKind::no_port, std::move(ports.error()));
    auto stream =
        local_stream(command.options, offered.codecs, ports->rtp_endpoint, ports->rtcp_endpoint);
    if (auto trouble = add_keys(command.options, stream); !trouble.empty()) {
        const bool ends = command.options.srtp == sdp::Srtp::required && stream.crypto.empty() &&
                          !command.options.dtls;
        for (auto& sentence : trouble) {
            events_.push(out::Failed{.session = command.session,
                                     .kind = out::FailureKind::encryption,
                                     .sentence = std::move(sentence),
                                     .ends = ends});
            if (ends) return;
        }
    }
    ++count_;
    // A std::function is copied: what cannot be is behind a pointer.
    auto opened = std::make_shared<Opened>(Opened{
        .command = std::move(command), .ports = std::move(*ports), .stream = std::move(stream)});
    const bool wants_certificate = wants_dtls(opened->command.options);
    if (!wants_certificate)
        events_.push(out::Ready{.session = opened->command.session, .stream = opened->stream});
    thread_.post([this, opened, wants_certificate] {
        if (wants_certificate && !add_certificate(*opened)) return;
        adopt(opened->command.session, std::move(opened->command.options),
              std::move(opened->ports));
    });
}

// The first certificate takes a while to make: not on the owner's thread.
bool GstEngine::add_certificate(Opened& opened) {
    const SessionId session = opened.command.session;
    auto made = own_fingerprint();
    if (made) {
        opened.stream.fingerprint = std::move(*made);
    } else {
        const bool ends =
            opened.command.options.srtp == sdp::Srtp::required && opened.stream.crypto.empty();
        events_.push(out::Failed{.session = session,
                                 .kind = out::FailureKind::encryption,
                                 .sentence = std::move(made.error()),
                                 .ends = ends});
        if (ends) {
            --count_;
            return false;
        }
    }
    events_.push(out::Ready{.session = session, .stream = std::move(opened.stream)});
    return true;
}

void GstEngine::adopt(SessionId id, SessionOptions options, Ports ports) {
    sessions_.insert_or_assign(
        id, std::make_unique<Session>(thread_, events_, id, std::move(options), std::move(ports)));
    if (!rhythm_) rhythm_ = thread_.every(rhythm, [this] { on_time(); });
}

void GstEngine::handle(const in::Close& close) {
    const auto found = sessions_.find(close.session);
    if (found == sessions_.end()) return;
    auto last = found->second->close();
    remove(close.session);  // before it is told: its ports are free then
    events_.push(out::Closed{.session = close.session, .statistics = std::move(last)});
}

void GstEngine::handle(const in::Join& join) {
    if (!sessions_.contains(join.session)) return;
    auto joined = conferences_.join(join.session, join.with);
    if (joined) {
        events_.push(out::Joined{.session = join.session, .members = std::move(*joined)});
    } else {
        events_.push(out::Failed{.session = join.session,
                                 .kind = out::FailureKind::conference,
                                 .sentence = std::move(joined.error())});
    }
}

void GstEngine::handle(const in::Split& split) {
    if (conferences_.leave(split.session)) events_.push(out::Parted{split.session});
}

Conferences::Sessions GstEngine::seats() {
    return {.rate_of =
                [this](SessionId id) {
                    const auto found = sessions_.find(id);
                    return found == sessions_.end() ? 0 : found->second->rate();
                },
            .seat =
                [this](SessionId id, std::shared_ptr<Party> party) {
                    const auto found = sessions_.find(id);
                    if (found != sessions_.end()) found->second->seat(std::move(party));
                }};
}

void GstEngine::remove(SessionId id) {
    conferences_.leave(id);
    sessions_.erase(id);
    --count_;
    if (sessions_.empty()) rhythm_.reset();
}

void GstEngine::on_time() {
    std::vector<SessionId> over;
    for (auto& [id, session] : sessions_) {
        session->on_time();
        if (session->is_over()) over.push_back(id);
    }
    for (const auto id : over) remove(id);
}

}  // namespace

std::expected<std::unique_ptr<Engine>, std::string> make_engine() {
    if (auto started = start_library(); !started)
        return std::unexpected(std::move(started.error()));
    return std::make_unique<GstEngine>();
}

}  // namespace holdfast::media::gst
