#include "location/candidate_pool.h"

#include <gtest/gtest.h>

#include <string>

#include "location/testing.h"

namespace holdfast::location {
namespace {

Candidate server(const std::string& where, const std::string& reason) {
    return {target(where), 0, 0, 0, "a.test", reason};
}

// L2, L4: what two accounts were told of one target is one object only if all of it is equal.
TEST(CandidatePool, EqualOnesAreOneObject) {
    CandidatePool pool;
    const auto first = pool.share(server("udp:192.0.2.1:5060", "SRV"));
    EXPECT_EQ(pool.share(server("udp:192.0.2.1:5060", "SRV")), first);
    const auto other = pool.share(server("udp:192.0.2.1:5060", "address record"));
    EXPECT_NE(other, first);
    EXPECT_EQ(other->reason, "address record");
    EXPECT_NE(pool.share(server("udp:192.0.2.2:5060", "SRV")), first);
}

// I8: a DNS that names other servers for ever does not pile them up here.
TEST(CandidatePool, WhatNobodyHoldsIsForgotten) {
    CandidatePool pool;
    const auto kept = pool.share(server("udp:192.0.2.1:5060", "SRV"));
    for (int i = 0; i < 10000; ++i)
        (void)pool.share(server("udp:10.0.0.1:" + std::to_string(10000 + i), "SRV"));
    EXPECT_LE(pool.targets(), 64U);
    EXPECT_EQ(pool.share(server("udp:192.0.2.1:5060", "SRV")), kept);
}

}  // namespace
}  // namespace holdfast::location
