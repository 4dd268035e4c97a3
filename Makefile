# The commands are in .tools/make, by topic. Everything they install or build is under .build; `make clean` removes it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BUILD := .build
BIN := $(BUILD)/bin
TAXI := models/taxi
UV := $(BUILD)/uv/bin/uv
VENV := $(BUILD)/venv
PYTHON := $(VENV)/bin/python
SHIMS := $(BUILD)/shims
GOLANGCI_LINT_VERSION := v2.15.0
GOLANGCI_LINT := $(BUILD)/golangci-lint-$(GOLANGCI_LINT_VERSION)/golangci-lint

# The random forest of models/, and the run that is served, which is the forest's unless another is named.
FOREST := $(shell sed -n 's/.*"forest": *"\([^"]*\)".*/\1/p' $(TAXI)/runs.json)
RUN_ID ?= $(FOREST)

# Those that people type, then what these are made with. `make help` lists them in this order.
TOPICS := run convert bench compare deploy image work go python
include $(TOPICS:%=.tools/make/%.mk)
