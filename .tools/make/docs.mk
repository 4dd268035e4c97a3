##@ Read it
.PHONY: docs
docs: $(BUILD)/docs-venv/.docs ## the documents as a site, .build/docs/docs/index.html; a link that leads nowhere is an error
	@$(BUILD)/docs-venv/bin/sphinx-build -q -W --keep-going -c docs . $(BUILD)/docs
	@echo "$(BUILD)/docs/docs/index.html"

# Sphinx has an environment of its own: nothing that runs needs it.
$(BUILD)/docs-venv/.docs: .tools/python/docs.lock | $(UV)
	@echo "installing Sphinx" >&2
	@$(UV) venv -q --allow-existing --python 3.11 $(@D)
	@$(UV) pip sync -q -p $(@D)/bin/python --require-hashes $<
	@touch $@
