# SPDX-License-Identifier: GPL-2.0
# The front door. `make help` lists every target.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test fresh doctor setup tools kernel kernels guest stages modules headers trace shell run \
	book pdf grading grade class soak skeleton patients check loom-check measure profile conformance clean clean-cache

# From the command line only, by name or by letter: a variable of that name in the environment means something else.
T :=
L :=
S :=
M :=
D :=
C :=
K :=
TRACE := $(or $(T),receive)
LAB := $(or $(L),01)
SUBMISSION := $(S)
MUTANT := $(M)
DRIVER := $(D)
DEBIAN := $(or $(D),13)
COMMAND := $(C)
KERNEL := $(or $(K),trace)
WHAT := frames
ROW := receive-32
LAYER :=
MATCH := .
AGAIN :=
GUIDED :=
ARGS :=

setup := code/setup
# As our scripts see it: absolute, and there even without HOME.
override FWTS_CACHE := $(shell FWTS_CACHE='$(FWTS_CACHE)' && . $(setup)/lib.sh && printf %s "$$fwts_cache")
export FWTS_CACHE
unexport CDPATH
ifneq ($(filter-out help doctor clean clean-cache,$(MAKECMDGOALS)),)
moved := $(shell $(setup)/same-place)
endif
ninja := ninja -C build/cmake

help: ## list every target
	@awk -F ':.*## ' '/^[a-z][a-z0-9%-]*:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  variables, by name or letter:  TRACE (T) one of those above  DRIVER (D) igb, or a stage, as 06  GUIDED=1  LAB (L) 01"
	@echo "    SUBMISSION (S) directory  MUTANT (M) name  KERNEL (K) trace|strict  DEBIAN (D) 12|13  COMMAND (C) \"...\""
	@echo "    LAYER=unit|static|stages|guest|traces|grader|book  MATCH=regex"

demo: ## do everything once: install, build the guest and the book, trace a datagram through the finished driver
	@$(setup)/install guest book
	@$(MAKE) --no-print-directory tools KERNEL=trace kernel guest book
	@code/driver/build-stage --kernel trace 10 >/dev/null
	@gdb-scripts/trace receive --driver 10
	@echo
	@echo "The book: file://$(CURDIR)/build/book/html/index.html"

test: ## install, build and run every test (LAYER=name for one layer, MATCH=regex for some tests, AGAIN=1 remembers none)
	@$(setup)/install guest book pdf test
	@$(MAKE) --no-print-directory everything
	@$(setup)/run-tests $(if $(AGAIN),--again) --match '$(MATCH)' $(LAYER)

.PHONY: everything
everything: tools kernels guest modules
	@code/driver/headers --missing >/dev/null || \
		echo 'not all kernel headers can be had (above): their tests will fail, the others run' >&2
	@$(ninja) --quiet

fresh: ## run a command on a new Debian with nothing cached: make fresh D=13 C="make demo"
	@$(setup)/fresh $(ARGS) '$(DEBIAN)' '$(or $(COMMAND),make demo)'

doctor: ## say what is here, what is missing, which accelerator guests use and why
	@$(setup)/doctor

setup: ## install from Debian's packages what the main job needs
	@$(setup)/install guest book

build/cmake/build.ninja:
	@command -v cmake >/dev/null && command -v ninja >/dev/null || $(setup)/install
	@cmake -S . -B build/cmake -G Ninja >build/cmake.log 2>&1 || { cat build/cmake.log >&2; exit 1; }

build:
	@mkdir -p build

tools: | build ## build the C++ programs: loom, sandbox, grade, classroom, the guest's agent
	@test -e build/cmake/build.ninja || $(MAKE) --no-print-directory build/cmake/build.ninja
	@$(ninja) --quiet loom sandbox grade classroom guest-agent udp_reader tcp_reader edp echo_server echo_client time_stamps sniffer ping_pong netlink_listener frames hold test-report

kernel: | build ## build the guest's kernel, or take it from the cache (K=strict for the checking one)
	@qemu/kernel/kernel build $(KERNEL)

kernels: | build ## both kernels
	@qemu/kernel/kernel build trace
	@qemu/kernel/kernel build strict

guest: tools ## build the guest's initramfs
	@qemu/guest/guest build

stages: tools ## cut every stage of the driver into build/stages
	@build/bin/loom tangle --source code/driver --stage all --out build/stages

modules: tools kernels ## compile every stage, companion and probe for both kernels
	@code/driver/build-stage --kernel trace --module qemu/probes/in-kernel all
	@code/driver/build-stage --kernel strict --module qemu/probes/in-kernel all
	@code/companions/build --kernel trace all
	@code/companions/build --kernel strict all

headers: ## fetch the newest kernel headers of Debian 12, 13 and sid, for the tests (cached; run it to refresh)
	@code/driver/headers

stage-%: tools kernel ## cut and compile one stage (stage-01) for the guest's kernel
	@code/driver/build-stage --kernel $(KERNEL) $*

trace: ## follow the kernel with gdb: T=boot, bring-up, counters, ethtool, handshake, interrupt, intx, overflow, receive, receive-drop, receive-tcp, recv, socket, timeout, transmit; GUIDED=1 waits at each stop
	@test -e build/kernel/trace && test -e build/guest && test -x build/bin/sandbox || \
		$(MAKE) --no-print-directory tools kernel guest KERNEL=trace
	@$(ninja) --quiet udp_reader tcp_reader frames hold talk
	@code/driver/build-stage --kernel trace $(if $(filter igb,$(DRIVER)),06,$(or $(DRIVER),02 05 06 07 08 10)) >/dev/null
	@gdb-scripts/trace $(TRACE) $(if $(DRIVER),--driver $(DRIVER)) $(if $(GUIDED),--guided) $(ARGS) $(if $(GUIDED),|| test $$? -eq 130)

