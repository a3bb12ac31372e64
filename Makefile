# One build, in the release profile, serves run, test and lint: RocksDB's C++ compiles once.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/ukehi/target
CARGO ?= cargo
UKEHI := $(CARGO_TARGET_DIR)/release/ukehi
# A campaign of the simulator: how long, how many seeds for each mutant, where its table goes.
HOURS ?= 1
MUTANT_SEEDS ?= 100
REPORT ?= sim-campaign.md

.PHONY: demo build test evm independent test-lib lint doc deny sim mutants campaign bench peers gates tools test-tools fmt

demo: build            ## the whole story: three nodes, 64 commands, a crash, an audit
	@scripts/demo.sh $(UKEHI)

build: tools
	@$(CARGO) build --release --bin ukehi

test: test-tools       ## the whole test suite; what CI runs
	$(CARGO) test --release --workspace
	@$(MAKE) --no-print-directory mutants independent evm

independent: test-tools ## a second verifier, in Python, over the vectors
	@scripts/independent.sh

evm: test-tools        ## the generated contract, compiled by solc, run in an EVM
	$(CARGO) test --release --manifest-path tests/evm/Cargo.toml

test-lib:              ## the library an auditor embeds: no tokio, libp2p or RocksDB
	$(CARGO) test --release --no-default-features --lib

lint: tools
	$(CARGO) clippy --release --workspace --all-targets -- -D warnings

doc: tools
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --workspace --no-deps

fmt:
	$(CARGO) fmt --all

deny:                  ## advisories, licences, sources
	@scripts/deny.sh

sim: tools             ## what CI runs of the simulator; make sim SEED=n replays one run
	$(if $(SEED),UKEHI_SIM_SEED=$(SEED)) $(CARGO) test --release --test sim -- $(if $(SEED),--nocapture --exact replay)

mutants: tools         ## bugs of others put back: each must be found by its plot and its seed
	$(CARGO) test --release --features mutants --test sim -- mutants::
	@$(CARGO) build --release --bin ukehi   # the binary people run has none of them

campaign: tools        ## fresh seeds: make campaign HOURS=h [MUTANT_SEEDS=n] [REPORT=file]
	UKEHI_SIM_HOURS=$(HOURS) UKEHI_SIM_REPORT=$(abspath $(REPORT)) \
	  $(CARGO) test --release --test sim -- --nocapture campaign::campaign
	UKEHI_SIM_MUTANT_CAMPAIGN=$(MUTANT_SEEDS) UKEHI_SIM_REPORT=$(abspath $(REPORT)) \
	  $(CARGO) test --release --features mutants --test sim -- --nocapture campaign::mutants

bench: tools
	$(CARGO) bench --profile release -p ukehi-kernels -p ukehi-provers -p ukehi-circuits

peers: tools           ## other hands' provers for `ukehi bench run`, beside the binary
	@$(CARGO) build --release --manifest-path benches/peers/Cargo.toml

gates: build peers     ## the run that docs/gates.md records: some 12 minutes on two idle cores
	@scripts/gates.sh $(UKEHI) docs/gates.md

tools:
	@scripts/tools.sh

test-tools: tools      ## what only the tests need: npm and Python packages
	@scripts/test-tools.sh
