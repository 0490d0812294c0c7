#!/usr/bin/env bash
# Writes the mirror repository for pre-commit: it depends on the wheel of one version, so that nobody
# who uses the hooks compiles Rust. Its tags are our tags.
#
#   packaging/mirror.sh 0.1.0 ../plimsoll-pre-commit
set -euo pipefail
version=$1
mirror=$2
mkdir -p "$mirror"
cp "$(dirname "$0")/../.pre-commit-hooks.yaml" "$mirror/"
cat >"$mirror/pyproject.toml" <<EOF
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "plimsoll-pre-commit"
version = "$version"
dependencies = ["plimsoll==$version"]

[tool.setuptools]
py-modules = []
EOF
