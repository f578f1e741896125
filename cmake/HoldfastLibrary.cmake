# The library as others use it: one static archive, the public headers, a CMake package and a pkg-config file.
# Static, because the API is C++ values: a shared library would promise an ABI that 0.x does not keep.

# The public headers with includes that name the project ("base/ids.h" becomes "holdfast/base/ids.h"): a program that
# uses them has its own base/. The build tree's examples read the same copies as an installed program.
set(HOLDFAST_PUBLIC_INCLUDE "${CMAKE_BINARY_DIR}/public/include")

function(_holdfast_public_headers)
  set(list_file "${CMAKE_SOURCE_DIR}/packaging/public-headers")
  file(STRINGS "${list_file}" headers REGEX "^[^#]")
  set(sources "${list_file}")
  foreach(header IN LISTS headers)
    set(source "${CMAKE_SOURCE_DIR}/src/${header}")
    list(APPEND sources "${source}")
    file(STRINGS "${source}" includes REGEX "^#include \"")
    foreach(line IN LISTS includes)
      string(REGEX REPLACE "^#include \"([^\"]+)\".*" "\\1" included "${line}")
      if(NOT included IN_LIST headers)
        message(FATAL_ERROR "src/${header} is public and includes ${included}, which is not: packaging/public-headers")
      endif()
    endforeach()
    file(READ "${source}" text)
    string(REGEX REPLACE "(#include \")" "\\1holdfast/" text "${text}")
    set(copy "${HOLDFAST_PUBLIC_INCLUDE}/holdfast/${header}")
    set(before "")
    if(EXISTS "${copy}")
      file(READ "${copy}" before)
    endif()
    if(NOT text STREQUAL before)
      file(WRITE "${copy}" "${text}")
    endif()
  endforeach()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${sources})
endfunction()
_holdfast_public_headers()

# What the engine and its runtime are made of. The lab is not in it.
set(objects "")
foreach(folder base sip sdp transaction location flow registration dialog call engine runtime)
  if(TARGET holdfast_${folder})
    get_target_property(type holdfast_${folder} TYPE)
    if(type STREQUAL "STATIC_LIBRARY")
      list(APPEND objects "$<TARGET_OBJECTS:holdfast_${folder}>")
    endif()
  endif()
endforeach()
add_library(holdfast_all STATIC ${objects})
add_library(Holdfast::holdfast ALIAS holdfast_all)
set_target_properties(holdfast_all PROPERTIES
  LINKER_LANGUAGE CXX EXPORT_NAME holdfast OUTPUT_NAME holdfast
  ARCHIVE_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/public")
target_compile_features(holdfast_all INTERFACE cxx_std_23)
target_include_directories(holdfast_all INTERFACE
  "$<BUILD_INTERFACE:${HOLDFAST_PUBLIC_INCLUDE}>" "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
# By name: c-ares has no CMake package of its own in Debian 12. asio and JSON are headers, compiled in.
target_link_libraries(holdfast_all PRIVATE
  OpenSSL::SSL OpenSSL::Crypto SQLite::SQLite3 Threads::Threads cares resolv)

include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/Holdfast")
set(generated "${CMAKE_BINARY_DIR}/public")
configure_package_config_file(
  "${CMAKE_SOURCE_DIR}/packaging/cmake/HoldfastConfig.cmake.in" "${generated}/HoldfastConfig.cmake"
  INSTALL_DESTINATION "${package_dir}" NO_SET_AND_CHECK_MACRO)
# 0.x: another minor version may differ in everything (docs/embedding.md).
write_basic_package_version_file("${generated}/HoldfastConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX
  BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/pkgconfig" OUTPUT_VARIABLE HOLDFAST_PC_PREFIX)
configure_file("${CMAKE_SOURCE_DIR}/packaging/cmake/holdfast.pc.in" "${generated}/holdfast.pc" @ONLY)

install(TARGETS holdfast_all EXPORT HoldfastTargets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT development)
install(EXPORT HoldfastTargets NAMESPACE Holdfast:: DESTINATION "${package_dir}" COMPONENT development)
install(FILES "${generated}/HoldfastConfig.cmake" "${generated}/HoldfastConfigVersion.cmake"
  DESTINATION "${package_dir}" COMPONENT development)
install(FILES "${generated}/holdfast.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT development)
install(DIRECTORY "${HOLDFAST_PUBLIC_INCLUDE}/holdfast" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT development)
