# switchyard_add_plugin(name SOURCES … MANIFEST manifest.json [LINK libraries …])
#
# Builds <name>.so with every flag a plugin needs, and makes <switchyard_manifest.h> for its sources:
#   SY_MANIFEST_JSON                    the manifest, for SY_MANIFEST_NOTE and sy_plugin.manifest
#   SY_MANIFEST_ID, SY_MANIFEST_VERSION out of it, for sy_plugin.id and sy_plugin.version
#   SY_PROTOCOL_<NAME>                  what serve() gets for the protocol of that name; "a.b" gives SY_PROTOCOL_A_B
#
# switchyard_add_check(name [CONFIG json] [WITH files…])
#
# Adds the test <name>.check: `switchyard-plugin check --quick` of that plugin with this configuration, and with
# other plugins whose interfaces it requires.

cmake_policy(PUSH)
cmake_policy(VERSION 3.25)

include(${CMAKE_CURRENT_LIST_DIR}/SwitchyardManifest.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/SwitchyardDescriptorSet.cmake)
set(_SWITCHYARD_VERSION_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/plugin.version CACHE INTERNAL "")

function(switchyard_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "MANIFEST" "SOURCES;LINK")
  if(NOT arg_SOURCES OR NOT arg_MANIFEST OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR
      "switchyard_add_plugin(${name}): the form is (name SOURCES files MANIFEST manifest.json [LINK libraries])")
  endif()

  add_library(${name} MODULE ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE switchyard::sdk ${arg_LINK})
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX ".so" OUTPUT_NAME ${name} POSITION_INDEPENDENT_CODE ON
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LINK_DEPENDS ${_SWITCHYARD_VERSION_SCRIPT})

  # Unique symbols would keep the object in memory after its unload, and share its state with the next version.
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)
  target_link_options(${name} PRIVATE
    -Wl,--version-script=${_SWITCHYARD_VERSION_SCRIPT} -Wl,--no-undefined-version
    -Wl,-z,relro,-z,now -Wl,--build-id)
  # What a sanitizer needs is in the executable.
  if(NOT "${CMAKE_C_FLAGS} ${CMAKE_CXX_FLAGS}" MATCHES "-fsanitize=")
    target_link_options(${name} PRIVATE -Wl,-z,defs)
  endif()

  # The host takes no file that others than its owner can write; under umask 002 the linker makes one.
  add_custom_command(TARGET ${name} POST_BUILD COMMAND chmod go-w $<TARGET_FILE:${name}> VERBATIM)

  cmake_path(ABSOLUTE_PATH arg_MANIFEST BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${arg_MANIFEST})
  set(made ${CMAKE_CURRENT_BINARY_DIR}/${name}_manifest)
  switchyard_manifest_header(${arg_MANIFEST} ${made}/switchyard_manifest.h)
  target_include_directories(${name} PRIVATE ${made})
endfunction()

function(switchyard_add_check name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "CONFIG" "WITH")
  if(NOT TARGET ${name} OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "switchyard_add_check(${name}): the form is (plugin [CONFIG json] [WITH files])")
  endif()
  if(TARGET switchyard-plugin)
    set(program $<TARGET_FILE:switchyard-plugin>)
  else()
    find_program(SWITCHYARD_PLUGIN switchyard-plugin HINTS ${_SWITCHYARD_PREFIX}/bin)
    if(NOT SWITCHYARD_PLUGIN)
      message(FATAL_ERROR "switchyard_add_check(${name}): switchyard-plugin is missing (package switchyard-dev)")
    endif()
    set(program ${SWITCHYARD_PLUGIN})
  endif()
  set(options --quick)
  if(arg_CONFIG)
    list(APPEND options --config ${arg_CONFIG})
  endif()
  foreach(other IN LISTS arg_WITH)
    list(APPEND options --with ${other})
  endforeach()
  add_test(NAME ${name}.check COMMAND ${program} check ${options} $<TARGET_FILE:${name}>)
  set_tests_properties(${name}.check PROPERTIES TIMEOUT 600)
endfunction()

cmake_policy(POP)
