##@ Work on it
.PHONY: test
test: test-go test-python test-pipelines test-path test-failures test-page test-soak swap-test compare-test deploy-test docs test-release ## everything CI runs but lint and the image

.PHONY: test-go
test-go: onnxruntime ops ## the Go tests, with the race detector
	go test -race ./...
	go test -run 'DamagedBundles|rustedBundles|LargestEvents|TenThousand' ./cmd/worker # memory and time, which the detector takes more of
	go -C cmd/tools test -race ./...

.PHONY: test-python
test-python: $(VENV)/.convert $(VENV)/.boosters $(VENV)/.stack $(BIN)/worker ## the converter's tests
	$(PYTHON) -m pytest -q -n 2 --dist loadfile convert

.PHONY: test-pipelines
test-pipelines: ## a part of test-matrix: 40 pipelines made at random, two environments of other years
	@$(MAKE) test-matrix PART=ci

.PHONY: test-path
test-path: skiff ops $(VENV)/.stack $(VENV)/.convert $(SHIMS) ## the whole path over ministack, bad rides too, and the README's sessions
	env -u RUN_ID -u PORT -u BAD PATH="$(CURDIR)/$(SHIMS):$$PATH" go -C cmd/tools test -tags integration -count=1 -run 'README|Path|Parquet' ./local ./rows

.PHONY: test-failures
test-failures: $(BIN)/worker $(VENV)/.stack ## what the worker does when something fails: throttling, outages, bad records, bad bundles
	go test -tags integration -count=1 ./cmd/internal/lambdatest/failures
	go test -tags integration -count=1 -run 'DeadLetters|ScoreInS3' ./cmd/worker
	go test -tags integration -count=1 -run Planted ./cmd/internal/lambdatest/simulation

.PHONY: test-release
test-release: $(VENV)/.convert $(BUILD)/release-venv/.release $(BIN)/cyclonedx-gomod onnxruntime ops ## build what a release has, and install it as its users do
	env -u RUN_ID -u VERSION PYTHONPATH=convert/tests:convert $(PYTHON) -m pytest -q -p no:cacheprovider -o tmp_path_retention_policy=failed .tools/release/tests

.PHONY: simulate
simulate: ## histories of the worker in virtual time, each of a seed; a failing one is told with the shortest that fails [SEEDS=100000] [SEED=1]
	go test -count=1 -run '^TestSimulate$$' -timeout 0 ./cmd/internal/lambdatest/simulation -v -seeds $(or $(SEEDS),100000) -first $(or $(SEED),1)

# The stand-in whose shards are split and merged is for Node.js, which is in a Python wheel. Its lock file has the packages' digests; none of them
# runs anything here at its installation, since its store is there in binary form.
KINESALITE := $(BUILD)/node/node_modules/kinesalite
WITH_NODE := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
$(BUILD)/node/.stack: .tools/node/package-lock.json $(VENV)/.node
	@echo "installing kinesalite" >&2
	@mkdir -p $(@D)
	@cp .tools/node/package.json .tools/node/package-lock.json .tools/node/.npmrc $(@D)
	@cd $(@D) && $(WITH_NODE) npm ci --silent
	@touch $@

# Every record under fire, and what became of it. The linear run is what the forest is swapped for.
SOAK = $(WITH_NODE) $(BIN)/local soak -run-id $(FOREST) -model models/$(FOREST) -worker $(BIN)/worker -ministack $(VENV)/bin/ministack -other $(LINEAR) -rides $(TAXI)/rides.parquet -kinesalite $(KINESALITE)
.PHONY: soak
soak: $(BIN)/worker $(BIN)/local $(VENV)/.stack $(BUILD)/node/.stack ## a million records through faults, kills and a swap: none lost, none wrong, none stuck [RECORDS=1000000] [SEED=1]
	@$(SOAK) -n '$(or $(RECORDS),1000000)' -seed '$(or $(SEED),1)'

.PHONY: test-soak
test-soak: $(BIN)/worker $(BIN)/local $(VENV)/.stack $(BUILD)/node/.stack ## the same with 30,000 records
	$(WITH_NODE) go test -tags integration -count=1 ./cmd/internal/lambdatest/kinesalite
	@$(SOAK) -n 30000 -seed 1

# A headless Chromium, for x86-64 Linux: an npm package has it with the libraries it needs, compressed; nothing of it runs at its installation.
# Elsewhere CHROMIUM names a browser that is there.
CHROMIUM ?= $(BUILD)/browser/chromium
BROTLI := node -e 'const z = require("zlib"); require("stream").pipeline(process.stdin, z.createBrotliDecompress(), process.stdout, e => { if (e) throw e })'
$(BUILD)/browser/chromium: .tools/browser/package-lock.json $(VENV)/.node
	@echo "installing Chromium, 70 MB" >&2
	@rm -rf $(@D)
	@mkdir -p $(@D)
	@cp .tools/browser/package.json .tools/browser/package-lock.json .tools/browser/.npmrc $(@D)
	@cd $(@D) && $(WITH_NODE) npm ci --silent
	@cd $(@D) && export $(WITH_NODE) from=node_modules/@sparticuz/chromium/bin && \
	  for part in al2023 fonts swiftshader; do $(BROTLI) < $$from/$$part.tar.br | tar -x --no-same-owner; done && $(BROTLI) < $$from/chromium.br > new
	@rm -rf $(@D)/node_modules
	@chmod 755 $(@D)/new && mv $(@D)/new $@

