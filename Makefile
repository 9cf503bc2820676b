# libioevent: GNU make.  What takes more than a few lines is a script in ci/ that also runs by hand.
#
#   make                  libioevent.so, libioevent.a and libioevent_posix.so, in target/dist
#   make run              build everything and serve examples-c/site on a local port (PORT=8080)
#   make check            all tests; the last line says how many passed.  IOEVENT_QUICK=1: without memcheck, sanitizers,
#                         loom and C tests with plain names; IOEVENT_JOBS=N: N parts side by side, and N programs within
#                         each (one more than there are processors); IOEVENT_NO_INSTALL=1: installs no Debian packages
#   make install          PREFIX=/usr/local DESTDIR= LIBDIR= INCLUDEDIR= MANDIR= PKGCONFIGDIR= CMAKEDIR=
#   make uninstall        removes what make install put down (same variables)
#   make deb              Debian packages, in target/deb, of debian/; needs debhelper
#   make dist             the source tarball, which builds without a registry: target/dist-tarball/libioevent-VERSION.tar.gz
#   make header           write include/ioevent.h anew from src/
#   make abi              write abi/ anew: what the last release promises to programs that are built already
#   make examples         the programs of examples-c/, in target/examples
#   make lint             clippy, rustdoc, rustfmt, mandoc, shellcheck and checks of this repository's own
#   make torture          random operations of all kinds, everything checked: SECONDS=600 SEED=from the clock THREADS=4
#   make check-san        Rust tests and torture under the address and thread sanitizers (nightly), C tests under address
#                         and undefined, and those with several threads under thread; examples likewise
#   make check-valgrind   C tests, and Rust tests of what is dropped and leaked, under memcheck
#   make check-inject     ten C tests with every allocation failing in turn; a server with every system call refused in turn
#   make check-loom       tests/loom/: every interleaving of the lock-free parts
#   make check-kernels    C tests under Debian's kernels KERNELS="5.10 6.1" on an emulated machine, in half an hour; fetches the
#                         kernels and installs qemu-system-x86, so it is no part of make check; TESTS="read_write splice": these
#   make check-platforms  C tests as under Docker's seccomp profile, with the system calls of Linux 5.4, without /proc, with 64
#                         descriptors, without threads of the library's own, with a read-only root, in half an hour; a few
#                         of them are part of make check; ROWS="docker no-proc": these rows; TESTS="accept": these
#   make check-musl       the library built for musl, and C tests linked with it statically, in ten minutes: as root, since it
#                         fetches a Debian with Rust and musl-gcc into target/debian (2 GB); TESTS="read_write": these
#   make check-aarch64    the same for aarch64, on an emulated machine with KERNELS="arm64 arm64-16k", twenty minutes for each
#   make check-posix      programs that know nothing of the library do the same with libioevent_posix.so preloaded as without, in a
#                         quarter of an hour; installs the Debian packages of those it runs; the quick ones are part of make
#                         check; PROGRAMS="git_repository ssh_server": these
#   make check-deb        the packages of make deb, on a machine without Rust that debootstrap makes: as root, in some minutes
#   make bench            libioevent beside its peers: target/bench/report.html and report.md, in about an hour; QUICK=1:
#                         in some minutes, to see that all works, with figures that are not to be quoted; ROUNDS=9;
#                         ONLY=ratio,latency,flood,calls,instructions,memory,chain,post,timers,files,functions (some of
#                         them): into the results of the run before
#   make clean
#
# CARGO and RUSTC, if they are given, are the toolchain; if not, ci/toolchain.sh finds one that is new enough.

PREFIX       = /usr/local
LIBDIR       = $(PREFIX)/lib
INCLUDEDIR   = $(PREFIX)/include
MANDIR       = $(PREFIX)/share/man
PKGCONFIGDIR = $(LIBDIR)/pkgconfig
CMAKEDIR     = $(LIBDIR)/cmake/ioevent
DESTDIR      =
PORT         = 8080
INSTALL      = install

VERSION  := $(shell sed -n 's/^version *= *"\(.*\)"/\1/p' Cargo.toml | head -n 1)
# The number in the SONAME, of both libraries (posix/build.rs): another one only when programs have to be built anew.
ABI      := 0
BUILD    := $(or $(CARGO_TARGET_DIR),target)
DIST     := $(BUILD)/dist
STAGE    := $(abspath $(BUILD))/stage
SOURCES  := $(wildcard Cargo.toml Cargo.lock build.rs) $(shell find src -name '*.rs' 2>/dev/null)
POSIX    := $(shell find posix -name '*.rs' -o -name Cargo.toml)

