# Every version we pin, in one place; Python's are locked by hash in requirements/, which tools/pin
# writes from the names here. Sourced by tools/setup, tools/pin and the benchmarks.

# --- Debian packages: Debian 12 pins them for us -------------------------------------------------
APT_BUILD="build-essential cmake ninja-build ccache mold pkg-config python3 python3-venv
  libpg-query-dev libprotobuf-c-dev libgmp-dev libxxhash-dev libisal-dev libzstd-dev
   libsqlite3-dev libpcre2-dev libspdlog-dev libfmt-dev libcli11-dev libedit-dev zlib1g-dev
   libmicrohttpd-dev libcurl4-openssl-dev libpq-dev libssl-dev
  libgtest-dev librapidcheck-dev"
APT_LINT="clang-14 clang-format-14 clang-tidy-14"

# --- Python: the names that tools/pin locks ------------------------------------------------------
PYTHON_MIN=3.11
PYTHON_LOCKED="3.11 3.12 3.13 3.14"
PYTHON_BUILD="pyarrow==26.0.1 adbc-driver-sqlite==1.13.0 adbc-driver-manager==1.13.0 numpy==2.4.6 pytest==9.2.0 prometheus-client==0.26.0 deltalake==1.1.4 duckdb==1.5.5 duckdb-extension-delta==1.5.5"
PYTHON_BENCH="duckdb==2.0.0 polars==2.1.0 pandas==3.1.1 pyarrow==26.0.1 numpy==2.4.6"
PYTHON_SPARK="pyspark==4.3.0"

# --- DuckDB's library with its ADBC entry point; the Python wheel's needs an interpreter ----------
DUCKDB_VERSION=1.5.6
DUCKDB_NPM=@duckdb/node-bindings-linux-x64@1.5.6-r.1
DUCKDB_SHA256=3f4962cdd266eab2b479a5b5a4a6d063d279b2954ae814ed00385d553b747633
