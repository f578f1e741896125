// A certificate authority of one run: a new key each time, its certificate in a file that a phone
// can be told to trust, and certificates for the servers.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

struct ssl_ctx_st;

namespace holdfast::live {

// What a server shows: certificate and key, ready for use.
class ServerCertificate {
public:
    struct Impl;
    explicit ServerCertificate(std::unique_ptr<Impl> impl);
    ServerCertificate(ServerCertificate&&) noexcept;
    ServerCertificate& operator=(ServerCertificate&&) noexcept;
    ServerCertificate(const ServerCertificate&) = delete;
    ServerCertificate& operator=(const ServerCertificate&) = delete;
    ~ServerCertificate();
    [[nodiscard]] ssl_ctx_st* context() const;

private:
    std::unique_ptr<Impl> impl_;
};

class Authority {
public:
    Authority();
    Authority(const Authority&) = delete;
    Authority& operator=(const Authority&) = delete;
    ~Authority();

    // For these DNS names, from a minute ago until a day from now.
    [[nodiscard]] ServerCertificate issue(const std::vector<std::string>& names) const;
    [[nodiscard]] std::string certificate_pem() const;
    bool write_to(const std::filesystem::path& file) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::live
