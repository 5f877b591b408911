#!/bin/sh
# debian:bookworm-slim made here, for machines that Docker Hub does not answer: the same packages and the same exclusions
# as the official image (debuerreotype's slim variant), as a tar on standard output.
set -eu
release=$1
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -f "$keyring" ] || { echo "$keyring is missing: apt-get install debian-archive-keyring" >&2; exit 1; }
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/etc/dpkg/dpkg.cfg.d"
for path in doc groff info linda lintian locale man; do
  echo "path-exclude /usr/share/$path/*"
done > "$root/etc/dpkg/dpkg.cfg.d/docker"
echo 'path-include /usr/share/doc/*/copyright' >> "$root/etc/dpkg/dpkg.cfg.d/docker"
# The mirror speaks plain HTTP; its signature is what makes its packages trustworthy, so one is required.
debootstrap --force-check-gpg --keyring="$keyring" --variant=minbase --include=ca-certificates "$release" "$root" ${2:+"$2"} >&2
# The mirror that was used: the one given, else debootstrap's own.
mirror=$(awk '$1 == "deb" { print $2; exit }' "$root/etc/apt/sources.list")
find "$root/usr/share/doc" -mindepth 2 ! -name copyright ! -type d -delete
rm -rf "$root"/usr/share/groff "$root"/usr/share/info "$root"/usr/share/lintian "$root"/usr/share/locale "$root"/usr/share/man \
  "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/cache/debconf/*-old "$root"/var/log/* "$root"/debootstrap
cat > "$root/etc/apt/sources.list" <<LIST
deb $mirror $release main
deb $mirror $release-updates main
deb ${mirror%/debian}/debian-security $release-security main
LIST
: > "$root/etc/machine-id"
tar -C "$root" --numeric-owner --sort=name -c .
