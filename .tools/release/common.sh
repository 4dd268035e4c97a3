# Sourced by the scripts beside it: messages, and where and for what is built.
out=.build/release
version=${1:?VERSION}
number=${version#v}

say() { printf 'release: %3d s  %s\n' "$SECONDS" "$1" >&2; }
fail() { # MESSAGE HINT
  printf 'release: error: %s\nhint: %s\n' "$1" "$2" >&2
  exit 1
}

# glibc FILE...: the version of the C library that programs or libraries for Linux need.
glibc() { { objdump -T "$@" 2>/dev/null || :; } | grep -o 'GLIBC_[0-9.]*' | cut -d_ -f2 | sort -uV | tail -n 1; }

[[ $version == v[0-9]* ]] || fail "VERSION is $version" "a tag, as v0.1.0"
system=$(go env GOOS) arch=$(go env GOARCH)
name=skiff-$version-$system-$arch
# Files have the commit's date, so that the same commit makes the same bytes.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 315532800)
export SOURCE_DATE_EPOCH
mkdir -p "$out"