shell: guest kernel ## a shell in the guest (Ctrl-] leaves); ARGS="--load file.ko ..." for more
	@build/bin/sandbox shell --kernel $(KERNEL) $(ARGS)

run: guest kernel ## run one command in a fresh guest: make run C="ip link"
	@build/bin/sandbox run --kernel $(KERNEL) $(ARGS) -- sh -c '$(COMMAND)'

book: ## build the book as HTML into build/book/html
	@$(setup)/install guest book
	@$(MAKE) --no-print-directory stages
	@book/build html
	@echo "build/book/html/index.html"

pdf: ## build the book as PDF (installs LaTeX)
	@$(setup)/install guest book pdf
	@$(MAKE) --no-print-directory stages
	@book/build pdf
	@echo "build/book/pdf/from-wire-to-socket.pdf"

grading: ## install and build all that grading needs, whatever the lab
	@$(setup)/install guest test
	@$(MAKE) --no-print-directory stages guest kernel KERNEL=strict
	@labs/grader/guest-modules >/dev/null

grade: ## grade a submission: make grade L=01 S=directory (or M=name: the reference with a known fault)
	@test -n "$(SUBMISSION)$(MUTANT)" || { echo "grade: which submission? make grade L=01 S=labs/01-registration/solution" >&2; exit 2; }
	@$(MAKE) --no-print-directory grading
	@$(if $(MUTANT),rm -rf build/labs/$(LAB)/$(MUTANT) && build/bin/grade mutant --lab $(LAB) --name $(MUTANT) --out build/labs/$(LAB)/$(MUTANT))
	@build/bin/grade --lab $(LAB) --submission $(if $(MUTANT),build/labs/$(LAB)/$(MUTANT),$(SUBMISSION)) $(ARGS) || { \
	    status=$$?; \
	    test $$status != 1 || echo "grade: points are missing; that is all that make's error below means" >&2; \
	    exit $$status; }

class: ## grade a class: make class L=01 S=handed-in (one entry a student; results in build/labs/01/class)
	@test -d "$(SUBMISSION)" || { echo "class: where is what was handed in? make class L=01 S=directory" >&2; exit 2; }
	@$(MAKE) --no-print-directory grading
	@build/bin/classroom grade --lab $(LAB) --submissions $(SUBMISSION) --out build/labs/$(LAB)/class $(ARGS)

soak: grading ## labs and stages at full depth: every mutant, every mutation of the references, every load (L=04: one lab); goes on where it stopped
	@$(setup)/soak $(if $(filter command,$(origin L) $(origin LAB)),$(LAB))

skeleton: stages ## write a lab's skeleton to start from: make skeleton L=01
	@test ! -e build/labs/$(LAB)/skeleton || { echo "skeleton: build/labs/$(LAB)/skeleton is there already; move your work away first" >&2; exit 1; }
	@build/bin/grade skeleton --lab $(LAB) --out build/labs/$(LAB)/skeleton

patients: tools kernel ## compile the drivers with a fault that a lab is about: make patients L=10
	@rm -rf build/labs/$(LAB)/patients
	@build/bin/grade patients --lab $(LAB) --kernel build/kernel/$(KERNEL) --out build/labs/$(LAB)/patients $(ARGS)

loom-check: tools ## check the literate source and that the book shows every line
	@build/bin/loom check --source code/driver --book build/book/index.json

measure: tools kernel guest stages ## count the guest's instructions per frame (D="igb 08"; ARGS="--work all --runs 1"), time loom; WHAT=livelock: receive livelock
	@$(ninja) --quiet measure meter loom_bench
	@echo "measure: compiling the stages"
	@code/driver/build-stage --kernel trace --module qemu/measure/metronome all >/dev/null
	@build/bin/measure $(WHAT) --driver $(or $(DRIVER),$(if $(filter livelock,$(WHAT)),05 06,igb 04 05 06 08 10)) --json build/$(WHAT).json $(ARGS)
	@$(if $(filter frames,$(WHAT)),build/bin/loom_bench)

conformance: tools kernel stages ## the kernel's own network selftests with the newest stage and in-tree igb, on Debian 13's kernel (as root; minutes)
	@$(setup)/install guest fresh
	@$(ninja) --quiet conformance
	@build/bin/conformance $(addprefix --driver ,$(or $(DRIVER),igb 10)) --json build/conformance.json $(ARGS)

profile: tools kernel guest stages ## show, function by function, where a frame's instructions go (D="igb 08"; ROW=receive-32)
	@$(ninja) --quiet measure
	@code/driver/build-stage --kernel trace --module qemu/measure/metronome $(or $(filter-out igb floor,$(or $(DRIVER),08)),08) >/dev/null
	@build/bin/measure profile --driver $(or $(DRIVER),igb 08) --row $(ROW) --json build/profile.json $(ARGS)

clean: ## remove build/ (not the cache)
	@rm -rf build
	@echo "removed build/"

clean-cache: ## remove the cache: kernels, sources, guest images
	@test -n "$(FWTS_CACHE)" && rm -rf -- "$(FWTS_CACHE)"
	@echo "removed $(FWTS_CACHE)"
