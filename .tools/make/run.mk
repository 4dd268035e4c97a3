##@ Use it
.PHONY: run
run: skiff $(VENV)/.stack ## score 20,000 real rides through the local stack [RUN_ID=...] [BAD=share of them to make bad] [PAGE=8090]
	@$(BIN)/skiff run models/$(RUN_ID) --rides $(TAXI)/rides.parquet $(if $(BAD),--bad '$(BAD)') $(PAGE_FLAG)

.PHONY: up
up: skiff $(VENV)/.stack ## leave the local stack running for the aws command line [RUN_ID=...] [PORT=4566] [ALIAS=champion] [PAGE=8090]
	@$(BIN)/skiff up models/$(RUN_ID) --port '$(PORT)' $(if $(ALIAS),--alias '$(ALIAS)') $(PAGE_FLAG)

.PHONY: replay
replay: $(BIN)/skiff $(BIN)/local ## put dead letters, and what the mapping gave up, back on the local stack's stream
	@$(BIN)/skiff replay

.PHONY: down
down: $(BIN)/skiff $(BIN)/local ## stop it
	@$(BIN)/skiff down

.PHONY: skiff
skiff: $(BIN)/skiff $(BIN)/worker $(BIN)/local $(BIN)/rows ## the command that all of these call, .build/bin/skiff

.PHONY: rows
rows: $(BIN)/rows ## what reads parquet files for `worker -score`, beside it

PORT ?= 4566
# A live page beside it.
PAGE_FLAG = $(if $(PAGE),--page '127.0.0.1:$(PAGE)')
STACK = -run-id $(RUN_ID) -worker $(BIN)/worker -model models/$(RUN_ID) -ministack $(VENV)/bin/ministack
