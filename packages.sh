#!/bin/sh
# packages.sh SECTION...: installs what is missing of these sections of packages.txt. Quiet when
# nothing is missing.
set -eu
cd "$(dirname "$0")"

if ! command -v dpkg-query >/dev/null; then
    echo "packages.sh: this is not Debian; the packages that are needed are in packages.txt" >&2
    exit 0
fi

wanted=$(awk -v sections=" $* " '
    /^\[/ { gsub(/[][]/, "", $1); on = index(sections, " " $1 " "); next }
    { sub(/#.*/, "") }
    on && NF { print $1 }' packages.txt)
installed=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' $wanted 2>/dev/null || true)"
missing=
for package in $wanted; do
    case $installed in
        *" installed:$package "*) ;;
        *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "packages.sh: missing:$missing; install them as root: apt-get install$missing" >&2
        exit 1
    fi
    as_root=sudo
fi
echo "Installing with apt-get (the reasons are in packages.txt):$missing"
$as_root apt-get update -qq
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    $missing >/dev/null
