.PHONY: test-matrix
test-matrix: $(VENV)/.convert $(VENV)/.matrix $(BIN)/worker onnxruntime ## pipelines made at random, environments of many years, to the worker [PART=ci] [SEEDS=300] [PIPELINES=7,40-60] [ENVIRONMENTS=word] [JOBS=n] [KEEP=1]
	@PYTHONPATH=convert $(PYTHON) -m matrix $(if $(PART),--part '$(PART)') $(if $(SEEDS),--seeds '$(SEEDS)') \
	  $(if $(PIPELINES),--pipelines '$(PIPELINES)') $(if $(ENVIRONMENTS),--environments '$(ENVIRONMENTS)') \
	  $(if $(JOBS),--jobs '$(JOBS)') $(if $(KEEP),--keep)

.PHONY: scoreboard
scoreboard: $(VENV)/.convert $(VENV)/.matrix $(VENV)/.scoreboard $(BIN)/worker onnxruntime ## the same pipelines through skiff, sklearn-onnx, onnxmltools, treelite [SEEDS=50] [PIPELINES=7,40-60]
	@PYTHONPATH=convert $(PYTHON) -m matrix.scoreboard $(if $(SEEDS),--seeds '$(SEEDS)') $(if $(PIPELINES),--pipelines '$(PIPELINES)')
