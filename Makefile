# Kehu: `make demo` and `make test` are all you need to begin. See README.md.
# Plain make and sh, on Linux and macOS alike.

DATA_DIR ?= var
PORT ?= 8000
export DATA_DIR PORT

VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev
PREPARED := $(DATA_DIR)/.prepared
CATALOGUES := $(wildcard locale/*/LC_MESSAGES/*.po)
STATIC := $(shell find static -type f 2>/dev/null)
PIP := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: help install install-dev demo serve migrate test check format messages bench clean

help:
	@echo "make demo      run the product with a made-up company in it, on port $(PORT)"
	@echo "make test      run every test, on SQLite and on PostgreSQL with Redis"
	@echo "make serve     run the product with the settings of the environment"
	@echo "make migrate   create or upgrade the database"
	@echo "make install   what demo and serve need; they call it themselves"
	@echo "make check     format, lint, types, import contracts, migrations, translations"
	@echo "make format    put the code into its format"
	@echo "make messages  take new strings into the translation catalogue"
	@echo "make bench     measure the promises of speed, on PostgreSQL"
	@echo "make clean     remove the environment and caches; data stays"

install: $(INSTALLED) $(PREPARED)

install-dev: $(INSTALLED_DEV) $(PREPARED)

$(RUN):
	python=$$(scripts/find-python) && "$$python" -m venv $(VENV)

$(INSTALLED): $(RUN) requirements.txt constraints.txt
	@echo "Installing into $(VENV); the first time takes a minute."
	$(PIP) -r requirements.txt
	@touch $@

$(INSTALLED_DEV): $(INSTALLED) requirements-dev.txt
	@echo "Installing what tests and checks need."
	$(PIP) -r requirements-dev.txt
	@touch $@

# The secret key, compiled translations and static files of this DATA_DIR.
$(PREPARED): $(INSTALLED) $(CATALOGUES) $(STATIC)
	@mkdir -p "$(DATA_DIR)"
	$(RUN) -m crm.lib.secret "$(DATA_DIR)/secret_key"
	$(RUN) -m scripts.messages compile
	DEBUG=0 $(RUN) manage.py collectstatic --noinput -v0
	@touch "$@"

demo: install
	@exec $(RUN) manage.py serve --demo

serve: install
	@exec $(RUN) manage.py serve

migrate: install
	$(RUN) manage.py migrate

test: install-dev
	@exec $(RUN) -m scripts.test $(TEST)

check: install-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(RUN) manage.py makemigrations --check --dry-run
	$(RUN) -m scripts.messages check

format: install-dev
	$(BIN)/ruff check --fix --select I .
	$(BIN)/ruff format .

messages: install-dev
	$(RUN) -m scripts.messages update
	$(RUN) -m scripts.messages compile

bench: install-dev
	$(RUN) -m benchmarks $(BENCH)

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
