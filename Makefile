# Ray on Golem, the appliance. `make` lists what it can do.
.DEFAULT_GOAL := help
SHELL := /bin/bash
CODE := services/bridge/golem_bridge services/devnet/golem_devnet services/ray_plugin/ray_on_golem docker/yagna/yagna_entry grafana/boards appliance tests

.PHONY: help demo up down devnet devnet-down devnet-reset image console doctor backup restore support-bundle logs status test test-unit bench check lock dashboards reference

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## everything: set-up, a Ray job on rented nodes, the bill
	@python3 -m appliance demo

up: ## set up and start the appliance
	@python3 -m appliance up

down: ## stop the appliance; refuses while nodes are rented (FORCE=1 stops all the same)
	@python3 -m appliance down

console: ## print a link to the console, with the token in it
	@python3 -m appliance console

devnet: ## only a Golem network on this machine, for any requestor: . run/devnet.env
	@python3 -m appliance devnet

devnet-down: ## stop that network
	@python3 -m appliance devnet-down

devnet-reset: ## stop the appliance, remove its devnet's chain, providers and wallet (no other wallet)
	@python3 -m appliance devnet-reset

image: ## put a Docker image into the catalogue of every devnet that runs here (IMAGE=name TAG=tag-for-cluster-files)
	@python3 -m appliance image "$(IMAGE)" "$(TAG)"

doctor: ## look at everything the appliance needs (ARGS=--json)
	@python3 -m appliance doctor $(ARGS)

backup: ## copy wallet and books into run/backup; refuses while nodes are rented
	@python3 -m appliance backup

restore: ## bring wallet and books back: make restore FROM=run/backup/DATE.tar.gz
	@FROM='$(FROM)' python3 -m appliance restore

support-bundle: ## logs and findings for somebody who helps, without secrets
	@python3 -m appliance support-bundle

logs: ## follow the containers' logs
	@docker compose logs --follow --tail 50

status: ## containers, clusters and their nodes
	@test -x .venv/bin/ray-on-golem || { echo "Nothing is set up here yet — run: make up" >&2; exit 1; }
	@docker compose ps
	@.venv/bin/ray-on-golem status

test: ## all tests, the end-to-end ones too, on an appliance of its own (KEEP=1 leaves it running)
	@python3 -m appliance test

test-unit: .venv-test/.wanted ## the quick tests, without containers
	@.venv-test/bin/python -m pytest -q tests/unit tests/dashboards

bench: .venv-test/.wanted ## the benchmarks, all or some: make bench ARGS="plugin_import" (ARGS=--list)
	@.venv-test/bin/python -m tests.bench $(ARGS)

check: .venv-test/.wanted ## style, types
	@.venv-test/bin/ruff check .
	@.venv-test/bin/ruff format --check --quiet .
	@.venv-test/bin/mypy $(CODE)

dashboards: .venv-test/.wanted ## write grafana/dashboards anew from grafana/boards
	@.venv-test/bin/python -m grafana.boards

reference: .venv-test/.wanted ## write docs/METRICS.md anew from the metric catalogue
	@PYTHONPATH=services/bridge .venv-test/bin/python -m golem_bridge.telemetry.reference > docs/METRICS.md

lock: ## pin all requirements anew (needs uv)
	@tests/lock.sh

.venv-test/.wanted: tests/requirements.txt
	@appliance/test-tools.sh