PAGE_TEST = CHROMIUM='$(abspath $(CHROMIUM))' go -C cmd/tools test -tags integration -count=1
.PHONY: test-page
test-page: $(BIN)/worker $(BIN)/local $(BIN)/skiff $(VENV)/.stack $(CHROMIUM) ## the live page and bench's in a browser, headless Chromium
	$(PAGE_TEST) -run Page ./local ./bench

.PHONY: page-screenshot
page-screenshot: $(BIN)/worker $(BIN)/local $(BIN)/skiff $(VENV)/.stack $(CHROMIUM) ## the README's picture of the live page
	$(PAGE_TEST) -run Screenshot ./local -screenshot $(CURDIR)/docs/page.png

.PHONY: swap-test
swap-test: $(BIN)/worker $(BIN)/local $(BIN)/skiff $(VENV)/.stack ## change the model under load: promotes, broken ones, rollbacks; nothing is lost
	@$(BIN)/local swap $(STACK) -other $(LINEAR) -skiff $(BIN)/skiff -rides $(TAXI)/rides.parquet

.PHONY: fuzz
fuzz: ## fuzz each reader of foreign bytes [FUZZTIME=30s]
	@OPERATORS_FUZZ=200000 OPERATORS_SEED=$$RANDOM go test -count=1 -v -run TestOperatorsStayWithinTheirMemory ./inference/ort
	@grep -ro --include='*_test.go' 'func Fuzz[A-Za-z]*' inference | while IFS=: read -r file target; do \
	  go test -run '^$$' -fuzz "^$${target#func }\$$" -fuzztime $(or $(FUZZTIME),30s) -fuzzminimizetime 1s "./$${file%/*}"; done

.PHONY: agreement
agreement: $(VENV)/.convert $(BIN)/worker ## the converter's reading of mutated records against the worker's [DOCUMENTS=1000000] [SEED=1]
	@PYTHONPATH=convert:convert/tests $(PYTHON) convert/tests/agreement.py $(if $(DOCUMENTS),--documents $(DOCUMENTS)) $(if $(SEED),--seed $(SEED))

.PHONY: lint
lint: lint-go lint-python lint-shell lint-actions ## golangci-lint, ruff, shellcheck, actionlint

.PHONY: lint-go
lint-go: $(GOLANGCI_LINT)
	go mod tidy -diff
	go -C cmd/tools mod tidy -diff
	$(GOLANGCI_LINT) run ./...
	cd cmd/tools && $(CURDIR)/$(GOLANGCI_LINT) run ./...

.PHONY: lint-python
lint-python: $(VENV)/.lint
	$(PYTHON) -m ruff check convert $(TAXI) deploy docs cmd/tools/compare .tools/release
	$(PYTHON) -m ruff format --check convert $(TAXI) deploy docs cmd/tools/compare .tools/release

.PHONY: lint-shell
lint-shell: $(VENV)/.lint
	$(VENV)/bin/shellcheck -x .ci/run .tools/aws inference/ort/ops/build .tools/image/{deps,bases,build,publish,sbom,test} .tools/release/{archive,finish,sbom,wheel} deploy/swap

.PHONY: lint-actions
lint-actions: $(BIN)/actionlint $(VENV)/.lint
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(BIN)/actionlint

.PHONY: audit
audit: audit-go audit-python ## look for known vulnerabilities in what is used, by the databases of Go and PyPI; -k: in all of it

.PHONY: audit-go
audit-go: $(BIN)/govulncheck
	$(BIN)/govulncheck ./...
	$(BIN)/govulncheck -C cmd/tools ./...

.PHONY: audit-python
audit-python: $(BUILD)/release-venv/.release
	@for lock in .tools/python/*.lock; do echo "pip-audit $$lock" >&2; \
	  $(BUILD)/release-venv/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off -r $$lock; done

.PHONY: lock onnxruntime ops
lock: ## resolve the Python packages again; what is locked stays where it can [UPGRADE=1: the newest]
onnxruntime: ## onnxruntime's shared library, out of its Python wheel
ops: ## skiff's operators for onnxruntime, by a C compiler

.PHONY: clean
clean: ## remove all that make installed and built
	rm -rf $(BUILD)

.PHONY: help
help: ## this
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(TOPICS)
