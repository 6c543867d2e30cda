# Everything a developer types. `make` alone lists the targets.
#
# Versions are pinned in two files only: go.mod holds Go's and the product's, third_party/tools/go.mod those of the tools.

GO       ?= go
BIN      := bin
LINTER   := $(BIN)/tools/golangci-lint
VULNS    := $(BIN)/tools/govulncheck
# What `make run` hands to `kn-jetstream run`, for example: make run ARGS="--quiet". For another port than 8080 see the README: the
# subscribers in examples/quickstart name it too.
ARGS     ?=
FUZZTIME ?= 10s

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: cli ## Start the broker on this machine with examples/quickstart; Ctrl-C stops it
	@exec $(BIN)/kn-jetstream run -f examples/quickstart $(ARGS)

.PHONY: build
build: ## Build all programs into bin/
	$(GO) build -o $(BIN)/ ./cmd/...

.PHONY: cli
cli: ## Build only kn-jetstream into bin/
	@$(GO) build -o $(BIN)/ ./cmd/kn-jetstream

# -race     a data race here is a lost event elsewhere.
# -timeout  counts for each package alone. It is twice what the longest takes on two cores, so that a test that hangs ends with every
#           goroutine's stack instead of a killed job.
.PHONY: test
test: ## Run all tests with the race detector
	$(GO) test -race -timeout 12m ./...

# Two minutes of what make test does for half a minute. SEED repeats the decisions of a run, which prints its own.
SEED ?=

.PHONY: chaos
chaos: DURATION = 2m
chaos: ## Cut filters and ingress from NATS at random for DURATION (2m), with edits, and account for each event
	CHAOS_DURATION=$(DURATION) CHAOS_SEED=$(SEED) $(GO) test -race -count 1 -timeout 30m -v -run '^TestPartitionsLoseNothing$$' ./test/e2e

# Prints for each seed what was simulated, of a failure the history of the event, and at the end what all seeds have been through.
SEEDS ?= 20

.PHONY: simulate
simulate: ## Simulate the whole broker in virtual time, for SEEDS seeds, for SEED alone, or as many as there is time for: FOR=8m
	SIMULATE_SEEDS=$(SEEDS) SIMULATE_SEED=$(SEED) SIMULATE_FOR=$(FOR) \
		$(GO) test -count 1 -timeout 24h -v -run '^TestSimulate$$' ./cmd/internal/simulate

# Each patch in cmd/internal/simulate/mutants breaks one promise. MUTANTS names some of them, as in MUTANTS=any-is-first,not-says-yes,
# or says how many to choose at random; SEEDS is the budget of each.
MUTANTS ?= all

.PHONY: simulate-mutants
simulate-mutants: SEEDS = 30
simulate-mutants: ## Break the broker in each way that mutants has, and fail unless the simulator finds it
	SIMULATE_MUTANTS="$(MUTANTS)" SIMULATE_SEEDS=$(SEEDS) $(GO) test -count 1 -timeout 24h -v -run '^TestMutants$$' ./cmd/internal/simulate

.PHONY: lint
lint: $(LINTER) ## Run golangci-lint, built once from third_party/tools
	$(LINTER) run

.PHONY: vuln
vuln: $(VULNS) ## Look for known vulnerabilities; GOVULNDB names a copy of the database
	@hack/vuln.sh $(VULNS)

.PHONY: verify
verify: verify-format verify-tidy verify-vet verify-size verify-generated ## Check format, go.mod, vet, file sizes, package names, generated code

.PHONY: verify-format verify-tidy verify-vet verify-size verify-generated
verify-format:
	@unformatted=$$(gofmt -l cmd pkg test) && test -z "$$unformatted" || { echo "gofmt is not content; run gofmt -w on:"; echo "$$unformatted"; exit 1; }
verify-tidy:
	@$(GO) mod tidy -diff
verify-vet:
	@$(GO) vet ./... && $(GO) vet -tags cluster ./test/cluster
verify-size:
	@hack/size-check.sh
verify-generated:
	@GO=$(GO) hack/codegen.sh --check

.PHONY: size
size: ## Print the lines of each package and of the data plane, which has a budget
	@hack/size-check.sh --packages

.PHONY: generate
generate: ## Generate pkg/client and the deep copies of pkg/apis
	@GO=$(GO) hack/codegen.sh

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME (10s)
	@GO=$(GO) hack/fuzz.sh $(FUZZTIME)

# An hour. To try it out: make bench ROUNDS=1 DURATION=3s. What is not the whole of it goes to bin/bench, and not into docs.
# ONLY=p1,f2b makes only these runs.
ROUNDS    ?= 5
DURATION  ?= 10s
ONLY      ?=
BENCH_OUT ?= $(if $(filter 5/10s/,$(ROUNDS)/$(DURATION)/$(ONLY)),docs,$(BIN)/bench)

.PHONY: bench
bench: build ## Measure everything that has a target beside its floors, and write docs/benchmarks.md
	$(BIN)/kn-jetstream bench suite --rounds $(ROUNDS) --duration $(DURATION) --only "$(ONLY)" --out $(BENCH_OUT) --source . \
	  --commit "$$(git describe --always --dirty)"

# BASE is the commit to compare with; ONLY are rows: make bench-compare BASE=main ONLY=P6,P14. Rounds count for more than long runs.
.PHONY: bench-compare
bench-compare: ROUNDS = 10
bench-compare: DURATION = 3s
bench-compare: build ## Measure the commit BASE and this one in turns; fails when a row of ONLY is worse
	@GO=$(GO) hack/bench-compare.sh "$(BASE)" --rounds $(ROUNDS) --duration $(DURATION) --only "$(ONLY)"

# -run '^$'  matches no test, so that only benchmarks run.
.PHONY: microbench
microbench: ## Run the Go micro-benchmarks: codec, filters, push-down, outcomes, and more
	$(GO) test -run '^$$' -bench . -benchmem ./...

.PHONY: soak
soak: ## Send 1,000,000 events through a 64 MiB log and account for each
	$(GO) test -run '^$$' -bench MillionThroughSmallLog -benchtime 1x -timeout 30m ./pkg/jetstream/owner

.PHONY: quickstart-test
quickstart-test: cli ## Run the README's quickstart, and its commands for many machines, as a newcomer would
	hack/quickstart.sh
	$(GO) build -o $(BIN)/ ./cmd/ingress ./cmd/filter
	hack/many-machines.sh

.PHONY: tools
tools: $(LINTER) $(VULNS) ## Build the tools into bin/tools

# Takes a minute or two, once: they are built anew only when a pinned version changes. Their own go.mod keeps the linter's
# two hundred modules out of the product's.
$(LINTER): TOOL = github.com/golangci/golangci-lint/v2/cmd/golangci-lint
$(VULNS): TOOL = golang.org/x/vuln/cmd/govulncheck
$(LINTER) $(VULNS): third_party/tools/go.mod third_party/tools/go.sum
	cd third_party/tools && $(GO) build -o $(CURDIR)/$@ $(TOOL)
	@touch $@

# The tag of the images that make release pushes.
TAG ?= $(shell git describe --tags --always --dirty)

.PHONY: release
release: ## Push the images to KO_DOCKER_REPO and write the YAML of a release to bin/release
	@hack/release.sh $(TAG)

include hack/cluster/cluster.mk

.PHONY: clean
clean: ## Remove bin/
	rm -rf $(BIN)
