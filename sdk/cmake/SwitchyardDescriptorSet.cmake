# switchyard_descriptor_set(target service.proto [NAME service] [IMPORTS directories…])
#
# Makes <service.descriptors.h> for the sources of a target: service_descriptors, the bytes of a serialized
# FileDescriptorSet with that file and all it imports, for sy_grpc_service.descriptor_set. NAME is used in place of the
# file's name. Needs protoc.

cmake_policy(PUSH)
cmake_policy(VERSION 3.25)

if(CMAKE_SCRIPT_MODE_FILE)
  # As the build runs it: -D set=FILE -D header=FILE -D symbol=NAME -P this file
  file(READ ${set} bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(REPEAT "0x..," 16 line)
  string(REGEX REPLACE "(${line})" "\\1\n" bytes "${bytes}")
  get_filename_component(from ${set} NAME)
  file(WRITE ${header} "/* Made from ${from} */\n#pragma once\n\nstatic const unsigned char ${symbol}[] = {\n${bytes}};\n")
  cmake_policy(POP)
  return()
endif()

set(_SWITCHYARD_DESCRIPTOR_SET ${CMAKE_CURRENT_LIST_FILE} CACHE INTERNAL "")

function(switchyard_descriptor_set target proto)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "NAME" "IMPORTS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR
      "switchyard_descriptor_set(${target}): the form is (target service.proto [NAME name] [IMPORTS directories])")
  endif()
  find_program(SWITCHYARD_PROTOC protoc)
  if(NOT SWITCHYARD_PROTOC)
    message(FATAL_ERROR "switchyard_descriptor_set(${target}): protoc is missing (Debian: protobuf-compiler)")
  endif()

  cmake_path(ABSOLUTE_PATH proto BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE)
  cmake_path(GET proto STEM name)
  if(arg_NAME)
    set(name ${arg_NAME})
  endif()
  cmake_path(GET proto PARENT_PATH directory)
  string(MAKE_C_IDENTIFIER ${name}_descriptors symbol)
  set(made ${CMAKE_CURRENT_BINARY_DIR}/${target}_descriptors)
  file(MAKE_DIRECTORY ${made})
  set(imports -I${directory})
  if(arg_IMPORTS)
    list(TRANSFORM arg_IMPORTS PREPEND -I OUTPUT_VARIABLE imports)
  endif()

  add_custom_command(
    OUTPUT ${made}/${name}.pb ${made}/${name}.descriptors.h
    COMMAND ${SWITCHYARD_PROTOC} ${imports} --include_imports --descriptor_set_out=${made}/${name}.pb
      --dependency_out=${made}/${name}.d ${proto}
    COMMAND ${CMAKE_COMMAND} -D set=${made}/${name}.pb -D header=${made}/${name}.descriptors.h -D symbol=${symbol}
      -P ${_SWITCHYARD_DESCRIPTOR_SET}
    DEPENDS ${proto} ${_SWITCHYARD_DESCRIPTOR_SET}
    DEPFILE ${made}/${name}.d
    COMMENT "Embedding the descriptors of ${name}.proto"
    VERBATIM)
  target_sources(${target} PRIVATE ${made}/${name}.descriptors.h)
  target_include_directories(${target} PRIVATE ${made})
endfunction()

cmake_policy(POP)
