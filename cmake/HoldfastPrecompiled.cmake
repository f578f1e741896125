# The standard library's headers that nearly every source includes, read once for all targets: for who builds everything from
# nothing, as CI does (HOLDFAST_PCH in the environment of tools/configure). ccache wants CCACHE_SLOPPINESS=pch_defines,time_macros
# for it. A source that misses an #include is found by clang-tidy, which reads each alone and without this.
option(HOLDFAST_PCH "Read the standard library's headers once (precompiled)" OFF)

# As -Wrestrict in HoldfastFlags.cmake: wrong on "…" + std::string when optimised, and seen only where the header was read before.
# Who builds without has them.
if(HOLDFAST_PCH AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
endif()

set(HOLDFAST_STD_HEADERS <algorithm> <array> <charconv> <chrono> <cstddef> <cstdint> <deque> <expected> <functional> <map> <memory>
  <optional> <random> <ranges> <set> <span> <string> <string_view> <tuple> <utility> <variant> <vector>)

# holdfast_precompiled(TARGET [tests])   tests: gmock's headers too. After its target_link_libraries. Not for what uses
# GStreamer, whose flags are others (-pthread).
function(holdfast_precompiled target)
  get_target_property(links ${target} LINK_LIBRARIES)
  if(NOT HOLDFAST_PCH OR links MATCHES "gst")
    return()
  endif()
  set(own holdfast_precompiled)
  set(headers ${HOLDFAST_STD_HEADERS})
  if("tests" IN_LIST ARGN)
    set(own holdfast_precompiled_tests)
    list(APPEND headers <gmock/gmock.h> <gtest/gtest.h>)
  endif()
  if(NOT TARGET ${own})
    file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/${own}.cpp" CONTENT "")
    add_library(${own} STATIC "${CMAKE_BINARY_DIR}/${own}.cpp")
    target_precompile_headers(${own} PRIVATE ${headers})
    if("tests" IN_LIST ARGN)
      target_link_libraries(${own} PRIVATE GTest::gmock)  # its definitions
    endif()
  endif()
  target_precompile_headers(${target} REUSE_FROM ${own})
endfunction()