# What the library is built for: cargo's target, and the files that may name one.  If what lies there was built for something
# else it is built again; but who only installs, maybe as another user, takes it as it is.
CONFIGS   := $(shell d=$$PWD; while [ "$$d" ]; do echo "$$d/.cargo"; d=$${d%/*}; done; echo "$${CARGO_HOME:-$$HOME/.cargo}")
CONFIGS   := $(sort $(wildcard $(CONFIGS:=/config) $(CONFIGS:=/config.toml)))
BUILD_FOR := $(strip $(CARGO_BUILD_TARGET) $(CONFIGS))
ifneq ($(MAKECMDGOALS)$(CARGO_BUILD_TARGET),install)
CHANGED   := $(CONFIGS)
ifneq ($(BUILD_FOR),$(shell cat $(DIST)/built-for 2>/dev/null))
AGAIN     := again
endif
endif

# In a staged or fresh tree there may be no pkg-config: ci/pkg-config.sh then reads our own .pc file.
PKG_CONFIG := $(or $(shell command -v pkg-config || command -v pkgconf),$(CURDIR)/ci/pkg-config.sh)

all: $(DIST)/libioevent.so $(DIST)/libioevent_posix.so $(DIST)/libioevent.a

# One crate type at a time: with several in one build, cargo silently leaves link-time optimisation out.  The results
# are copied to where they stay whatever else cargo builds.
$(DIST)/libioevent.a: $(SOURCES) Makefile $(CHANGED) $(AGAIN)
	@ci/toolchain.sh where >/dev/null
	rm -rf $(DIST)
	mkdir -p $(DIST)
	built=$$(ci/cargo-built.sh libioevent.a ci/toolchain.sh cargo rustc --release --lib --crate-type staticlib) && cp "$$built" $@
	echo "$(BUILD_FOR)" > $(DIST)/built-for

$(DIST)/libioevent.so: $(DIST)/libioevent.a ci/link.sh abi/libioevent.map
	ci/link.sh $< $@ libioevent.so.$(ABI)

# It is linked to the one above.
$(DIST)/libioevent_posix.so: $(POSIX) $(DIST)/libioevent.so
	built=$$(IOEVENT_LIB_DIR="$(abspath $(DIST))" ci/cargo-built.sh libioevent_posix.so \
	    ci/toolchain.sh cargo rustc --release -p ioevent-posix --lib --crate-type cdylib) && cp "$$built" $@

again:

help:
	@sed -n '/^#/!q;s/^# \{0,1\}//p' Makefile

dist:
	@ci/dist.sh

header:
	UPDATE_HEADER=1 ci/toolchain.sh cargo test -p ioevent-header

abi: stage
	@ci/abi.sh --write "$(STAGE)/lib"

# The libraries that programs load, each with the links that lead to it, and a .pc file; and what CMake reads.
SHARED   := libioevent libioevent_posix
PCS      := libioevent libioevent-posix
CMAKES   := ioevent-config ioevent-config-version

install: all
	$(INSTALL) -d "$(DESTDIR)$(LIBDIR)" "$(DESTDIR)$(INCLUDEDIR)" "$(DESTDIR)$(PKGCONFIGDIR)" \
	    "$(DESTDIR)$(CMAKEDIR)"
	for name in $(SHARED); do \
	    $(INSTALL) -m 755 $(DIST)/$$name.so "$(DESTDIR)$(LIBDIR)/$$name.so.$(VERSION)" && \
	    ln -sf $$name.so.$(VERSION) "$(DESTDIR)$(LIBDIR)/$$name.so.$(ABI)" && \
	    ln -sf $$name.so.$(ABI) "$(DESTDIR)$(LIBDIR)/$$name.so" || exit; \
	done
	$(INSTALL) -m 644 $(DIST)/libioevent.a "$(DESTDIR)$(LIBDIR)/libioevent.a"
	$(INSTALL) -m 644 include/ioevent.h include/ioevent_posix.h "$(DESTDIR)$(INCLUDEDIR)"
	for name in $(PCS); do \
	    sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' \
	        -e 's|@LIBDIR@|$(LIBDIR:$(PREFIX)/%=$${prefix}/%)|' \
	        -e 's|@INCLUDEDIR@|$(INCLUDEDIR:$(PREFIX)/%=$${prefix}/%)|' \
	        pkgconfig/$$name.pc.in > "$(DESTDIR)$(PKGCONFIGDIR)/$$name.pc" && \
	    chmod 644 "$(DESTDIR)$(PKGCONFIGDIR)/$$name.pc" || exit; \
	done
	for name in $(CMAKES); do \
	    sed -e 's|@VERSION@|$(VERSION)|' -e 's|@MAJOR@|$(firstword $(subst ., ,$(VERSION)))|' -e 's|@ABI@|$(ABI)|' \
	        -e "s|@TO_LIBDIR@|$$(realpath -m --relative-to='$(CMAKEDIR)' '$(LIBDIR)')|" \
	        -e "s|@TO_INCLUDEDIR@|$$(realpath -m --relative-to='$(LIBDIR)' '$(INCLUDEDIR)')|" \
	        cmake/$$name.cmake.in > "$(DESTDIR)$(CMAKEDIR)/$$name.cmake" && \
	    chmod 644 "$(DESTDIR)$(CMAKEDIR)/$$name.cmake" || exit; \
	done
	ci/man.sh install "$(DESTDIR)$(MANDIR)"
	$(LDCONFIG)

uninstall:
	for name in $(SHARED); do \
	    rm -f "$(DESTDIR)$(LIBDIR)/$$name.so.$(VERSION)" "$(DESTDIR)$(LIBDIR)/$$name.so.$(ABI)" \
	        "$(DESTDIR)$(LIBDIR)/$$name.so" || exit; \
	done
	for name in $(PCS); do rm -f "$(DESTDIR)$(PKGCONFIGDIR)/$$name.pc" || exit; done
	for name in $(CMAKES); do rm -f "$(DESTDIR)$(CMAKEDIR)/$$name.cmake" || exit; done
	rmdir "$(DESTDIR)$(CMAKEDIR)" 2>/dev/null || true
	rm -f "$(DESTDIR)$(LIBDIR)/libioevent.a" "$(DESTDIR)$(INCLUDEDIR)/ioevent.h" \
	    "$(DESTDIR)$(INCLUDEDIR)/ioevent_posix.h"
	ci/man.sh uninstall "$(DESTDIR)$(MANDIR)"
	$(LDCONFIG)

# The loader's cache, if the library went straight into a directory that the loader knows and we may write it.
LDCONFIG = @if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ] && \
	PATH=$$PATH:/sbin:/usr/sbin ldconfig -NXv 2>/dev/null | grep -q '^$(LIBDIR)[: ]'; \
	then PATH=$$PATH:/sbin:/usr/sbin ldconfig; fi

# A private install that tests and examples are built against, as any other program would be.
stage: all
	@rm -rf "$(STAGE)"
	@$(MAKE) --no-print-directory -s install DESTDIR= PREFIX="$(STAGE)" LIBDIR="$(STAGE)/lib" \
	    INCLUDEDIR="$(STAGE)/include" MANDIR="$(STAGE)/share/man" PKGCONFIGDIR="$(STAGE)/lib/pkgconfig" \
	    CMAKEDIR="$(STAGE)/lib/cmake/ioevent"

examples: stage
	PKG_CONFIG_PATH="$(STAGE)/lib/pkgconfig" $(MAKE) --no-print-directory -C examples-c PKG_CONFIG="$(PKG_CONFIG)" \
	    O="$(abspath $(BUILD))/examples"

run: examples
	@IOEVENT_BUILD="$(abspath $(BUILD))" exec ci/run.sh "$(PORT)"

deb:
	@ci/deb.sh

check:
	@ci/check.sh

lint:
	@ci/lint.sh

torture: stage
	@ci/torture.sh $(or $(SECONDS),600) $(or $(SEED),$$(date +%s)) $(or $(THREADS),4)

check-san: stage
	@status=0; ci/rust-san.sh || status=1; ci/torture-san.sh || status=1; ci/c-tests.sh san || status=1; \
	ci/c-tests.sh tsan || status=1; ci/examples-san.sh || status=1; exit $$status

check-valgrind: stage
	@status=0; ci/c-tests.sh valgrind || status=1; ci/rust-memcheck.sh || status=1; exit $$status

check-inject: stage
	@status=0; ci/deny.sh || status=1; ci/failmalloc.sh --all || status=1; exit $$status

check-loom:
	@ci/loom.sh

check-kernels: stage
	@TESTS="$(TESTS)" ci/kernels.sh $(KERNELS)

check-platforms: stage
	@ci/platforms.sh $(or $(TESTS),all)

check-musl:
	@ci/musl.sh $(TESTS)

check-aarch64:
	@TESTS="$(TESTS)" ci/aarch64.sh $(KERNELS)

check-posix: examples
	@ci/posix-programs.sh $(PROGRAMS)

check-deb:
	@ci/deb-test.sh

bench: stage
	@QUICK="$(QUICK)" ROUNDS="$(ROUNDS)" ONLY="$(ONLY)" ci/bench.sh

clean:
	ci/toolchain.sh cargo clean

.PHONY: all again help header abi install uninstall stage dist deb examples run check lint torture check-san \
    check-valgrind check-inject check-loom check-kernels check-platforms check-musl check-aarch64 check-posix check-deb \
    bench clean
