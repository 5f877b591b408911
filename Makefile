# A thin list over `uv run`; each target says what it is for (make help).
SHELL := /bin/sh
UV := scripts/uv
RUN := $(UV) run --quiet --all-extras
export PYTHONUNBUFFERED = 1

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-down test lint test-unit test-conformance test-compiled test-controlplane test-e2e gen gen-check cluster cluster-down \
	kubeconfig builder images bench-operator bench-client bench-serving bench-styles bench-request bench-images

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /  make \1|/p' Makefile | awk -F'|' '{printf "%-24s%s\n", $$1, $$2}'

setup: ## the Python environment (every other target does this by itself)
	@$(UV) sync --quiet --all-extras

demo: setup ## a cluster, images, the chart, a service and a prediction, from nothing
	@$(RUN) python -m demo

demo-down: cluster-down ## remove what the demo made

test: setup ## everything that CI runs: lint, unit, conformance, control plane, end to end
	@$(RUN) python -m tests.run

lint: setup ## ruff, mypy --strict, import-linter, stale generated files
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy
	@$(RUN) lint-imports --no-cache >/dev/null || $(RUN) lint-imports --no-cache
	@$(MAKE) --silent gen-check

test-unit: setup ## pure tests, seconds
	@$(RUN) pytest -q -n 2 tests/unit

test-conformance: setup ## the model server in real processes, beside genuine kserve
	@$(RUN) pytest -q tests/conformance

test-compiled: setup ## the server as images run it, compiled; needs gcc
	@$(RUN) python -m tests.compiled

test-controlplane: setup ## against a real kube-apiserver and etcd
	@$(RUN) pytest -q tests/controlplane

test-e2e: setup ## real pods, images, ingress, S3 and volumes
	@$(RUN) pytest -q tests/e2e

gen: setup ## regenerate crds/, the chart's copy, its schema and values, and docs/reference.md
	@$(RUN) python -m modelwright_operator.api.crd > crds/serving.kserve.io_inferenceservices.yaml
	@$(RUN) python -m modelwright_operator.api.modelimage_crd > crds/modelwright.dev_modelimages.yaml
	@$(RUN) python -m charts.generate
	@$(RUN) python -m docs.generate

gen-check: setup ## fail where a generated file is stale
	@$(RUN) python -m modelwright_operator.api.crd | cmp - crds/serving.kserve.io_inferenceservices.yaml
	@$(RUN) python -m modelwright_operator.api.modelimage_crd | cmp - crds/modelwright.dev_modelimages.yaml
	@$(RUN) python -m charts.generate --check
	@$(RUN) python -m docs.generate --check

cluster: setup ## bring up the test Kubernetes (idempotent)
	@$(RUN) python -m cluster up

cluster-down: setup ## remove every trace of it
	@$(RUN) python -m cluster down

kubeconfig: ## print the path of its kubeconfig (make -s kubeconfig)
	@$(RUN) python -m cluster kubeconfig

builder: setup ## base images and the builder, in the local registry
	@$(RUN) python -m buildpacks.builder

images: builder ## the operator's image and the examples'
	@$(RUN) python -m buildpacks.build . localhost:5000/modelwright/modelwright:dev
	@$(RUN) python -m buildpacks.build runtimes/examples/01-iris localhost:5000/modelwright/iris:dev
	@$(RUN) python -m buildpacks.build runtimes/examples/02-alexnet localhost:5000/modelwright/alexnet:dev

bench-operator: setup ## the operator beside KServe's controller, one run, one table
	@$(RUN) python -m tests.bench.operator

bench-client: setup ## our API client beside kubernetes.aio
	@$(RUN) python -m tests.bench.client

bench-serving: setup ## the model server beside kserve, MLServer, LitServe, BentoML and a bare ASGI floor (ARGS="--soak 60 --plot FILE.png")
	@$(RUN) python -m tests.bench.serving $(ARGS)

bench-styles: setup ## what the styles cost, shared memory beside the socket, NOS submit on two replicas (ARGS="--seconds 60 --json FILE")
	@$(RUN) python -m tests.bench.styles $(ARGS)

bench-request: setup ## the instructions of one small request by piece and style, counted by callgrind (ARGS="--styles kserve --json FILE")
	@$(RUN) python -m tests.bench.request $(ARGS)

bench-images: setup ## images of the numpy example beside MLServer's (ARGS="--repeat 5 --json FILE.json")
	@$(RUN) python -m tests.bench.images $(ARGS)
