#!/bin/sh
# Builds build/tun_tap.node with gcc and npm's node-api-headers alone. Does nothing when it is newer than its sources.
set -eu
cd "$(dirname "$0")"
output=build/tun_tap.node

if [ "$(uname -s)" != Linux ]; then
  echo 'tun-tap: not Linux, so the native part is not built; everything that needs a device will say so when used' >&2
  exit 0
fi
if [ -f "$output" ] && [ -z "$(find native build.sh -newer "$output" -print | head -n 1)" ]; then
  exit 0
fi

headers=${NODE_API_HEADERS:-}
for folder in node_modules/node-api-headers/include ../node_modules/node-api-headers/include ../../node-api-headers/include; do
  if [ -z "$headers" ] && [ -f "$folder/node_api.h" ]; then headers=$folder; fi
done
if [ -z "$headers" ]; then
  echo 'tun-tap: node-api-headers not found: run npm install, or set NODE_API_HEADERS to the folder that holds node_api.h' >&2
  exit 1
fi
compiler=${CC:-gcc}
if ! command -v "$compiler" >/dev/null 2>&1; then
  echo "tun-tap: no C compiler ('$compiler'): install one (Debian, Ubuntu: apt-get install gcc libc6-dev) or set CC" >&2
  exit 1
fi

mkdir -p build
# Written beside and moved into place: a process that has the old one mapped keeps it whole, and two builds at once do no harm.
"$compiler" -shared -fPIC -O2 -g -std=gnu11 -Wall -Wextra -Werror -fvisibility=hidden -D_GNU_SOURCE \
  -DNAPI_VERSION=8 -isystem "$headers" -o "$output.$$" native/*.c -lpthread
mv "$output.$$" "$output"
echo "tun-tap: built $output" >&2
