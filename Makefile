# The everyday commands; CMakeLists.txt is the build itself. `make help` lists them.

BUILD := build
SANITIZED := $(BUILD)/sanitized
JOBS := $(shell nproc)
# Two of the longest tests wait most of their time.
TEST_JOBS := $(shell expr $(JOBS) + 2)
PREFIX := /usr/local
FUZZ_SECONDS := 60
# What we own: the sources that `make lint` and `make format` look at.
SOURCES = $(shell git ls-files 'stack/*.h' 'stack/*.cpp' 'drivers/*.h' 'drivers/*.cpp' \
            'apps/*.h' 'apps/*.cpp' 'tests/*.h' 'tests/*.cpp')

.NOTPARALLEL:
.PHONY: all demo test bench fuzz captures lint format install clean help packages-% release sanitized

all: release  ## build build/tapestry

demo: packages-build release  ## fetch a page from Linux over our own TCP and show every segment
	$(BUILD)/tapestry get --show ladder http://192.168.3.1/

test: packages-build packages-test release sanitized  ## every test, with sanitizers where that is possible
	ctest --test-dir $(SANITIZED) --output-on-failure --no-tests=error -j $(TEST_JOBS) \
	    --output-junit results.xml
	python3 tests/conformance/ledger.py --results $(SANITIZED)/results.xml --page docs/conformance.md

bench: packages-build packages-bench release  ## the micro-benchmarks
	cmake -S . -B $(BUILD)/bench -G Ninja -DCMAKE_BUILD_TYPE=Release >/dev/null
	cmake --build $(BUILD)/bench --target tapestry_bench segment_cost forward_cost
	$(BUILD)/bench/tests/tapestry_bench
	tests/bench/instructions/segment_cost.sh $(BUILD)/bench/tests/segment_cost \
	    $(BUILD)/bench/tests/forward_cost

fuzz: packages-build packages-fuzz  ## each fuzzer for a minute (FUZZ_SECONDS=N), with clang
	cmake -S . -B $(BUILD)/fuzz -G Ninja -DCMAKE_CXX_COMPILER=clang++-19 -DTAPESTRY_FUZZ=ON \
	    -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON >/dev/null
	cmake --build $(BUILD)/fuzz --target fuzzers
	for fuzzer in $(BUILD)/fuzz/fuzzers/*; do \
	    name=$$(basename $$fuzzer); mkdir -p $(BUILD)/fuzz/corpus/$$name; \
	    $$fuzzer -max_total_time=$(FUZZ_SECONDS) -max_len=16384 -timeout=10 -rss_limit_mb=1024 \
	        -print_final_stats=1 -verbosity=0 -artifact_prefix=$(BUILD)/fuzz/$$name- \
	        $(BUILD)/fuzz/corpus/$$name captures || exit 1; \
	done

captures: packages-captures  ## record captures/ anew, between real TCPs (root or sudo)
	captures/make_captures

lint: packages-build packages-test packages-lint  ## layout and clang-tidy, over what we own
	clang-format --dry-run -Werror $(SOURCES)
	cmake -S . -B $(BUILD)/lint -G Ninja -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON >/dev/null
	run-clang-tidy-19 -quiet -p $(BUILD)/lint -j $(JOBS) \
	    -extra-arg=-Wno-unknown-warning-option '$(CURDIR)/(stack|drivers|apps|tests)/'

format: packages-lint  ## lay the sources out
	clang-format -i $(SOURCES)

install: release  ## copy the program to PREFIX/bin
	cmake --install $(BUILD) --prefix $(PREFIX)

clean:  ## remove everything that was built
	rm -rf $(BUILD)

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*  ## \(.*\)/make \1|\2/p' Makefile | column -t -s '|'

release:
	@command -v cmake >/dev/null && command -v ninja >/dev/null || \
	    { echo "cmake or ninja is missing; ./packages.sh build installs what the build needs" >&2; exit 1; }
	@cmake -S . -B $(BUILD) -G Ninja -DTAPESTRY_TESTS=OFF >/dev/null
	cmake --build $(BUILD) --target tapestry packetdrill

sanitized:
	cmake -S . -B $(SANITIZED) -G Ninja -DTAPESTRY_SANITIZE=ON \
	    -DTAPESTRY_PROGRAM=$(CURDIR)/$(BUILD)/tapestry >/dev/null
	cmake --build $(SANITIZED) --target tests

packages-%:
	@./packages.sh $*
