# Thin wrappers for who has just arrived; everything real is in CMakePresets.json, tests/run and packaging/.
.PHONY: help build run test bench soak package
.DEFAULT_GOAL := help

help:
	@echo 'make run     build and serve plugins.toml on 127.0.0.1:8300'
	@echo 'make test    build every preset and run all tests (about 20 minutes; tests/run --help for less)'
	@echo 'make build   build/release/bin/switchyard and build/release/lib/switchyard/*.so'
	@echo 'make package Debian packages of the server and of the SDK, in build/release/package'
	@echo 'make bench   compare with Consul 1.8.7, HAProxy, gRPC and hashicorp/raft (tests/bench/README.md)'
	@echo 'make soak    all tests at full size (about two hours)'
	@echo
	@echo 'Each installs the Debian packages that are missing first (packaging/dependencies.txt).'

build:
	@packaging/install-dependencies build
	cmake --preset release -DBUILD_TESTING=OFF
	cmake --build --preset release

run: build
	exec build/release/bin/switchyard serve --config plugins.toml

test:
	@packaging/install-dependencies build test
	@tests/run

bench:
	@packaging/install-dependencies build test bench
	@$(MAKE) --no-print-directory build
	tests/bench/run

package:
	@packaging/install-dependencies build package
	@$(MAKE) --no-print-directory build
	cpack --config build/release/CPackConfig.cmake

soak:
	@packaging/install-dependencies build test package soak
	@tests/run --soak
