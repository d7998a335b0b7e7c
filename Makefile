# One command: `make run`. Each target is one line; the work is in devnet/ and in the tools themselves.
.DEFAULT_GOAL := help
.PHONY: help run up down status demo smoke test chaos bench mutate check reset lock docker-build docker-up docker-logs docker-down
ARGS ?=

help:  ## Show what can be typed
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run:  ## Set everything up and run it here, until Ctrl-C (PORT_OFFSET=100 moves every port)
	@exec python3 devnet/bootstrap.py run

up:  ## The same in the background: returns when everything is ready
	@exec python3 devnet/bootstrap.py up

down:  ## Stop what `make up` started
	@exec python3 devnet/bootstrap.py down

status:  ## Say whether it runs, and what
	@exec python3 devnet/bootstrap.py status

demo:  ## Send a signed signal to the running system and follow it, there and back
	@exec python3 devnet/bootstrap.py demo

smoke:  ## The short critical checks against a running system (starts one if none runs)
	@exec python3 devnet/bootstrap.py smoke

test:  ## Set up what the tests need and run them (ARGS="-k nonce")
	@exec python3 devnet/bootstrap.py test $(ARGS)

chaos:  ## Faults on purpose, each signal counted on the chain (ARGS="--only matrix --minutes 5 --seed 7")
	@exec python3 devnet/bootstrap.py chaos $(ARGS)

bench:  ## Throughput and latency, beside the limits of the node and the database (ARGS="--json")
	@exec python3 devnet/bootstrap.py bench $(ARGS)

mutate:  ## Every small change of the rules must make a test fail (ARGS="--only risk --seed 1")
	@exec python3 devnet/bootstrap.py mutate $(ARGS)

check:  ## Format, lint, types, layers, migrations
	@exec python3 devnet/bootstrap.py check

reset:  ## Empty the local database, Redis and chain
	@exec python3 devnet/bootstrap.py reset

lock:  ## Write the three locks again from pyproject.toml, with hashes
	@exec python3 devnet/bootstrap.py lock

docker-build:  ## Build the image
	@docker compose build

docker-up:  ## Start the services in containers
	@docker compose up --detach

docker-logs:  ## Follow the containers' logs
	@docker compose logs --follow --tail=100

docker-down:  ## Stop the containers (their data stays)
	@docker compose down
