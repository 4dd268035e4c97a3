BOOSTED_RUN := 11111111111111111111111111111111
.PHONY: compare
compare: compare-inputs ## skiff beside the reference, better Python and plain Go [PLOT=file.svg] [COMPARE_FLAGS='-n 3 ...']
	@$(BIN)/compare -inputs $(COMPARE) -python $(COMPARE_PYTHON) $(if $(PLOT),-plot '$(PLOT)') $(COMPARE_FLAGS)

.PHONY: compare-trees
compare-trees: ops $(VENV)/.convert $(VENV)/.boosters $(VENV)/.trees ## trees by what trained them, by lleaves and tl2cgen, by onnxruntime and by skiff's operator [BOOSTED='--only XGBoost ...']
	@CC='$(CC)' PYTHONPATH=convert $(PYTHON) cmd/tools/compare/python/boosted.py $(BOOSTED)

.PHONY: compare-boosted
compare-boosted: $(addprefix $(BIN)/,compare compare-skiff worker) $(BUILD)/compare-boosted/trees/$(BOOSTED_RUN)/manifest.json $(BUILD)/compare-boosted-venv/.compare-boosted ## the same for XGBoost behind a ColumnTransformer, and its batch sizes [COMPARE_FLAGS='-n 3 ...']
	@$(BIN)/compare -model boosted $(if $(PLOT),-plot '$(PLOT)') $(COMPARE_FLAGS)

.PHONY: compare-test
compare-test: ## all that is compared, on a small forest
	@$(MAKE) compare-inputs COMPARE=$(BUILD)/compare-tiny COMPARE_RUN=00000000000000000000000000000000 TINY=--tiny
	go -C cmd/tools test -tags integration -count=1 -run Candidates ./compare

COMPARE := $(BUILD)/compare
COMPARE_RUN := $(FOREST)
COMPARE_PYTHON := $(BUILD)/compare-venv/bin/python

.PHONY: compare-inputs
compare-inputs: $(addprefix $(BIN)/,compare compare-skiff compare-godense worker) $(COMPARE)/dense/dense.onnx \
  $(COMPARE)/trees/$(COMPARE_RUN)/manifest.json $(COMPARE)/table/$(COMPARE_RUN)/manifest.json

# The original pipeline: out of the example's store, or trained again.
$(COMPARE)/predictions.json: cmd/tools/compare/python/model.py $(TAXI)/runs.json $(TAXI)/predictions.parquet | $(VENV)/.convert
	@mkdir -p $(COMPARE)
	@PYTHONPATH=convert:$(TAXI) $(PYTHON) $< $(COMPARE) $(TINY)

$(COMPARE)/%/$(COMPARE_RUN)/manifest.json: $(COMPARE)/predictions.json $(wildcard convert/skiff_convert/*.py) | ops
	@rm -rf $(COMPARE)/$*
	@$(CONVERT) $(COMPARE)/model --run-id $(COMPARE_RUN) --lowering $* --out $(COMPARE)/$* >&2
	@touch $@

$(COMPARE)/dense/dense.onnx: cmd/tools/compare/python/dense.py $(COMPARE)/predictions.json $(BUILD)/compare-venv/.compare
	@echo "compare: converting the forest as sklearn-onnx does" >&2
	@$(COMPARE_PYTHON) $< $(COMPARE)/model/model.pkl $(@D)

$(BUILD)/compare-boosted/predictions.json: cmd/tools/compare/python/boosted_model.py $(TAXI)/rides.parquet | $(VENV)/.convert $(VENV)/.boosters
	@mkdir -p $(@D)
	@PYTHONPATH=convert:$(TAXI) $(PYTHON) $< $(@D)

$(BUILD)/compare-boosted/trees/$(BOOSTED_RUN)/manifest.json: $(BUILD)/compare-boosted/predictions.json cmd/tools/compare/python/boosted.toml $(wildcard convert/skiff_convert/*.py) | ops
	@rm -rf $(BUILD)/compare-boosted/trees
	@$(CONVERT) $(BUILD)/compare-boosted/model --run-id $(BOOSTED_RUN) --lowering trees --no-isolation --spec cmd/tools/compare/python/boosted.toml --out $(BUILD)/compare-boosted/trees >&2
	@touch $@
