#!/bin/sh
# Creates or updates the schema of Temporal's two databases; safe to run again. temporal-sql-tool reads the server and
# the login from the SQL_… variables.
set -eu
for database in temporal/temporal temporal_visibility/visibility; do
  name=${database%/*} schema=${database#*/}
  temporal-sql-tool --db "$name" setup-schema -v 0.0
  temporal-sql-tool --db "$name" update-schema -d "/etc/temporal/schema/postgresql/v12/$schema/versioned"
done
