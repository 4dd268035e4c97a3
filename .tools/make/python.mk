UV := $(BUILD)/uv/bin/uv
VENV := $(BUILD)/venv
PYTHON := $(VENV)/bin/python

# Nothing that runs here tells its makers about it.
export ORT_DISABLE_TELEMETRY := 1
export MLFLOW_DISABLE_TELEMETRY := true

# Python has one environment, installed in groups, as they are needed: stack (the stand-ins), convert, boosters (for its tests), aws (its
# command line), deploy, lint.
# A group's packages are in .tools/python/GROUP.in, the converter's in its pyproject.toml; its lock file has their hashes. They are resolved
# together, so that no group installs what another one needs another version of.
$(VENV)/.%: .tools/python/%.lock $(UV)
	@echo "installing the Python packages of the group $*" >&2
	@test -x $(PYTHON) || $(UV) venv -q --python 3.11 $(VENV)
	@$(UV) pip install -q -p $(PYTHON) --require-hashes -r $<
	@touch $@

# The Python that skiff is compared with has the same versions, but nothing beside them: scikit-learn imports pandas and more where they are
# installed, which takes most of a second at start, and 66 MiB.
$(BUILD)/compare-venv/.compare: .tools/python/compare.lock | $(UV)
$(BUILD)/compare-boosted-venv/.compare-boosted: .tools/python/compare-boosted.lock | $(UV)
$(BUILD)/compare-venv/.compare $(BUILD)/compare-boosted-venv/.compare-boosted:
	@echo "installing the packages of the Python that skiff is compared with" >&2
	@$(UV) venv -q --allow-existing --python 3.11 $(@D)
	@$(UV) pip sync -q -p $(@D)/bin/python --require-hashes $<
	@touch $@

# What lists what a release is made of, and looks over what is locked.
$(BUILD)/release-venv/.release: .tools/python/release.lock | $(UV)
	@echo "installing what a release is made and looked over with" >&2
	@$(UV) venv -q --allow-existing --python 3.11 $(@D)
	@$(UV) pip sync -q -p $(@D)/bin/python --require-hashes $<
	@touch $@

$(UV): .tools/python/uv.lock
	@echo "installing uv" >&2
	@python3 -m venv $(BUILD)/uv
	@$(BUILD)/uv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
	@touch $@

GROUPS := stack convert boosters aws deploy lint compare compare-boosted matrix scoreboard trees node docs
OF_GROUP = $(if $(filter convert,$1),--all-extras convert/pyproject.toml,.tools/python/$1.in)
COMPILE = $(UV) pip compile -q --universal --generate-hashes --no-emit-index-url --custom-compile-command "make lock"

lock: $(UV)
	cat $(wildcard $(GROUPS:%=.tools/python/%.lock)) > $(BUILD)/all.lock
	$(COMPILE) $(if $(UPGRADE),--upgrade) $(foreach group,$(GROUPS),$(call OF_GROUP,$(group))) -o $(BUILD)/all.lock
	$(foreach group,$(GROUPS),cp $(BUILD)/all.lock .tools/python/$(group).lock; \
	  $(COMPILE) $(call OF_GROUP,$(group)) -o .tools/python/$(group).lock;)
	cp .tools/python/stack.lock cmd/skiff/ministack.lock
	$(COMPILE) .tools/python/uv.in -o .tools/python/uv.lock
	$(COMPILE) $(if $(UPGRADE),--upgrade) .tools/python/release.in -o .tools/python/release.lock
	for name in onnxruntime sam; do $(COMPILE) --no-deps .tools/python/$$name.in -o .tools/python/$$name.lock; done # only unpacked
