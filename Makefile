# The commands are in .tools/make, by topic. Everything they install or build is under .build; `make clean` removes it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BUILD := .build
BIN := $(BUILD)/bin
TAXI := models/taxi

# The runs of models/, a random forest and a linear regression, and the run that is served, which is the forest's unless another is named.
FOREST := $(shell sed -n 's/.*"forest": *"\([^"]*\)".*/\1/p' $(TAXI)/runs.json)
LINEAR := $(shell sed -n 's/.*"linear": *"\([^"]*\)".*/\1/p' $(TAXI)/runs.json)
RUN_ID ?= $(FOREST)

# What the rest is made with, and the rest in the order of `make help`.
include .tools/make/python.mk .tools/make/go.mk
TOPICS := $(patsubst %,.tools/make/%.mk,run convert bench compare deploy image release docs work matrix)
include $(TOPICS)
