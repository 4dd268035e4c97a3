##@ Deploy it
.PHONY: deploy-test
deploy-test: $(BIN)/worker $(VENV)/.stack $(VENV)/.deploy $(SHIMS) ## the template, the swap and deploy/README.md, on stand-ins
	$(VENV)/bin/cfn-lint --include-checks I -- deploy/template.yaml
	env -u PYTHONDONTWRITEBYTECODE $(PYTHON) -m pytest -q -n 2 --dist loadfile deploy/tests

.PHONY: swap
swap: ## have the stack on AWS serve another run: RUN_ID=... [STACK_NAME=...]
	@$(if $(filter environment command,$(origin RUN_ID)),deploy/swap '$(RUN_ID)',\
	  { echo "swap: error: RUN_ID is not set" >&2; echo "hint: make swap RUN_ID=<the run to serve>" >&2; exit 2; })

.PHONY: rollback
rollback: ## have it serve the run before again [STACK_NAME=...]
	@deploy/swap -back
