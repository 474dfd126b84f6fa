#!/bin/sh
# Puts the URL of the database together from a secret in a file, so that it stands in no compose
# file and in no `docker inspect`.
set -eu
SERVICES88_DATABASE="postgresql://services88:$(cat /run/secrets/database_password)@postgres/services88"
export SERVICES88_DATABASE
exec services88 "$@"
