##@ Work on it
.PHONY: test
test: test-go test-python test-path test-failures compare-test deploy-test ## everything CI runs but lint and the image

.PHONY: test-go
test-go: onnxruntime ## the Go tests, with the race detector
	go test -race ./...
	go test -run 'DamagedBundles|LargestEvents|TenThousand' ./cmd/worker # memory and time, which the detector takes more of
	go -C cmd/tools test -race ./...

.PHONY: test-python
test-python: $(VENV)/.convert $(VENV)/.boosters $(VENV)/.stack $(BIN)/worker ## the converter's tests
	$(PYTHON) -m pytest -q -n 2 --dist loadfile convert

.PHONY: test-path
test-path: $(BIN)/worker $(BIN)/local $(VENV)/.stack $(SHIMS) ## the whole path over ministack, bad rides too, and the README's sessions
	env -u RUN_ID -u PORT -u BAD PATH="$(CURDIR)/$(SHIMS):$$PATH" go -C cmd/tools test -tags integration -count=1 -run 'README|Path' ./local

.PHONY: test-failures
test-failures: $(BIN)/worker $(VENV)/.stack ## what the worker does when something fails: throttling, outages, bad records, bad bundles
	go test -tags integration -count=1 ./cmd/internal/lambdatest/failures
	go test -tags integration -count=1 -run DeadLetters ./cmd/worker

.PHONY: fuzz
fuzz: ## fuzz each reader of foreign bytes [FUZZTIME=30s]
	@grep -ro --include='*_test.go' 'func Fuzz[A-Za-z]*' inference | while IFS=: read -r file target; do \
	  go test -run '^$$' -fuzz "^$${target#func }\$$" -fuzztime $(or $(FUZZTIME),30s) -fuzzminimizetime 1s "./$${file%/*}"; done

.PHONY: agreement
agreement: $(VENV)/.convert $(BIN)/worker ## the converter's reading of mutated records against the worker's [DOCUMENTS=1000000] [SEED=1]
	@PYTHONPATH=convert:convert/tests $(PYTHON) convert/tests/agreement.py $(if $(DOCUMENTS),--documents $(DOCUMENTS)) $(if $(SEED),--seed $(SEED))

.PHONY: lint
lint: lint-go lint-python lint-shell ## golangci-lint, ruff, shellcheck

.PHONY: lint-go
lint-go: $(GOLANGCI_LINT)
	go mod tidy -diff
	go -C cmd/tools mod tidy -diff
	$(GOLANGCI_LINT) run ./...
	cd cmd/tools && $(CURDIR)/$(GOLANGCI_LINT) run ./...

.PHONY: lint-python
lint-python: $(VENV)/.lint
	$(PYTHON) -m ruff check convert $(TAXI) deploy cmd/tools/compare
	$(PYTHON) -m ruff format --check convert $(TAXI) deploy cmd/tools/compare

.PHONY: lint-shell
lint-shell: $(VENV)/.lint
	$(VENV)/bin/shellcheck -x .ci/run .tools/aws .tools/image/{deps,bases,build,publish,sbom,test} deploy/swap

.PHONY: lock onnxruntime
lock: ## resolve the Python packages again; what is locked stays where it can
onnxruntime: ## onnxruntime's shared library, out of its Python wheel

.PHONY: clean
clean: ## remove all that make installed and built
	rm -rf $(BUILD)

.PHONY: help
help: ## this
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(TOPICS)
