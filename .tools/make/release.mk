##@ Release it
# The converter's version is the release's: a tag v0.1.0 needs __version__ = "0.1.0".
RELEASE = $(or $(VERSION),v$(shell sed -n 's/^__version__ = "\(.*\)"$$/\1/p' convert/skiff_convert/__init__.py))

.PHONY: release
release: release-build ## what a release has, for this system, into .build/release: archive, wheel, SBOMs, checksums, notes [VERSION=v0.1.0]
	@.tools/release/finish '$(RELEASE)'

.PHONY: release-build
release-build: release-clean onnxruntime ops $(UV) $(BIN)/cyclonedx-gomod $(BUILD)/release-venv/.release
	@.tools/release/wheel '$(RELEASE)'
	@.tools/release/archive '$(RELEASE)'
	@.tools/release/sbom '$(RELEASE)'

.PHONY: release-finish
release-finish: # of what several systems have built
	@.tools/release/finish '$(RELEASE)'

.PHONY: release-pypi
release-pypi: $(UV)
	$(UV) publish --trusted-publishing always $(BUILD)/release/*.whl

.PHONY: release-clean
release-clean:
	@rm -rf $(BUILD)/release
