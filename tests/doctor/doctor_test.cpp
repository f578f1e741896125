// The doctor in virtual time: a healthy account has nothing wrong with it, each planted fault is
// found, and nothing stays behind (docs/doctor.md). Real sockets: apps/cli/doctor_command_test.cpp.
#include "doctor/limits.h"
#include "tests/doctor/doctor_world.h"

namespace holdfast::doctor {
namespace {

using DoctorExamination = testing::DoctorWorld;
using namespace std::chrono_literals;

TEST_F(DoctorExamination, AHealthyAccountIsGoodAndNothingStays) {
    build();
    examine();
    EXPECT_EQ(verdict, Verdict::good) << report() << world.ladder();
    EXPECT_TRUE(found(Verdict::good, Step::registration, "share one location service")) << report();
    for (const auto* server : {"203.0.113.11", "203.0.113.12", "203.0.113.13"})
        EXPECT_TRUE(found(Verdict::good, Step::reachability,
                          std::string("goes to udp:") + server + ":5060 arrives"))
            << report();
    EXPECT_TRUE(found(Verdict::good, Step::nat, "there is no NAT")) << report();
    EXPECT_TRUE(found(Verdict::good, Step::path, "1,400 and 3,000")) << report();
    EXPECT_NE(outlook.find("can be reached"), std::string::npos) << outlook;
    EXPECT_NE(outlook.find("MicroSIP would not find a server at all"), std::string::npos)
        << outlook;
    EXPECT_EQ(bound(), 0U);
    EXPECT_LE(world.elapsed(), 30s);
    EXPECT_LE(host->examination().requests(), 40U) << report();
}

TEST_F(DoctorExamination, ADeadServerIsFound) {
    build();
    cluster->node(1).silence();
    examine();
    EXPECT_EQ(verdict, Verdict::bad);
    EXPECT_TRUE(found(Verdict::bad, Step::servers, "203.0.113.12:5060 is silent")) << report();
    EXPECT_EQ(bound(), 0U);
}

TEST_F(DoctorExamination, AServerWhoseProgramIsGoneIsFound) {
    build();
    cluster->node(2).refuse();
    examine();
    EXPECT_TRUE(found(Verdict::bad, Step::servers, "203.0.113.13:5060: port unreachable"))
        << report();
}

TEST_F(DoctorExamination, AServerThatIsBeingTakenDownIsFound) {
    build();
    cluster->node(0).answer_with(503);
    examine();
    EXPECT_TRUE(
        found(Verdict::doubtful, Step::servers, "203.0.113.11:5060 answers OPTIONS with 503"))
        << report();
}

TEST_F(DoctorExamination, AServerThatHidesFromOptionsIsFound) {
    build();
    for (std::size_t i = 0; i < 3; ++i) cluster->node(i).filter_options();
    examine();
    EXPECT_TRUE(found(Verdict::doubtful, Step::servers, "answers REGISTER, but not OPTIONS"))
        << report();
    EXPECT_EQ(bound(), 0U);
}

TEST_F(DoctorExamination, ASlowServerIsFound) {
    build();
    cluster->node(0).slow_down(450ms);
    examine();
    EXPECT_TRUE(
        found(Verdict::doubtful, Step::servers, "203.0.113.11:5060 answers OPTIONS with 200"))
        << report();
}

// Nothing is tried a second time with a password that was refused.
TEST_F(DoctorExamination, AWrongPasswordIsFoundAndTriedOnce) {
    build();
    options.account.password = Redacted<std::string>("wrong");
    examine();
    EXPECT_TRUE(found(Verdict::bad, Step::registration, "refuses the password")) << report();
    EXPECT_EQ(count_sent("REGISTER"), 2U);
    EXPECT_NE(outlook.find("cannot be registered"), std::string::npos) << outlook;
}

TEST_F(DoctorExamination, AServerThatSaysForbiddenToAWrongPasswordIsUnderstood) {
    cluster_options.server.digest.wrong_is_forbidden = true;
    build();
    options.account.password = Redacted<std::string>("wrong");
    examine();
    EXPECT_TRUE(found(Verdict::bad, Step::registration, "refuses the password: 403")) << report();
}

TEST_F(DoctorExamination, NoPasswordAtAllIsFound) {
    build();
    options.account.password = {};
    examine();
    EXPECT_TRUE(found(Verdict::bad, Step::registration, "asks for a password")) << report();
}

TEST_F(DoctorExamination, ARefusalIsToldInTheServersWords) {
    build();
    for (std::size_t i = 0; i < 3; ++i) cluster->node(i).answer_with(404);
    examine();
    EXPECT_TRUE(found(Verdict::bad, Step::registration, "is refused: 404")) << report();
}

TEST_F(DoctorExamination, AnSrvRecordThatDanglesIsFound) {
    build();
    world.dns().srv("_sip._udp.example.test",
                    {{10, 10, 5060, "sip1.example.test"}, {20, 10, 5060, "gone.example.test"}});
    examine();
    EXPECT_TRUE(found(Verdict::doubtful, Step::dns, "gone.example.test, which has no")) << report();
}

TEST_F(DoctorExamination, AnSrvRecordThatNamesAnAliasIsFound) {
    build();
    world.dns().cname("alias.example.test", "sip1.example.test");
    world.dns().srv("_sip._udp.example.test", {{10, 10, 5060, "alias.example.test"}});
    examine();
    EXPECT_TRUE(found(Verdict::doubtful, Step::dns, "alias.example.test, which is an alias"))
        << report();
}

TEST_F(DoctorExamination, ANameThatDoesNotExistIsFound) {
    build();
    options.account.aor = "sip:alice@exmaple.test";
    examine();
    EXPECT_TRUE(found(Verdict::bad, Step::dns, "exmaple.test does not exist")) << report();
    EXPECT_TRUE(host->sent.empty());
}

TEST_F(DoctorExamination, DnsThatFailsIsFound) {
    build();
    world.dns().fail({.status = dns::Status::servfail});
    examine();
    EXPECT_TRUE(found(Verdict::bad, Step::dns, "DNS gave no answer")) << report();
}

TEST_F(DoctorExamination, OneNameThatFailsIsFound) {
    build();
    world.dns().fail("sip2.example.test", {.status = dns::Status::refused});
    examine();
    EXPECT_TRUE(found(Verdict::doubtful, Step::dns, "A sip2.example.test: ")) << report();
}

TEST_F(DoctorExamination, AddressesThatRotateAreFound) {
    build();
    without_srv({.rotate = true});
    options.account.transport = Transport::udp;
    examine();
    EXPECT_TRUE(found(Verdict::doubtful, Step::dns, "the order of the addresses changes"))
        << report();
    EXPECT_TRUE(found(Verdict::doubtful, Step::dns, "has no SRV records, and 3 addresses"))
        << report();
    EXPECT_NE(outlook.find("with luck DNS names another server first"), std::string::npos)
        << outlook;
}

TEST_F(DoctorExamination, AnswersWithOtherAddressesEachTimeAreFound) {
    build();
    without_srv({.rotate = true, .at_most = 1});
    options.account.transport = Transport::udp;
    examine();
    EXPECT_TRUE(found(Verdict::doubtful, Step::dns, "name different addresses")) << report();
}

TEST_F(DoctorExamination, AddressesThatMayBeKeptForDaysAreFound) {
    build();
    without_srv({.ttl = 48h});
    options.account.transport = Transport::udp;
    examine();
    EXPECT_TRUE(found(Verdict::doubtful, Step::dns, "may be kept for 172800 s")) << report();
}

// The worst pair: what is registered at one is not known at the others.
TEST_F(DoctorExamination, RotatingAddressesWithSeparateLocationServicesAreFound) {
    cluster_options.location = lab::Location::separate;
    build();
    without_srv({.rotate = true});
    options.account.transport = Transport::udp;
    examine();
    EXPECT_TRUE(found(Verdict::bad, Step::registration, "do not share their location service"))
        << report();
    const auto& pings = host->examination().seen().account.proofs;
    ASSERT_EQ(pings.size(), 3U);
    EXPECT_EQ(std::ranges::count(pings, true, &PingSeen::came_back), 1) << report();
    EXPECT_NE(outlook.find("not through every server"), std::string::npos) << outlook;
    EXPECT_EQ(bound(), 0U);
}

TEST_F(DoctorExamination, ALocationServiceThatCopiesWithADelayIsNoSeparateOne) {
    cluster_options.location = lab::Location::replicated;
    cluster_options.replication_delay = 1500ms;
    build();
    examine();
    EXPECT_TRUE(
        found(Verdict::good, Step::registration, "share one location service, with a delay"))
        << report();
    EXPECT_EQ(verdict, Verdict::good) << report();
}

TEST_F(DoctorExamination, ACertificateOfAnotherNameIsFound) {
    build();
    options.account.transport = Transport::tls;
    world.dns().srv("_sips._tcp.example.test",
                    {{10, 10, 5061, "sip1.example.test"}, {10, 10, 5061, "sip2.example.test"}});
    cluster->node(1).set_certificate({.names = {"other.example"}});
    examine();
    EXPECT_TRUE(found(Verdict::bad, Step::servers, "the certificate is for other.example"))
        << report();
    EXPECT_TRUE(found(Verdict::good, Step::servers, "tls:203.0.113.11:5061: TLSv1.3")) << report();
    EXPECT_EQ(bound(), 0U);
}

TEST_F(DoctorExamination, ACertificateThatHasExpiredIsFound) {
    build();
    options.account.transport = Transport::tls;
    world.dns().srv("_sips._tcp.example.test", {{10, 10, 5061, "sip1.example.test"}});
    cluster->node(0).set_certificate({.names = {"example.test"}, .expired = true});
    examine();
    EXPECT_TRUE(found(Verdict::bad, Step::servers, "expired on")) << report();
}

TEST_F(DoctorExamination, ACertificateThatExpiresSoonIsFound) {
    build();
    options.account.transport = Transport::tls;
    world.dns().srv("_sips._tcp.example.test", {{10, 10, 5061, "sip1.example.test"}});
    begin().certificate_days = 5;
    examine();
    EXPECT_TRUE(found(Verdict::doubtful, Step::servers, "5 days from now")) << report();
}

// Nobody promised TLS: that it is not there is no fault.
TEST_F(DoctorExamination, ATransportThatNobodyPromisedIsNotMissed) {
    build();
    without_srv();
    for (std::size_t i = 0; i < 3; ++i) cluster->node(i).tcp().stop_listening();
    examine();
    EXPECT_FALSE(std::ranges::any_of(findings, [](const Finding& finding) {
        return finding.step == Step::servers && finding.verdict == Verdict::bad;
    })) << report();
}

TEST_F(DoctorExamination, IPv6ThatLeadsNowhereIsFound) {
    build();
    const auto nowhere = *IpAddress::parse("2001:db8::99");
    world.dns().aaaa("sip1.example.test", {nowhere});
    begin();
    host->start();
    // The host's only address is IPv4: AAAA is not even asked for.
    ASSERT_EQ(world.run_until([&] { return host->done(); }, 200s), lab::Stop::goal);
    EXPECT_TRUE(std::ranges::none_of(host->examination().seen().servers, [&](const auto& server) {
        return server.candidate.target.endpoint.address == nowhere;
    }));
}

TEST_F(DoctorExamination, AnEndpointDependentNatIsFound) {
    build();
    nat = &world.add_nat({.mapping = lab::Dependence::address_and_port_dependent});
    examine();
    EXPECT_TRUE(found(Verdict::doubtful, Step::nat, "endpoint-dependent")) << report();
    EXPECT_EQ(bound(), 0U);
}

TEST_F(DoctorExamination, AnEndpointIndependentNatIsGood) {
    build();
    nat = &world.add_nat({});
    examine();
    EXPECT_TRUE(found(Verdict::good, Step::nat, "endpoint-independent")) << report();
    EXPECT_EQ(verdict, Verdict::good) << report();
}

std::string with_another_via(std::string bytes) {
    const auto at = bytes.find("192.0.2.77:5070;");
    return at == std::string::npos ? bytes : bytes.replace(at, 15, "10.0.0.1:23456");
}

TEST_F(DoctorExamination, AnAlgThatRewritesTheViaIsFound) {
    build();
    begin().mangle = with_another_via;
    examine();
    EXPECT_TRUE(found(Verdict::bad, Step::nat, "the answer has 10.0.0.1:23456")) << report();
}

TEST_F(DoctorExamination, AnAlgThatRewritesTheContactIsFound) {
    build();
    begin().mangle = [](std::string bytes) {
        const auto at = bytes.find("Contact: <sip:alice@192.0.2.77:5070");
        return at == std::string::npos ? bytes : bytes.replace(at + 20, 15, "10.0.0.1:23456");
    };
    examine();
    EXPECT_TRUE(found(Verdict::bad, Step::nat, "the registrar lists sip:alice@10.0.0.1:23456"))
        << report();
    EXPECT_EQ(bound(), 0U) << report() << world.ladder();
}

// B1: over TCP the proof comes back on the connection that the binding was made over.
TEST_F(DoctorExamination, OverTcpTheProofComesOnTheConnection) {
    build();
    options.account.transport = Transport::tcp;
    world.dns().srv("_sip._tcp.example.test",
                    {{10, 10, 5060, "sip1.example.test"}, {10, 10, 5060, "sip2.example.test"}});
    nat = &world.add_nat({});
    examine();
    EXPECT_EQ(verdict, Verdict::good) << report();
    const auto& proofs = host->examination().seen().account.proofs;
    EXPECT_EQ(std::ranges::count(proofs, true, &PingSeen::came_back), 2) << report();
    EXPECT_EQ(bound(), 0U);
}

// Asterisk's rewrite_contact: what the registrar sees is what it lists, and that is right.
TEST_F(DoctorExamination, ARegistrarThatPutsInWhatItSeesIsGood) {
    cluster_options.server.rules.rewrites_contact = true;
    build();
    nat = &world.add_nat({.mapping = lab::Dependence::address_and_port_dependent});
    examine();
    EXPECT_FALSE(found(Verdict::bad, Step::nat, "")) << report();
    EXPECT_EQ(bound(), 0U) << world.ladder();
}

// A server that fails is asked once; the next one decides.
TEST_F(DoctorExamination, AServerThatFailsIsNotAskedAgain) {
    build();
    for (std::size_t i = 0; i < 2; ++i) cluster->node(i).answer_with(500);
    examine();
    EXPECT_EQ(host->examination().seen().account.access, Access::accepted) << report();
    EXPECT_EQ(host->examination().seen().account.fetches.size(), 3U) << report();
    EXPECT_TRUE(found(Verdict::doubtful, Step::registration, "refuses the account: 500"))
        << report();
}

TEST_F(DoctorExamination, APathThatSwallowsLargeRequestsIsFound) {
    build();
    begin().largest = 1300;
    examine();
    EXPECT_TRUE(found(Verdict::bad, Step::path, "does not answer a UDP request of 1,400 bytes"))
        << report();
}

TEST_F(DoctorExamination, APathThatSwallowsFragmentsIsFound) {
    build();
    begin().largest = 1472;
    examine();
    EXPECT_TRUE(found(Verdict::doubtful, Step::path, "none of 3,000")) << report();
}

TEST_F(DoctorExamination, ADeviceThatIsNoLongerThereIsFound) {
    cluster_options.server.branch_timeout = 8s;
    build();
    bind("sip:alice@198.51.100.200:5060");
    examine();
    EXPECT_TRUE(found(Verdict::bad, Step::bindings, "nobody answers at the address that"))
        << report();
    EXPECT_TRUE(found(Verdict::bad, Step::reachability, "reaches nobody: 408")) << report();
}

// One binding, and nothing shows that there may be two: it must not be evicted.
TEST_F(DoctorExamination, WhereOneDeviceIsRegisteredNoOtherIsAdded) {
    cluster_options.server.rules.max_contacts = 1;
    cluster_options.server.rules.too_many = lab::TooMany::drop_the_soonest;
    cluster_options.server.branch_timeout = 1s;
    build();
    bind("sip:alice@198.51.100.200:5060");
    examine();
    EXPECT_TRUE(
        found(Verdict::unknown, Step::registration, "nothing shows that the registrar keeps"))
        << report();
    ASSERT_EQ(bound(), 1U);
    EXPECT_EQ(cluster->bindings("sip:alice@example.test").front().contact,
              "sip:alice@198.51.100.200:5060");
    EXPECT_FALSE(std::ranges::any_of(host->sent, [](const std::string& text) {
        return text.starts_with("REGISTER") && text.find("\r\nContact:") != std::string::npos;
    }));
}

TEST_F(DoctorExamination, ADeviceThatIsRegisteredTwiceIsFound) {
    cluster_options.server.branch_timeout = 1s;
    build();
    bind("sip:alice@198.51.100.200:5060", 3, "urn:uuid:00000000-0000-0000-0000-000000000001");
    bind("sip:alice@198.51.100.201:5060", 3, "urn:uuid:00000000-0000-0000-0000-000000000001");
    bind("sip:alice@198.51.100.202:5060", 3, "urn:uuid:00000000-0000-0000-0000-000000000002");
    examine();
    EXPECT_TRUE(found(Verdict::doubtful, Step::bindings, "one device is registered 2 times"))
        << report();
    EXPECT_EQ(bound(), 3U);
}

TEST_F(DoctorExamination, AServerWhoseClockIsWrongIsFound) {
    build();
    begin().header_of_answers = "Date: Sat, 13 Nov 2010 23:29:00 GMT";
    examine();
    EXPECT_TRUE(found(Verdict::bad, Step::clock, "s ahead of udp:203.0.113.11:5060's")) << report();
}

TEST_F(DoctorExamination, WhereTwoAreRegisteredAThirdComesAndGoes) {
    cluster_options.server.branch_timeout = 1s;
    build();
    bind("sip:alice@198.51.100.200:5060");
    bind("sip:alice@198.51.100.201:5060");
    examine();
    EXPECT_TRUE(found(Verdict::good, Step::registration, "was granted for 300 s")) << report();
    EXPECT_TRUE(found(Verdict::good, Step::reachability, "arrives at this host")) << report();
    EXPECT_EQ(bound(), 2U);
}

TEST_F(DoctorExamination, TheLeastAndTheGrantedTimeAreTold) {
    cluster_options.server.rules.min_expires = 400;
    build();
    examine();
    EXPECT_TRUE(found(Verdict::good, Step::registration, "granted for 400 s")) << report();
    EXPECT_TRUE(found(Verdict::good, Step::registration, "the least is 400 s")) << report();
    EXPECT_EQ(bound(), 0U);
}

TEST_F(DoctorExamination, TheMostIsTold) {
    cluster_options.server.rules.max_expires = 1800;
    build();
    examine();
    EXPECT_TRUE(found(Verdict::good, Step::registration, "the most is 1800 s")) << report();
    EXPECT_EQ(bound(), 0U);
}

TEST_F(DoctorExamination, OutboundAndGruuAreTold) {
    cluster_options.server.rules.outbound = true;
    cluster_options.server.rules.gruu = true;
    build();
    examine();
    EXPECT_TRUE(found(Verdict::good, Step::registration,
                      "uses outbound (RFC 5626) and GRUU (RFC 5627); not Path (RFC 3327)"))
        << report();
    EXPECT_EQ(bound(), 0U);
}

TEST_F(DoctorExamination, AFirstHopWithoutOutboundIsNoObstacle) {
    cluster_options.server.rules.outbound = true;
    cluster_options.server.rules.first_hop_lacks_outbound = true;
    build();
    examine();
    EXPECT_TRUE(found(Verdict::good, Step::registration, "was granted for 300 s")) << report();
    EXPECT_EQ(bound(), 0U);
}

TEST_F(DoctorExamination, ARegistrarThatListsNothingGetsNoBindingOfOurs) {
    cluster_options.server.rules.refuses_fetch = true;
    build();
    examine();
    EXPECT_TRUE(found(Verdict::unknown, Step::registration, "does not list its bindings"))
        << report();
    EXPECT_FALSE(found(Verdict::bad, Step::registration, "")) << report();
}

TEST_F(DoctorExamination, AServerThatAnswersForThePhoneProvesNothing) {
    cluster_options.server.options_to_aor = lab::OptionsToAor::answer;
    build();
    examine();
    EXPECT_TRUE(
        found(Verdict::unknown, Step::reachability, "answers OPTIONS to the account itself"))
        << report();
    EXPECT_EQ(verdict, Verdict::good) << report();
}

// Whenever it is interrupted, nothing of ours is left.
TEST_F(DoctorExamination, InterruptedAtAnyMomentNothingStays) {
    for (auto after = 100ms; after < 12s; after += 230ms) {
        lab::World fresh{seed_from_number(12), {.one_way_delay = 40ms}};
        auto& nodes = fresh.add_registrars({"203.0.113.11", "203.0.113.12"}, cluster_options);
        nodes.add_user("alice", "secret");
        fresh.dns().a("example.test", nodes.addresses());
        options.account.transport = Transport::udp;
        testing::Host there(fresh, fresh.internet(), options);
        there.start();
        fresh.run_for(after);
        there.interrupt();
        ASSERT_EQ(fresh.run_until([&] { return there.done(); }, 20s), lab::Stop::goal)
            << fresh.ladder();
        fresh.run_for(5s);
        EXPECT_EQ(nodes.bindings("sip:alice@example.test").size(), 0U) << after.count() << "\n"
                                                                       << fresh.ladder();
    }
}

// What this host's phone has registered is known by its state, and what an earlier run has left.
TEST_F(DoctorExamination, ThisHostsBindingsAreKnownByItsState) {
    cluster_options.server.branch_timeout = 1s;
    build();
    Random random(seed_from_number(3));
    auto identity = registration::BindingIdentity::fresh(1, random);
    identity.contact = "sip:alice@192.0.2.77:40000;hf=" + identity.token;
    identity.contact_target = Target::parse("udp:203.0.113.11:5060");
    const auto old = "sip:alice@192.0.2.77:30000;hf=" + identity.token;
    options.state["account/sip:alice@example.test/binding-1"] = identity.encode();
    bind(identity.contact);
    bind(old);
    bind("sip:alice@198.51.100.200:5060");
    examine();
    EXPECT_TRUE(found(Verdict::good, Step::bindings, "this host: sip:alice@192.0.2.77:40000;hf=…"))
        << report();
    EXPECT_TRUE(found(Verdict::doubtful, Step::bindings,
                      "left behind by this host: sip:alice@192.0.2.77:30000;hf=…"))
        << report();
    EXPECT_TRUE(found(Verdict::good, Step::bindings, "another device: sip:alice@198.51.100.200"))
        << report();
    EXPECT_EQ(report().find(identity.token), std::string::npos);
    EXPECT_EQ(bound(), 3U);
}

// It says that it is registered, and the registrar knows nothing of it: no trial either.
TEST_F(DoctorExamination, APhoneThatBelievesItIsRegisteredIsFound) {
    build();
    options.phone = PhoneSeen{.registered = true, .reachable = false, .state = "registered"};
    examine();
    EXPECT_TRUE(found(Verdict::bad, Step::bindings, "although the phone that runs here says it is"))
        << report();
    EXPECT_EQ(host->examination().seen().account.trial.what, TrialSeen::What::not_tried);
}

// A server that dies under our binding: what stays is said, and for how many tries.
TEST_F(DoctorExamination, ABindingThatCannotBeRemovedIsSaid) {
    build();
    begin();
    host->start();
    ASSERT_EQ(world.run_until([&] { return bound() > 0; }, 60s), lab::Stop::goal);
    cluster->silence();
    ASSERT_EQ(world.run_until([&] { return host->done(); }, 200s), lab::Stop::goal);
    findings = judge(host->examination().seen(), testing::unixtime_at_start);
    EXPECT_TRUE(host->examination().has_binding());
    EXPECT_TRUE(found(Verdict::bad, Step::registration, "could not be removed")) << report();
}

// Never hammers: 100 ms between any two requests, 250 ms between two to one address.
TEST_F(DoctorExamination, RequestsKeepTheirDistance) {
    build();
    begin();
    host->start();
    std::size_t before = 0;
    while (!host->done()) {
        world.run_for(100ms);
        EXPECT_LE(host->sent.size() - before, 2U);
        before = host->sent.size();
        ASSERT_LT(world.elapsed(), 100s);
    }
}

// limits::servers and limits::addresses, at the limit and past it.
TEST_F(DoctorExamination, OfManyServersSomeAreLookedAt) {
    for (const std::size_t count : {limits::servers, limits::servers + 1}) {
        lab::World many{seed_from_number(13), {.one_way_delay = 5ms}};
        std::vector<std::string> addresses;
        for (std::size_t i = 0; i < count; ++i)
            addresses.push_back("203.0.113." + std::to_string(11 + i));
        auto& nodes = many.add_registrars(addresses, {});
        nodes.add_user("alice", "secret");
        many.dns().a("example.test", nodes.addresses());
        options.account.transport = Transport::udp;
        testing::Host there(many, many.internet(), options);
        there.start();
        ASSERT_EQ(many.run_until([&] { return there.done(); }, 200s), lab::Stop::goal);
        const auto& seen = there.examination().seen();
        EXPECT_EQ(seen.servers.size(), limits::servers);
        EXPECT_EQ(seen.servers_left_out, count - limits::servers);
        EXPECT_EQ(seen.account.fetches.size(), limits::addresses);
        EXPECT_LE(there.examination().requests(), limits::requests);
        EXPECT_EQ(nodes.bindings("sip:alice@example.test").size(), 0U);
    }
}

// limits::challenge_rounds: a nonce that is always too old.
TEST_F(DoctorExamination, AServerThatGoesOnAskingIsLeft) {
    cluster_options.server.digest.nonce_lifetime = 0s;
    build();
    examine();
    EXPECT_TRUE(found(Verdict::bad, Step::registration, "it goes on asking")) << report();
    EXPECT_EQ(count_sent("REGISTER"), 1U + limits::challenge_rounds);
}

// limits::whole.
TEST_F(DoctorExamination, WhatTakesTooLongIsCutShort) {
    build();
    world.dns().fail({.status = dns::Status::ok, .delay = 300s});
    examine(limits::whole + 1s);
    EXPECT_TRUE(host->examination().ran_out_of_time());
    EXPECT_GE(world.elapsed(), limits::whole);
}

// limits::strangers: what is meant for the trial binding may come from another node, but not from
// ever more; what is not meant for it is not answered at all.
TEST_F(DoctorExamination, StrangersAreAnsweredOnlyIfTheyMeanUs) {
    build();
    begin();
    host->start();
    ASSERT_EQ(world.run_until([&] { return bound() > 0; }, 60s), lab::Stop::goal);
    const auto contact = cluster->bindings("sip:alice@example.test").front().contact;
    const auto ask = [&](const std::string& uri, std::size_t number) {
        const auto from = "198.51.100." + std::to_string(number);
        world.internet().send({.from = {*IpAddress::parse(from), 5060},
                               .to = *Endpoint::parse("192.0.2.77:5070"),
                               .bytes = "OPTIONS " + uri + " SIP/2.0\r\nVia: SIP/2.0/UDP " + from +
                                        ";branch=z9hG4bK" + std::to_string(number) +
                                        "\r\nFrom: <sip:x@example.test>;tag=1\r\nTo: <" + uri +
                                        ">\r\nCall-ID: " + from +
                                        "\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 9\r\n"
                                        "Content-Length: 0\r\n\r\n"});
    };
    ask("sip:alice@192.0.2.77:5070", 1);
    world.run_for(50ms);
    EXPECT_EQ(count_sent("SIP/2.0"), 0U);
    for (std::size_t i = 0; i <= limits::strangers; ++i) ask(contact, 10 + i);
    world.run_for(50ms);
    EXPECT_EQ(count_sent("SIP/2.0 200"), limits::strangers);
}

TEST_F(DoctorExamination, TheSameSeedGivesTheSameReport) {
    build();
    examine();
    const auto first = report();
    const auto text = host->sent;
    lab::World again{seed_from_number(11), {.one_way_delay = 5ms}};
    auto& nodes = again.add_registrars({"203.0.113.11", "203.0.113.12", "203.0.113.13"}, {});
    nodes.add_user("alice", "secret");
    std::vector<dns::Srv> records;
    for (std::size_t i = 0; i < 3; ++i) {
        const auto name = "sip" + std::to_string(i + 1) + ".example.test";
        again.dns().a(name, nodes.node(i).addresses());
        records.push_back({10, 10, 5060, name});
    }
    again.dns().srv("_sip._udp.example.test", records);
    testing::Host there(again, again.internet(), options);
    there.start();
    ASSERT_EQ(again.run_until([&] { return there.done(); }, 200s), lab::Stop::goal);
    EXPECT_EQ(there.sent, text);
}

}  // namespace
}  // namespace holdfast::doctor
