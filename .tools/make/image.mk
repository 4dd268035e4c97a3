##@ Ship it
IMAGE ?= stream-model-duration:v1$(if $(ARCH),-$(ARCH))
RIE := $(BUILD)/image/aws-lambda-rie

.PHONY: image
image: image-deps $(UV) ## build the container image [RUN_ID=... to put a bundle inside] [ARCH=arm64] [IMAGE=stream-model-duration:v1]
	@.tools/image/build $(if $(ARCH),-arch '$(ARCH)') $(if $(filter environment command,$(origin RUN_ID)),-run-id '$(RUN_ID)') '$(IMAGE)'

.PHONY: image-test
image-test: image-deps onnxruntime $(VENV)/.stack $(RIE) $(BIN)/crane ## test it under AWS's runtime interface emulator
	@.tools/image/test

.PHONY: image-test-arm64
image-test-arm64: image-deps $(UV) ## build it for arm64 as well, and look whether its parts fit together
	@.tools/image/test -arm64

.PHONY: image-deps
image-deps: ## install podman, on Debian, if no container engine answers
	@.tools/image/deps

.PHONY: image-sbom
image-sbom: image-deps $(BIN)/cyclonedx-gomod ## write what the image is made of, as CycloneDX
	@.tools/image/sbom '$(IMAGE)'

.PHONY: publish
publish: image-deps $(BIN)/crane ## push the image, by version and digest: REPOSITORY=... [VERSION=...]
	@test -n '$(REPOSITORY)' || { echo "image: error: REPOSITORY is not set" >&2; \
	  echo "hint: make publish REPOSITORY=<account>.dkr.ecr.<region>.amazonaws.com/stream-model-duration" >&2; exit 2; }
	@VERSION='$(VERSION)' .tools/image/publish '$(IMAGE)' '$(REPOSITORY)'

# AWS's Lambda runtime interface emulator ships in a Python wheel.
$(RIE): .tools/python/sam.lock $(UV)
	@echo "installing the Lambda runtime interface emulator" >&2
	@$(UV) pip install -q --no-deps --python-version 3.11 --target $(BUILD)/image/sam --require-hashes -r $<
	@cp $(BUILD)/image/sam/samcli/local/rapid/aws-lambda-rie-$(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64) $@
	@chmod 755 $@
	@rm -rf $(BUILD)/image/sam
