##@ Measure it
.PHONY: bench
bench: $(BIN)/bench $(BIN)/worker ## compare batch sizes on real rides [RUN_ID=...] [BENCH='-format html ...']
	@$(BIN)/bench -model models/$(RUN_ID) $(BENCH)
