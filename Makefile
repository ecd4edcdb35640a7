# SPDX-License-Identifier: GPL-2.0-or-later
# dnsfence. "make help" lists the targets; V=1 shows the commands, SAN=1 builds with ASan and UBSan,
# WITHOUT="ncurses libmicrohttpd libsystemd" as where these libraries are not there.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

VERSION := 0.1.0

PREFIX     ?= /usr/local
SBINDIR    ?= $(PREFIX)/sbin
MANDIR     ?= $(PREFIX)/share/man
DATADIR    ?= $(PREFIX)/share/dnsfence
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR  ?= $(PREFIX)/share/zsh/site-functions
FISHCOMPDIR ?= $(PREFIX)/share/fish/vendor_completions.d
UNITDIR    ?= /usr/lib/systemd/system
CATALOGDIR ?= /usr/lib/systemd/catalog
SYSCONFDIR ?= /etc
DESTDIR    ?=

CC         ?= cc
CLANG      ?= clang
LLVM_STRIP ?= llvm-strip
# Ubuntu's command wants one of the running kernel's version; any will do.
BPFTOOL    ?= $(firstword $(wildcard /usr/lib/linux-tools-*/bpftool /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)
PKG_CONFIG ?= pkg-config
SCDOC      ?= scdoc

build := build$(if $(SAN),/san)$(if $(WITHOUT),/without)

Q := $(if $(V),,@)
quiet = $(if $(V),,@printf '  %-8s %s\n' '$(1)' '$(2)';)

LIBS := libbpf yaml-0.1 jansson libnl-3.0 libnl-route-3.0 libmnl zlib
# have LIBRARY [MODULE]: is it there, and not to be left out?
have = $(if $(filter $(1),$(WITHOUT)),,$(shell $(PKG_CONFIG) --exists $(or $(2),$(1)) && echo yes))
HAVE_SYSTEMD := $(call have,libsystemd)
LIBS += $(if $(HAVE_SYSTEMD),libsystemd)
HAVE_NCURSES := $(call have,ncurses,ncursesw)
LIBS += $(if $(HAVE_NCURSES),ncursesw)
# Its header only: the library is loaded when metrics.listen asks for it.
HAVE_MICROHTTPD := $(call have,libmicrohttpd)

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wno-missing-field-initializers
CFLAGS   ?= -O2 -g
HARDEN   := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

own_cflags  = -std=gnu11 -pthread $(WARNINGS) -D_GNU_SOURCE -DDNSFENCE_VERSION='"$(VERSION)"' -I. -Iuserspace \
	-I$(build) $(shell $(PKG_CONFIG) --cflags $(LIBS)) $(if $(SAN),$(SANITIZE),$(HARDEN)) -MMD -MP
own_ldflags = -pthread $(if $(SAN),$(SANITIZE),-pie -Wl,-z,relro,-z,now)
own_libs    = $(shell $(PKG_CONFIG) --libs $(LIBS))

multiarch   := $(shell $(CC) -print-multiarch 2>/dev/null)
bpf_cflags   = -O2 -g -target bpf -mcpu=v3 -Wall -Wextra -Werror=implicit-function-declaration -I. -MMD -MP \
	$(if $(multiarch),-idirafter /usr/include/$(multiarch))

# The controller. main.c and cmd_*.c are the program; the rest is what tests link, too.
commands := $(wildcard userspace/cmd_*.c)
modules  := $(filter-out userspace/main.c $(commands) userspace/notify%.c userspace/metrics_server%.c userspace/top_view%.c, \
	$(wildcard userspace/*.c)) \
	$(if $(HAVE_SYSTEMD),userspace/notify.c,userspace/notify_none.c) \
	$(if $(HAVE_MICROHTTPD),userspace/metrics_server.c,userspace/metrics_server_none.c) \
	$(if $(HAVE_NCURSES),userspace/top_view.c,userspace/top_view_none.c)
objects_of = $(patsubst %.c,$(build)/%.o,$(1))

skeletons := $(build)/dnsfence.skel.h $(build)/follow.skel.h

# make would take objects for intermediate files and remove them.
.SECONDARY:

.PHONY: all
all: $(build)/dnsfence $(build)/dnsfence.schema.json man completions ## build everything

# What leakprobe and "dnsfence leaktest" try.
techniques := $(filter-out tools/leakprobe/main.c tools/leakprobe/hold.c,$(wildcard tools/leakprobe/*.c))

$(build)/dnsfence: $(call objects_of,userspace/main.c $(commands) $(techniques)) $(build)/libdnsfence.a
	$(call quiet,LINK,$@)$(CC) $(own_ldflags) $(LDFLAGS) -o $@ $^ $(own_libs)

$(build)/libdnsfence.a: $(call objects_of,$(modules))
	$(call quiet,AR,$@)rm -f $@ && $(AR) rcs $@ $^

$(build)/%.o: %.c | $(skeletons)
	$(Q)mkdir -p $(@D)
	$(call quiet,CC,$@)$(CC) $(own_cflags) $(CFLAGS) -c -o $@ $<

# BPF: clang -> object -> skeleton. The debug sections go, the BTF stays.
$(build)/%.bpf.o: bpf/%.bpf.c
	$(Q)mkdir -p $(@D)
	$(call quiet,CLANG,$@)$(CLANG) $(bpf_cflags) -c -o $@ $< && $(LLVM_STRIP) -g $@

$(build)/%.skel.h: $(build)/%.bpf.o
	$(call quiet,SKEL,$@)$(BPFTOOL) gen skeleton $< name $(subst -,_,$*)_bpf > $@

# Text from the configuration's one table: the JSON Schema, and a part of the manual.
$(build)/schema-dump: $(call objects_of,tools/schema-dump.c userspace/schema.c userspace/suggest.c userspace/json.c userspace/printable.c)
	$(call quiet,LINK,$@)$(CC) $(own_ldflags) $(LDFLAGS) -o $@ $^

$(build)/dnsfence.schema.json: $(build)/schema-dump
	$(call quiet,GEN,$@)$< json > $@

# What shells complete the commands by, from the command table.
shells := bash zsh fish

.PHONY: completions
completions: $(addprefix $(build)/completion/,$(shells))

$(build)/completion/%: $(build)/dnsfence
	$(Q)mkdir -p $(@D)
	$(call quiet,GEN,$@)$< completion $* > $@

manuals := dnsfence.8 dnsfence.yaml.5 dnsfence-events.7

.PHONY: man
man: $(addprefix $(build)/,$(manuals))

$(build)/dnsfence.yaml.5: docs/dnsfence.yaml.5.scd $(build)/schema-dump
	$(Q)$(build)/schema-dump man > $(build)/keys.scd
	$(call quiet,MAN,$@)sed -e '/^@KEYS@$$/{r $(build)/keys.scd' -e 'd}' $< | $(SCDOC) > $@

$(build)/%: docs/%.scd
	$(Q)mkdir -p $(@D)
	$(call quiet,MAN,$@)$(SCDOC) < $< > $@

# Tests. Unit tests need no root; kernel tests make namespaces and cgroups of their own.
unit_sources := $(wildcard tests/unit/test_*.c)
unit_tests   := $(patsubst tests/unit/%.c,$(build)/tests/unit/%,$(unit_sources))
unit_common  := $(call objects_of,tests/unit/reference.c tests/unit/judge.c tests/unit/opinion.c)

$(build)/tests/unit/test_%: $(build)/tests/unit/test_%.o $(unit_common) $(build)/libdnsfence.a
	$(call quiet,LINK,$@)$(CC) $(own_ldflags) $(LDFLAGS) -o $@ $^ $(own_libs) -lcmocka

$(build)/leakprobe: $(call objects_of,$(wildcard tools/leakprobe/*.c))
	$(call quiet,LINK,$@)$(CC) $(own_ldflags) $(LDFLAGS) -o $@ $^

# The loaded packet program, the same code compiled for the host, and a plain reading, compared.
$(build)/differential: $(call objects_of,$(wildcard tests/differential/*.c)) $(unit_common) $(build)/libdnsfence.a
	$(call quiet,LINK,$@)$(CC) $(own_ldflags) $(LDFLAGS) -o $@ $^ $(own_libs)

# How much of the verifier's million each program uses.
$(build)/insns: $(build)/tools/insns.o $(build)/libdnsfence.a
	$(call quiet,LINK,$@)$(CC) $(own_ldflags) $(LDFLAGS) -o $@ $^ $(own_libs)

# The same, of programs that other compilers have made: what a verifier takes from one it may
# refuse from another.
usual_clang := clang-$(firstword $(subst ., ,$(shell $(CLANG) -dumpversion 2>/dev/null)))
compilers := $(filter-out $(usual_clang),$(notdir $(wildcard /usr/bin/clang-[1-9][0-9])))
compiler_insns := $(patsubst %,$(build)/compilers/%/insns,$(compilers))
skeleton_users := tools/insns.c userspace/loader.c userspace/follow.c

$(build)/compilers/%/insns: $(wildcard bpf/*.[ch]) $(skeleton_users) $(build)/libdnsfence.a
	$(Q)mkdir -p $(@D)
	$(Q)for object in dnsfence follow; do \
		$* $(filter-out -MMD -MP,$(bpf_cflags)) -Werror -c -o $(@D)/$$object.bpf.o bpf/$$object.bpf.c && \
		$(BPFTOOL) gen skeleton $(@D)/$$object.bpf.o name $${object}_bpf >$(@D)/$$object.skel.h || exit 1; \
	done
	$(call quiet,LINK,$@)$(CC) -I$(@D) $(filter-out -MMD -MP,$(own_cflags)) $(CFLAGS) $(own_ldflags) $(LDFLAGS) \
		-o $@ $(filter %.c %.a,$(filter-out bpf/%,$^)) $(own_libs)

# Later versions, for the upgrade test: the sources, edited by a script, in a tree of their own.
upgrades := $(patsubst tests/upgrade/%.sed,$(build)/upgrade/%/dnsfence,$(wildcard tests/upgrade/*.sed))

$(build)/upgrade/%/dnsfence: tests/upgrade/%.sed Makefile $(wildcard bpf/*.[ch] userspace/*.[ch])
	$(Q)rm -rf $(@D) && mkdir -p $(@D) && cp -r --parents Makefile bpf userspace tools/leakprobe $(@D)
	$(Q)sed -i -f $< $(@D)/bpf/*.h
	$(Q)! diff -rq bpf $(@D)/bpf >/dev/null || { echo '$<: changes nothing' >&2; exit 1; }
	$(call quiet,UPGRADE,$@)$(MAKE) --no-print-directory -C $(@D) $(build)/dnsfence CFLAGS=-O1 \
		>$(@D)/log 2>&1 || { cat $(@D)/log; exit 1; }
	$(Q)mv $(@D)/$(build)/dnsfence $@

# A test that may not write to the fence: it borrows the layout of what it tries to write.
$(build)/tamper: $(build)/tools/tamper.o
	$(call quiet,LINK,$@)$(CC) $(own_ldflags) $(LDFLAGS) -o $@ $^ $(own_libs)

# Cgroups as they start: how soon their policy is there, and what they get until then.
$(build)/starts: $(call objects_of,tools/starts.c tools/crowd.c)
	$(call quiet,LINK,$@)$(CC) $(own_ldflags) $(LDFLAGS) -o $@ $^ $(own_libs)

# A thousand who ask at a rate, each from a cgroup of his own.
$(build)/askers: $(call objects_of,tools/askers.c tools/crowd.c)
	$(call quiet,LINK,$@)$(CC) $(own_ldflags) $(LDFLAGS) -o $@ $^ $(own_libs)

# What the kernel tests run, beside dnsfence itself.
kernel_tools := $(build)/leakprobe $(build)/tamper $(build)/differential $(build)/insns \
	$(compiler_insns) $(build)/starts $(build)/askers $(upgrades)

.PHONY: test check check-unit check-kernel check-vm check-san coverage fuzz insns
test: deps ## install what tests need, then run all of them (root)
	$(Q)$(MAKE) --no-print-directory check-all

# What the kernel test 96-without-libraries runs.
.PHONY: without
without: ## build build/without/dnsfence, which has no optional library
	$(Q)$(MAKE) --no-print-directory WITHOUT="ncurses libmicrohttpd libsystemd" build/without/dnsfence

.PHONY: check-all
check-all:
	$(Q)tests/all

check: check-unit ## unit tests, no root

check-unit: all $(unit_tests)
	$(Q)tests/unit/run $(build) $(unit_tests)

check-kernel: all $(kernel_tools) ## kernel tests (root): T='name ...' runs only these
	$(Q)tests/kernel/run $(T)

# Those that show what differs by kernel, and most paths of README's table that need no privilege:
# all of them take hours in emulation. T='' runs all.
VM_TESTS := 10- 11- 13- 17- 24- 26- 28- 29- 39- 47- 70-

check-vm: all $(kernel_tools) ## kernel tests on Debian's 5.10, 6.1, 6.12 in QEMU, at the root cgroup (root)
	$(Q)tests/vm/run $(if $(filter undefined,$(origin T)),-- $(VM_TESTS),$(if $(T),-- $(T))); status=$$?; tests/vm/table >build/kernels.md; exit $$status

coverage: ## renew docs/coverage.md and README's table from what check-kernel and check-vm have recorded
	$(Q)tests/vm/coverage >build/coverage.md && cp build/coverage.md docs/coverage.md
	$(Q)tests/vm/coverage readme >build/README.md && cp build/README.md README.md

insns: all $(build)/insns ## record anew what the programs cost the verifier, in tests/kernel/insns (root)
	$(Q)tests/kernel/run 47-insns >/dev/null 2>&1 || : # fails for what is recorded next
	$(Q)tests/vm/insns

check-san: ## unit tests under ASan and UBSan
	$(Q)$(MAKE) --no-print-directory SAN=1 check-unit

# Fuzzing: FUZZ_SECONDS for each target, from an empty corpus.
FUZZ_SECONDS ?= 20
fuzz_targets := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

# The code under test is instrumented, too, once for all targets.
fuzz_sanitize := -fsanitize=address,undefined -fno-sanitize-recover=undefined
fuzz_cflags    = -std=gnu11 -pthread -Werror=incompatible-pointer-types -Werror=implicit-function-declaration -D_GNU_SOURCE -g -O1 -I. -Iuserspace -Ibuild \
	$(shell $(PKG_CONFIG) --cflags $(LIBS)) -MMD -MP $(fuzz_sanitize)
fuzz_sources  := tests/unit/reference.c tests/unit/judge.c $(modules)

build/fuzz/code/%.o: %.c | $(skeletons)
	$(Q)mkdir -p $(@D)
	$(call quiet,CLANG,$@)$(CLANG) $(fuzz_cflags) -fsanitize=fuzzer-no-link -c -o $@ $<

build/fuzz/code.a: $(patsubst %.c,build/fuzz/code/%.o,$(fuzz_sources))
	$(call quiet,AR,$@)rm -f $@ && $(AR) rcs $@ $^

build/fuzz/%: tests/fuzz/%.c build/fuzz/code.a
	$(call quiet,FUZZ,$@)$(CLANG) $(fuzz_cflags) -fsanitize=fuzzer -o $@ $(filter %.c %.a,$^) $(own_libs)

fuzz: $(fuzz_targets) ## run every fuzz target for FUZZ_SECONDS, as many at once as there are processors
	$(Q)printf '%s\n' $(fuzz_targets) | xargs -P "$$(nproc)" -I{} sh -c ' \
		mkdir -p {}.corpus; printf "  FUZZ     %s\n" {}; \
		{} -max_total_time=$(FUZZ_SECONDS) -timeout=5 -rss_limit_mb=2048 -artifact_prefix={}. \
			{}.corpus >{}.log 2>&1 || { \
				printf "  FAIL     %s, of {}.log:\n" {}; \
				grep -m 1 -A 30 -E "ERROR: |runtime error: " {}.log; tail -n 3 {}.log; \
				exit 255; }'

.PHONY: bench
$(build)/empty.skel.h: $(build)/empty.bpf.o
	$(call quiet,SKEL,$@)$(BPFTOOL) gen skeleton $< name empty_bpf > $@

$(build)/empty.bpf.o: tools/bench/empty.bpf.c
	$(Q)mkdir -p $(@D)
	$(call quiet,CLANG,$@)$(CLANG) $(bpf_cflags) -c -o $@ $< && $(LLVM_STRIP) -g $@

bench_objects := $(call objects_of,$(filter-out %.bpf.c,$(wildcard tools/bench/*.c)))
$(bench_objects): $(build)/empty.skel.h

$(build)/bench: $(bench_objects)
	$(call quiet,LINK,$@)$(CC) $(own_ldflags) $(LDFLAGS) -o $@ $^ $(own_libs) -lm

bench: all $(build)/bench ## measure what the fence costs (root); a table and build/bench.json
	$(Q)tools/bench/run

# Style and static checks.
c_files  := $(shell git ls-files '*.c' '*.h' 2>/dev/null || find bpf userspace tools tests -name '*.[ch]')
sh_files := tests/all tests/unit/run tests/kernel/run tools/deps tools/quickstart tools/bench/run .ci/run \
	$(wildcard tests/kernel/*.sh tests/unit/*.sh tests/unit/*.bash) tests/vm/coverage tests/vm/guest tests/vm/insns tests/vm/run tests/vm/table

# cppcheck knows no cleanup attribute, so leaks are left to the sanitizers.
.PHONY: lint fmt
lint: all ## compiler warnings of the programs, formatting, shellcheck, cppcheck
	$(Q)for object in bpf/dnsfence.bpf.c bpf/follow.bpf.c; do $(CLANG) $(filter-out -MMD -MP,$(bpf_cflags)) -Werror -fsyntax-only $$object || exit 1; done
	$(Q)clang-format --dry-run -Werror $(c_files)
	$(Q)shellcheck -x -S warning $(sh_files)
	$(Q)tests/vm/coverage check
	$(Q)cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,portability \
		--suppress=missingIncludeSystem --suppress=resourceLeak \
		--suppress=memleak -D_GNU_SOURCE '-DLIBBPF_OPTS(T,N,...)=struct T N = {__VA_ARGS__}' -I. -Iuserspace userspace

fmt: ## format the C files
	$(Q)clang-format -i $(c_files)

.PHONY: deps quickstart install uninstall clean help
deps: ## install what building and testing need (root; Debian, Ubuntu)
	$(Q)tools/deps

quickstart: ## install what is missing, build, and run the fence in the foreground (root)
	$(Q)tools/deps build
	$(Q)$(MAKE) --no-print-directory build/dnsfence
	$(Q)tools/quickstart

# What goes where: mode, source, target. uninstall removes the same targets.
install_files := \
	0755:$(build)/dnsfence:$(SBINDIR)/dnsfence \
	0644:$(build)/dnsfence.8:$(MANDIR)/man8/dnsfence.8 \
	0644:$(build)/dnsfence.yaml.5:$(MANDIR)/man5/dnsfence.yaml.5 \
	0644:$(build)/dnsfence-events.7:$(MANDIR)/man7/dnsfence-events.7 \
	0644:$(build)/dnsfence.schema.json:$(DATADIR)/dnsfence.schema.json \
	0644:COPYING:$(DATADIR)/COPYING \
	0644:$(build)/completion/bash:$(BASHCOMPDIR)/dnsfence \
	0644:$(build)/completion/zsh:$(ZSHCOMPDIR)/_dnsfence \
	0644:$(build)/completion/fish:$(FISHCOMPDIR)/dnsfence.fish \
	0644:packaging/dnsfence.logrotate:$(SYSCONFDIR)/logrotate.d/dnsfence \
	0644:packaging/prometheus/dnsfence.rules.yml:$(DATADIR)/prometheus/dnsfence.rules.yml \
	0644:packaging/grafana/dnsfence.json:$(DATADIR)/grafana/dnsfence.json \
	0644:packaging/dnsfence.catalog:$(CATALOGDIR)/dnsfence.catalog \
	0644:$(build)/dnsfence.service:$(UNITDIR)/dnsfence.service

part = $(word $(1),$(subst :, ,$(2)))
install_one = $(call quiet,INSTALL,$(DESTDIR)$(call part,3,$(1)))install -D -m $(call part,1,$(1)) \
	$(call part,2,$(1)) $(DESTDIR)$(call part,3,$(1))
define newline


endef

# Always made anew: SBINDIR may differ from the last time.
.PHONY: $(build)/dnsfence.service
$(build)/dnsfence.service: packaging/dnsfence.service
	$(Q)sed 's|/usr/local/sbin|$(SBINDIR)|g' $< > $@

install: all $(build)/dnsfence.service ## install under DESTDIR and PREFIX
	$(foreach file,$(install_files),$(call install_one,$(file))$(newline)	)
	$(Q)install -d -m 0755 $(DESTDIR)$(SYSCONFDIR)/dnsfence

uninstall: ## remove what install put there; configuration and logs stay
	$(call quiet,REMOVE,$(DESTDIR)$(SBINDIR)/dnsfence and its files)rm -f \
		$(foreach file,$(install_files),$(DESTDIR)$(call part,3,$(file)))
	$(Q)for directory in $(DATADIR)/prometheus $(DATADIR)/grafana $(DATADIR) $(SYSCONFDIR)/dnsfence; do \
		[ ! -d $(DESTDIR)$$directory ] || \
			rmdir --ignore-fail-on-non-empty $(DESTDIR)$$directory; \
	done

clean: ## remove build/
	rm -rf build

help: ## show this
	@echo 'Targets:'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18
	@echo 'V=1 shows the commands, SAN=1 builds with ASan and UBSan under build/san.'

-include $(shell find $(build) -name '*.d' -not -path '*/upgrade/*' 2>/dev/null)
