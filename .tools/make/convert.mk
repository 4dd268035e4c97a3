##@ Convert it
.PHONY: convert
convert: convert-what $(VENV)/.convert ops $(BIN)/skiff ## convert a run: MODEL=<folder, runs:/..., models:/...> [SPEC=file] [SAMPLE=file] [OUT=models] [LOG=1] [SIGN=key] [NO_ISOLATION=1] [ACCEPT_BOUND=1] [LOWERING=auto|trees|table] [TABLE_BUDGET=32]; or INIT=file, EXPLAIN=file.svg
	@$(BIN)/skiff convert '$(MODEL)' $(if $(SPEC),--spec '$(SPEC)') $(if $(SAMPLE),--sample '$(SAMPLE)') --out '$(or $(OUT),models)' \
	  $(if $(LOG),--log) $(if $(SIGN),--sign '$(SIGN)') $(if $(NO_ISOLATION),--no-isolation) $(if $(ACCEPT_BOUND),--accept-bound) $(if $(INIT),--init '$(INIT)') $(if $(EXPLAIN),--explain '$(EXPLAIN)') \
	  $(if $(LOWERING),--lowering '$(LOWERING)') $(if $(TABLE_BUDGET),--table-budget '$(TABLE_BUDGET)') \
	  $(if $(filter command,$(origin RUN_ID)),--run-id '$(RUN_ID)')

.PHONY: convert-what
convert-what:
	@test -n '$(MODEL)' || { echo "convert: error: MODEL is not set" >&2; \
	  echo "hint: make convert MODEL=runs:/<RUN_ID>/model, or an MLflow model's folder" >&2; exit 2; }

.PHONY: example
example: $(VENV)/.convert ops ## make the two taxi runs again: train, log to MLflow, convert
	@$(PYTHON) $(TAXI)/train.py
	@for run in $$(sed -n 's/.*: *"\([0-9a-f]*\)".*/\1/p' $(TAXI)/runs.json); do \
	  MLFLOW_TRACKING_URI=sqlite:///$(CURDIR)/$(BUILD)/mlflow/mlflow.db $(CONVERT) runs:/$$run/model --out models; done
	@PYTHONPATH=convert $(PYTHON) $(TAXI)/sketch.py

CONVERT = PYTHONPATH=convert $(PYTHON) -m skiff_convert
