##@ Use it
.PHONY: run
run: $(BIN)/worker $(BIN)/local $(VENV)/.stack ## score 20,000 real rides through the local stack [RUN_ID=...] [BAD=share of them to make bad]
	@$(BIN)/local run $(STACK) -rides $(TAXI)/rides.parquet $(if $(BAD),-bad '$(BAD)')

.PHONY: up
up: $(BIN)/worker $(BIN)/local $(VENV)/.stack $(if $(ALIAS),skiff) ## leave the local stack running for the aws command line [RUN_ID=...] [PORT=4566] [ALIAS=champion]
	@$(BIN)/local up $(STACK) -port '$(PORT)' $(if $(ALIAS),-alias '$(ALIAS)')

.PHONY: replay
replay: $(BIN)/local ## put dead letters, and what the mapping gave up, back on the local stack's stream
	@$(BIN)/local replay

.PHONY: down
down: $(BIN)/local ## stop it
	@$(BIN)/local down

.PHONY: skiff
skiff: $(BIN)/skiff $(BIN)/worker $(BIN)/rows ## the command that proves, tries and changes a model, .build/bin/skiff

.PHONY: rows
rows: $(BIN)/rows ## what reads parquet files for `worker -score`, beside it

PORT ?= 4566
STACK = -run-id $(RUN_ID) -worker $(BIN)/worker -model models/$(RUN_ID) -ministack $(VENV)/bin/ministack
