// GStreamer comes with the first call and not before; without it the user reads what to do.
#include "media/service.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <deque>
#include <fstream>
#include <iterator>
#include <string>

#include "media/test_leaks.h"

namespace holdfast::media {
namespace {

using namespace std::chrono_literals;

bool is_mapped(std::string_view library) {
    std::ifstream maps{"/proc/self/maps"};
    const std::string text{std::istreambuf_iterator<char>{maps}, {}};
    return text.find(library) != std::string::npos;
}

// What the service has said and nobody has asked for yet: two events may come at once.
class Told {
public:
    explicit Told(Service& service) : service_(service) {}
    // Passes over all events until one of kind E, within 20 s.
    template <class E>
    std::optional<E> next() {
        const auto end = std::chrono::steady_clock::now() + 20s;
        while (std::chrono::steady_clock::now() < end) {
            while (!waiting_.empty()) {
                const auto event = std::move(waiting_.front());
                waiting_.pop_front();
                if (const auto* found = std::get_if<E>(&event)) return *found;
            }
            pollfd readable{.fd = service_.descriptor(), .events = POLLIN, .revents = 0};
            ::poll(&readable, 1, 1000);
            for (auto& event : service_.take()) waiting_.push_back(std::move(event));
        }
        return std::nullopt;
    }

private:
    Service& service_;
    std::deque<Event> waiting_;
};

in::Open open_on_loopback(SessionId session) {
    return {.session = session, .options = {.bind = IpAddress::v4(127, 0, 0, 1)}};
}

// Decision 0010. This test runs in a process of its own (CTest), so that no other has loaded it.
TEST(Service, MapsGstreamerWithTheFirstCallOnly) {
    Service service{{"/no/such/place/libholdfast-media.so", HOLDFAST_MEDIA_MODULE}};
    Told told{service};
    EXPECT_TRUE(service.take().empty());
    ASSERT_FALSE(is_mapped("libgstreamer")) << "the program itself is linked to it";
    ASSERT_FALSE(is_mapped("libglib"));

    const auto before = std::chrono::steady_clock::now();
    service.submit(open_on_loopback(SessionId{1}));
    service.submit(in::Close{SessionId{1}});
    EXPECT_LT(std::chrono::steady_clock::now() - before, 500ms)
        << "who submits does not wait for the load";
    const auto ready = told.next<out::Ready>();
    ASSERT_TRUE(ready);
    EXPECT_EQ(ready->session, SessionId{1});
    EXPECT_FALSE(ready->stream.codecs.empty());
    EXPECT_TRUE(told.next<out::Closed>()) << "what waited came in order";
    EXPECT_TRUE(is_mapped("libgstreamer"));
}

TEST(Service, WithoutModuleSaysWhatToInstall) {
    Service service{{"/no/such/place/libholdfast-media.so"}};
    Told told{service};
    service.submit(in::Mute{.session = SessionId{1}});
    service.submit(open_on_loopback(SessionId{1}));
    auto failed = told.next<out::Failed>();
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->kind, out::FailureKind::no_module);
    EXPECT_TRUE(failed->ends);
    EXPECT_NE(failed->sentence.find("install"), std::string::npos) << failed->sentence;
    service.submit(open_on_loopback(SessionId{2}));
    failed = told.next<out::Failed>();
    ASSERT_TRUE(failed) << "the second call too";
    EXPECT_EQ(failed->session, SessionId{2});
    service.submit(in::Play{});  // that there is nothing to hear is no news
    service.submit(in::Play{.signal = Signal::ring});
    const auto not_played = told.next<out::NotPlayed>();
    ASSERT_TRUE(not_played);
    EXPECT_EQ(not_played->signal, Signal::ring);
    EXPECT_NE(not_played->sentence.find("install"), std::string::npos) << not_played->sentence;
    service.submit(in::List{});
    const auto listed = told.next<out::Listed>();
    ASSERT_TRUE(listed);
    EXPECT_EQ(listed->missing.size(), 1U);
}

TEST(Service, WhatIsNoModuleIsSaid) {
    Service service{{"/proc/self/exe"}};
    Told told{service};
    service.submit(open_on_loopback(SessionId{1}));
    const auto failed = told.next<out::Failed>();
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->kind, out::FailureKind::no_module);
}

}  // namespace
}  // namespace holdfast::media
