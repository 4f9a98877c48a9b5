# The commands of the project; `make help` lists them.

PYTHON ?= python3
BIN := .venv/bin
export DJANGO_SETTINGS_MODULE := tickets_project.settings
override PORT := $(or $(PORT),8000)
override GATEWAY_PORT := $(or $(GATEWAY_PORT),8888)
export GATEWAY_PORT
PROCESSES ?= 2

# Made-up settings of a production installation, for the deploy checks.
PRODUCTION = HTTPS=on TRUSTED_PROXIES=1 ALLOWED_HOSTS=tickets.example VENDOR_WEBHOOK_SECRET=whsec_Y2hlY2s= \
	SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))') \
	DATABASE_URL=postgresql://tickets@db.example/tickets GATEWAY_URL=https://gateway.example EMAIL_URL=smtp+tls://mail.example:587 \
	SITE_URL=https://tickets.example

.DEFAULT_GOAL := help
.PHONY: help install demo run worker gateway test lint types check prove bench clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: .venv/installed ## make .venv with everything in it

.venv/installed: requirements.txt requirements-dev.txt requirements-otel.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

demo: install ## run everything on embedded defaults, with a little data; Ctrl-C stops it
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py fill_demo --port $(PORT)
	@WEB_PORT=$(PORT) SITE_URL="$${SITE_URL:-http://127.0.0.1:$(PORT)}" OPS_EMAIL="$${OPS_EMAIL:-ops@tickets.example}" \
		LOG_FORMAT=console $(BIN)/honcho start

run: install ## the web server alone
	$(BIN)/python manage.py migrate --verbosity 0
	SITE_URL="$${SITE_URL:-http://127.0.0.1:$(PORT)}" $(BIN)/gunicorn tickets_project.wsgi --bind 127.0.0.1:$(PORT)

worker: install ## the worker alone
	SITE_URL="$${SITE_URL:-http://127.0.0.1:$(PORT)}" $(BIN)/python manage.py run_worker

gateway: install ## the simulated gateway alone
	$(BIN)/python manage.py gateway_simulator --vendor-webhook-url "http://127.0.0.1:$(PORT)/api/v1/vendor/tickets-status/"

test: install ## all tests, in two processes; PROCESSES=4 runs them in four
	$(if $(COVERAGE),$(BIN)/coverage run -m pytest,$(BIN)/python -m pytest) --numprocesses $(PROCESSES) --dist worksteal

lint: install ## ruff and the import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: install ## mypy --strict
	$(BIN)/mypy .

check: install lint types ## what CI runs: lint, types, migrations, deploy checks, all tests with their coverage
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/coverage erase
	$(MAKE) test COVERAGE=on
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

prove: export LIFE_CYCLE_EXAMPLES := $(or $(EXAMPLES),2000)
prove: install ## the long form of the proofs that the tests run in short, about two hours
	$(BIN)/python -m pytest tests/bookings/test_life_cycle_machine.py
	BUNDLE_ORDERS=500000 $(BIN)/python -m pytest tests/vip_bundles/test_process_orders.py
	VIP_BUNDLE_KILLS=all $(BIN)/python -m pytest tests/crash/test_vip_bundles.py
	VIP_BUNDLE_CROWD=200 $(BIN)/python -m pytest tests/journeys/test_vip_bundles_at_once.py
	KILLS=100 KILL_EVENTS=20000 $(BIN)/python -m pytest --log-cli-level=INFO tests/crash/test_many_kills.py tests/crash/test_kills.py
	BACKLOG=100000 $(BIN)/python -m pytest --log-cli-level=INFO tests/crash/test_backlog.py
	CLAIMS_EXAMPLES=300 $(BIN)/python -m pytest tests/tickets_project/outbox/test_claims_machine.py
	TWO_SESSIONS=all $(BIN)/python -m pytest tests/tickets_project/outbox/test_two_sessions.py
	HOST_LOSSES=3 $(BIN)/python -m pytest --log-cli-level=INFO tests/crash/hosts

bench: install .venv-bench/installed ## the benchmarks, as ratios against something measured in the same run
	$(BIN)/python -m bench.run events
	$(BIN)/python -m bench.run print_tickets
	$(BIN)/python -m bench.run serving
	$(BIN)/python -m bench.run ageing
	$(BIN)/python -m bench.results

.venv-bench/installed: requirements-bench.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@

clean: ## remove .venv, .venv-bench and var/, the embedded database with them
	rm -rf .venv .venv-bench var .coverage .coverage.*
