# Everything is set up on the way: what is missing comes into .local/, which
# git ignores. `make help` lists the targets.

RUN := tools/run
VERSION := $(shell sed -n 's/^Version: //p' DESCRIPTION)
TARBALL := mangoro_$(VERSION).tar.gz
GO_FLAGS := -mod=vendor -tags=arrow_json_stdlib

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{ printf "  %-16s %s\n", $$1, $$2 }'

# --- the two commands of the README ---

.PHONY: demo
demo: setup-demo install ## Run the main job: the distances of 336,776 flights, in Go
	@mkdir -p .local/demo
	@$(RUN) Rscript inst/examples/flights.R .local/demo/flights.png

.PHONY: test
test: setup-test install ## Run all tests, and end with their number
	@$(RUN) tools/test

.PHONY: test-off
test-off: setup-test install ## All R tests without shared memory: everything goes through the socket
	@MANGORO_TEST_SHARED_MEMORY=false $(RUN) tools/test r

.PHONY: test-r
test-r: setup-test install ## The R tests of one topic: make test-r T=build
	@$(RUN) tools/test r $(T)

.PHONY: test-go
test-go: ## The Go tests of one package: make test-go P=rgoipc
	@tools/setup go
	@$(RUN) tools/test go $(P)

# --- set-up ---

.PHONY: setup-demo setup-test setup-corpus setup-bench setup-dev setup-coverage
setup-demo setup-test setup-corpus setup-bench setup-dev setup-coverage: setup-%:
	@tools/setup go
	@tools/setup r $*

setup-bench: setup-servers

.PHONY: setup-servers
setup-servers:
	@tools/setup servers || echo "==> servers: bench/http.R does without them"

.PHONY: setup-lint
setup-lint:
	@tools/setup go
	@tools/setup linters
	@tools/setup r lint

.PHONY: setup-clients
setup-clients: ## Programs that read served files, for the tests of them: igv.js, hyparquet, webR, samtools
	@tools/setup clients

.PHONY: hooks
hooks: ## Have git lint what is committed, and look at the message
	@tools/hooks

.PHONY: install
install: ## Install the package into .local/library
	@mkdir -p .local
	@$(RUN) R CMD INSTALL --no-test-load --library=.local/library . >.local/install.log 2>&1 || { cat .local/install.log; exit 1; }

# --- checks ---

.PHONY: check
check: setup-dev dist ## R CMD check --as-cran
	@mkdir -p .local/check
	@$(RUN) env -u MANGORO_CACHE_DIR R CMD check --as-cran --no-manual --output=.local/check $(TARBALL)

.PHONY: check-current
check-current: setup-dev dist ## The same with the R of Debian's sid, in a chroot
	@$(RUN) tools/check-current $(TARBALL)

.PHONY: lint
lint: setup-lint install ## Formats and style of R, C, Go and shell
	@$(RUN) tools/lint

.PHONY: format
format: setup-lint ## Format C and Go
	@$(RUN) tools/lint --fix

.PHONY: coverage
coverage: setup-coverage ## Which lines of R, C and Go the tests reach, by file
	@$(RUN) tools/coverage

.PHONY: cross
cross: ## Vet and build the Go side for Linux, macOS and Windows, amd64 and arm64
	@tools/setup go
	@tools/cross

.PHONY: fuzz
fuzz: fuzz-replies ## Fuzz every decoder: Go's for FUZZTIME (10m) each, R's with REPLIES (1000000)
	@$(RUN) tools/fuzz $(or $(FUZZTIME),10m)

.PHONY: fuzz-replies
fuzz-replies: setup-test install ## Broken replies for every R function that reads one
	@$(RUN) tools/fuzz-replies $(or $(REPLIES),1000000)

.PHONY: soak
soak: setup-test install ## Calls that are cut off in all ways, CALLS (10000): none runs twice
	@$(RUN) Rscript tools/soak.R . $(or $(CALLS),10000)

.PHONY: corpus
corpus: setup-corpus install ## Some 400 R objects to Go and back, counted
	@$(RUN) Rscript tools/corpus.R .

.PHONY: sanitize
sanitize: setup-test install ## The C code under sanitizers, with STREAMS (1000000) broken streams
	@$(RUN) tools/sanitize $(or $(STREAMS),1000000)

.PHONY: kills
kills: setup-test install ## Kill R, or its Go programs, at KILLS (50) random moments, and count what is left
	@$(RUN) Rscript tools/kills.R $(or $(KILLS),50)

.PHONY: bench
bench: setup-bench install ## Measure against peers
	@$(RUN) Rscript bench/run.R

.PHONY: large
large: setup-bench install ## Send a message of more than 2^31 bytes (needs 24 GB of memory)
	@$(RUN) Rscript bench/large.R

# --- generated files ---

.PHONY: document
document: setup-dev ## NAMESPACE and man/ from the roxygen comments
	@$(RUN) Rscript -e 'roxygen2::roxygenise(load_code = "source")'

.PHONY: readme
readme: setup-dev install ## README.md from README.Rmd
	@$(RUN) Rscript tools/readme.R .

.PHONY: generate
generate: document readme ## All generated files that need no network

.PHONY: check-generated
check-generated: setup-dev install ## Prove that NAMESPACE, man/ and README.md are fresh
	@$(RUN) tools/check-generated

.PHONY: vendor
vendor: ## What is made of other people's Go modules (needs a Go module proxy)
	@tools/setup go
	@tools/vendor

.PHONY: check-vendor
check-vendor: ## Prove that what make vendor makes is fresh (needs a Go module proxy)
	@tools/setup go
	@tools/vendor --check

.PHONY: packages
packages: ## tools/PACKAGES: the R packages that set-up installs, as CRAN has them now
	@tools/setup r lock

# --- release ---

.PHONY: dist
dist: setup-dev ## The source package
	@$(RUN) tools/dist

.PHONY: clean
clean: ## Remove what was made here, all of .local/ included
	chmod -R u+w .local 2>/dev/null || true
	rm -rf .local inst/go/vendor.tar.xz mangoro_*.tar.gz mangoro.Rcheck
