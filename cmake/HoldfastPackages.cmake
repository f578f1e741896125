# Third-party libraries, as targets. All come from Debian packages (tools/bootstrap, docs/dependencies.md).
# Their headers are included from .cpp files only, where they are heavy (tools/check-includes).

find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(prometheus-cpp REQUIRED CONFIG)
find_package(GTest REQUIRED)
find_package(rapidcheck REQUIRED)
find_package(benchmark REQUIRED)

# asio: headers only, without a CMake file. clang does not find coroutines by itself.
find_path(HOLDFAST_ASIO_INCLUDE asio.hpp REQUIRED)
add_library(holdfast_asio INTERFACE)
target_include_directories(holdfast_asio SYSTEM INTERFACE "${HOLDFAST_ASIO_INCLUDE}")
target_compile_definitions(holdfast_asio INTERFACE
  ASIO_STANDALONE ASIO_NO_DEPRECATED ASIO_HAS_CO_AWAIT ASIO_HAS_STD_COROUTINE)
target_link_libraries(holdfast_asio INTERFACE Threads::Threads)

find_path(HOLDFAST_CARES_INCLUDE ares.h REQUIRED)
find_library(HOLDFAST_CARES_LIBRARY cares REQUIRED)
add_library(holdfast_cares INTERFACE)
target_include_directories(holdfast_cares SYSTEM INTERFACE "${HOLDFAST_CARES_INCLUDE}")
target_link_libraries(holdfast_cares INTERFACE "${HOLDFAST_CARES_LIBRARY}" resolv)

find_path(HOLDFAST_LDNS_INCLUDE ldns/ldns.h REQUIRED)
# Only the demo and the tests use it: from the archive nothing of it is in a phone's memory.
find_library(HOLDFAST_LDNS_ARCHIVE NAMES libldns.a ldns REQUIRED)
add_library(holdfast_ldns INTERFACE)
target_include_directories(holdfast_ldns SYSTEM INTERFACE "${HOLDFAST_LDNS_INCLUDE}")
target_link_libraries(holdfast_ldns INTERFACE "${HOLDFAST_LDNS_ARCHIVE}" OpenSSL::SSL OpenSSL::Crypto)

find_path(HOLDFAST_MICROHTTPD_INCLUDE microhttpd.h REQUIRED)
find_library(HOLDFAST_MICROHTTPD_LIBRARY microhttpd REQUIRED)
add_library(holdfast_microhttpd INTERFACE)
target_include_directories(holdfast_microhttpd SYSTEM INTERFACE "${HOLDFAST_MICROHTTPD_INCLUDE}")
target_link_libraries(holdfast_microhttpd INTERFACE "${HOLDFAST_MICROHTTPD_LIBRARY}")

# GStreamer: the core and its libraries for RTP, addresses of packets, and sound that a program feeds or takes.
find_package(PkgConfig REQUIRED)
pkg_check_modules(HOLDFAST_GST REQUIRED IMPORTED_TARGET
  gstreamer-1.0>=1.22 gstreamer-app-1.0 gstreamer-rtp-1.0 gstreamer-net-1.0 gio-2.0)
add_library(holdfast_gstreamer INTERFACE)
target_link_libraries(holdfast_gstreamer INTERFACE PkgConfig::HOLDFAST_GST)
