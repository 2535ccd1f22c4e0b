#!/bin/sh
# Creates the secrets of compose.yaml in the folder `secrets` beside it, each with random content. Keeps those that exist.
#
# The identity is made by the image; `ESDB_GATER=esdb-gater ./make-secrets.sh` uses a command that is installed instead.
set -eu
cd "$(dirname "$0")"
folder=${SECRETS_DIR:-secrets}
umask 077
mkdir -p "$folder"

# 32 random bytes in hexadecimal.
random() {
  od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

for name in hmac-secret cluster-secret postgres-password; do
  [ -e "$folder/$name" ] || random >"$folder/$name"
done
[ -e "$folder/postgres-url" ] ||
  printf 'postgres://esdb_gater:%s@postgres:5432/esdb_gater' "$(cat "$folder/postgres-password")" >"$folder/postgres-url"

if [ ! -e "$folder/identity.json" ]; then
  if [ -n "${ESDB_GATER:-}" ]; then
    $ESDB_GATER identity new --file "$folder/identity.json"
  else
    docker compose build gateway-1
    docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD/$folder:/secrets" esdb-gater \
      identity new --file /secrets/identity.json
  fi
fi

# Compose mounts these files with their modes, and the containers have users of their own: the folder keeps others out.
chmod 0444 "$folder"/*
