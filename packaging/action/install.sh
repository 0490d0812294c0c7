#!/usr/bin/env bash
# Puts a released plimsoll on the path of the job's later steps.
#
# VERSION   a version, "latest", or nothing for the version of this action
# RELEASES  where the releases are: $RELEASES/download/v$VERSION/$ASSET
# The rest is set by the runner.
set -euo pipefail

case "$RUNNER_OS-$RUNNER_ARCH" in
    Linux-X64) target=x86_64-unknown-linux-musl ;;
    Linux-ARM64) target=aarch64-unknown-linux-musl ;;
    macOS-X64) target=x86_64-apple-darwin ;;
    macOS-ARM64) target=aarch64-apple-darwin ;;
    Windows-X64) target=x86_64-pc-windows-msvc ;;
    *)
        echo "::error::plimsoll is not released for $RUNNER_OS on $RUNNER_ARCH"
        exit 1
        ;;
esac

if [[ -z $VERSION ]]; then
    VERSION=$(sed -n '/^version = /{s/.*"\(.*\)"/\1/p;q;}' "$GITHUB_ACTION_PATH/Cargo.toml")
fi
if [[ $VERSION == latest ]]; then
    release=$RELEASES/latest/download
else
    release=$RELEASES/download/v${VERSION#v}
fi

# Not below a folder of the workspace: it would be checked.
folder=$(mktemp -d "$RUNNER_TEMP/plimsoll.XXXXXX")
cd "$folder"
asset=plimsoll-$target.tar.gz
for file in "$asset" SHA256SUMS; do
    if ! curl --fail --silent --show-error --location --retry 3 --output "$file" "$release/$file"; then
        echo "::error::plimsoll can't be downloaded from $release/$file"
        exit 1
    fi
done

sha256=(sha256sum)
command -v sha256sum >/dev/null || sha256=(shasum -a 256)
if ! grep " $asset\$" SHA256SUMS | "${sha256[@]}" --check -; then
    echo "::error::$asset is not what SHA256SUMS of the release says"
    exit 1
fi

tar -xzf "$asset"
./plimsoll --version
# Windows wants its own way of writing a path.
if command -v cygpath >/dev/null; then folder=$(cygpath --windows "$folder"); fi
echo "$folder" >>"$GITHUB_PATH"
