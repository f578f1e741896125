// OpenSSL's own socket BIO writes without MSG_NOSIGNAL: a peer that has gone would end the program
// by SIGPIPE, and a library must not change the program's signals.
#pragma once

struct bio_st;

namespace holdfast::runtime {

// For a non-blocking socket that somebody else owns and closes after the BIO is gone.
bio_st* new_socket_bio(int socket);

}  // namespace holdfast::runtime
