# The programs: worker and skiff in the project's module, what measures and shows them in cmd/tools, which is a module of its own.
TOOLS := $(addprefix $(BIN)/,local rows bench compare compare-skiff compare-godense)
.PHONY: $(BIN)/worker $(BIN)/skiff $(TOOLS) # go build knows when
VERSIONED = -X main.release=$(shell git describe --tags --always --dirty 2>/dev/null)
FIRST = @test -e $@ || echo "building $@, up to a minute the first time" >&2
# As in the Dockerfile: without net/rpc, whose templates have the linker keep every method, a third of the program.
WORKER_TAGS := lambda.norpc,netgo,osusergo
$(BIN)/worker: onnxruntime ops
	$(FIRST)
	@go build -trimpath -tags $(WORKER_TAGS) -ldflags '$(VERSIONED)' -o $@ ./cmd/worker
$(BIN)/skiff:
	$(FIRST)
	@go build -trimpath -ldflags '$(VERSIONED)' -o $@ ./cmd/skiff
$(TOOLS):
	$(FIRST)
	@go -C cmd/tools build -trimpath -o $(CURDIR)/$@ ./$(subst -,/,$(@F))

# onnxruntime's shared library is in its Python wheel; all programs find it by this name.
export ONNXRUNTIME_LIB ?= $(CURDIR)/$(BUILD)/lib/libonnxruntime.so
WHEEL_HAS := libonnxruntime.$(if $(filter Darwin,$(shell uname -s)),*.dylib,so.*)

onnxruntime: $(BUILD)/lib/libonnxruntime.so

$(BUILD)/lib/libonnxruntime.so: .tools/python/onnxruntime.lock $(UV)
	@echo "installing onnxruntime" >&2
	@rm -rf $(BUILD)/onnxruntime $@
	@$(UV) pip install -q --no-deps --python-version 3.11 --target $(BUILD)/onnxruntime --require-hashes -r $<
	@mkdir -p $(BUILD)/lib
	@cp $(BUILD)/onnxruntime/onnxruntime/capi/$(WHEEL_HAS) $@
	@rm -rf $(BUILD)/onnxruntime

# skiff's operators for onnxruntime: the worker and the converter find them beside it.
ops: $(BUILD)/lib/libskiff.so

$(BUILD)/lib/libskiff.so: $(wildcard inference/ort/ops/*) go.mod
	@mkdir -p $(@D)
	@inference/ort/ops/build '$(CC)' "$$(go list -m -f '{{.Dir}}' github.com/yalue/onnxruntime_go)" $(CURDIR)/$@.new
	@mv $@.new $@

GOLANGCI_LINT_VERSION := v2.15.0
GOLANGCI_LINT := $(BUILD)/golangci-lint-$(GOLANGCI_LINT_VERSION)/golangci-lint
SHIMS := $(BUILD)/shims

# Other people's programs, pinned. $(call INSTALL,MODULE@VERSION) builds one into its target's folder.
INSTALL = @echo "building $(@F), up to a few minutes" >&2; GOBIN=$(CURDIR)/$(@D) go install $1

$(GOLANGCI_LINT):
	$(call INSTALL,github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION))
$(BIN)/crane:
	$(call INSTALL,github.com/google/go-containerregistry/cmd/crane@v0.22.1)
$(BIN)/cyclonedx-gomod:
	$(call INSTALL,github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0)
$(BIN)/actionlint:
	$(call INSTALL,github.com/rhysd/actionlint/cmd/actionlint@v1.7.12)
$(BIN)/govulncheck:
	$(call INSTALL,golang.org/x/vuln/cmd/govulncheck@v1.9.0)
$(BIN)/gojq:
	$(call INSTALL,github.com/itchyny/gojq/cmd/gojq@v0.12.17)

# What the README's sessions call beside make: jq, and the aws command.
$(SHIMS): .tools/aws $(BIN)/gojq $(VENV)/.aws
	@mkdir -p $@
	@cp .tools/aws $@/aws
	@cp $(BIN)/gojq $@/jq
	@touch $@
