#!/usr/bin/env bash
# A PostgreSQL to throw away, for tests.
#
#   scripts/postgres.sh start DIR      makes and starts one in DIR, prints postgres://postgres@127.0.0.1:PORT
#   scripts/postgres.sh database DIR   makes an empty database in it, prints its address
#   scripts/postgres.sh reload DIR     lets it read its configuration again
#   scripts/postgres.sh crash DIR      stops it without a farewell and starts it again
#   scripts/postgres.sh stop DIR       stops it and removes its files
#
# POSTGRES_OPTIONS are added to the server's, such as '-c fsync=on'.
#
# Listens on a free loopback port and trusts everyone who reaches it. Nothing it holds survives a power cut. Its
# locale is not C, so that sorting by byte and sorting by language are told apart. Works as root (the server
# then runs as user postgres) and as an ordinary user.
set -euo pipefail

say() { printf '%s\n' "$*" >&2; }

# Prints the folder of the newest PostgreSQL's programs, or nothing.
programs() {
  local found
  found=$(find /usr/lib/postgresql /usr/pgsql-* /opt/homebrew/opt/postgresql* -path '*bin/initdb' 2>/dev/null | sort -V | tail -n 1 || true)
  [ -n "$found" ] || found=$(command -v initdb || true)
  [ -z "$found" ] || dirname "$(readlink -f "$found")"
}

install() {
  command -v apt-get >/dev/null || { say 'initdb is missing; install PostgreSQL'; exit 1; }
  local as=()
  [ "$(id -u)" = 0 ] || as=(sudo)
  say 'installing postgresql'
  {
    # The package would make and start a server of its own otherwise.
    if ! [ -e /etc/postgresql-common/createcluster.conf ]; then
      "${as[@]}" mkdir -p /etc/postgresql-common
      echo 'create_main_cluster = false' | "${as[@]}" tee /etc/postgresql-common/createcluster.conf
    fi
    "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      -o Dpkg::Options::=--force-confold postgresql
  } >&2
}

# Runs a program of PostgreSQL, which refuses to be root.
as_postgres() {
  if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

locale_options() {
  local name help
  help=$("$bin/initdb" --help)
  name=$(locale -a 2>/dev/null | grep -iE '^en_US\.utf-?8$' | head -n 1 || true)
  if [ -n "$name" ]; then
    echo "--locale=$name"
  elif [[ $help == *--icu-locale* ]]; then
    echo '--locale=C.UTF-8 --locale-provider=icu --icu-locale=en-US'
  else
    say 'neither en_US.UTF-8 nor ICU is there: the test server sorts by byte'
    echo '--locale=C.UTF-8'
  fi
}

start() {
  mkdir -p "$dir"
  [ "$(id -u)" != 0 ] || chown postgres "$dir"
  # shellcheck disable=SC2046 # several words are meant
  (cd / && as_postgres "$bin/initdb" -D "$dir/data" -U postgres --auth=trust --encoding=UTF8 --no-sync \
    $(locale_options) >/dev/null)
  local port
  for _ in 1 2 3 4 5 6 7 8; do
    port=$((20000 + RANDOM % 12000))
    local options="-h 127.0.0.1 -p $port -c unix_socket_directories='' -c max_connections=300 -c fsync=off"
    options+=' -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off -c max_wal_size=4GB'
    options+=" ${POSTGRES_OPTIONS:-}"
    if (cd / && as_postgres "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 30 -o "$options" start >/dev/null 2>&1); then
      echo "$port" >"$dir/port"
      echo "postgres://postgres@127.0.0.1:$port"
      return
    fi
  done
  tail -n 20 "$dir/log" >&2
  say 'PostgreSQL does not start'
  return 1
}

database() {
  local port name
  port=$(cat "$dir/port")
  name="test_$$_${RANDOM}_$(date +%s%N)"
  # A template nobody else copies at the same moment: two copies of one collide.
  "$bin/createdb" -h 127.0.0.1 -p "$port" -U postgres -T template0 "$name" >&2
  echo "postgres://postgres@127.0.0.1:$port/$name"
}

# Runs pg_ctl on the server in $dir.
control() { (cd / && as_postgres "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 30 "$@" >/dev/null); }

reload() { control reload; }

crash() { control -m immediate restart; }

stop() {
  [ -d "$dir/data" ] || return 0
  (cd / && as_postgres "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null) || true
  rm -rf "$dir/data" "$dir/log" "$dir/port"
}

if [ $# -ne 2 ]; then
  sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
dir=$2
case $dir in /*) ;; *) dir=$PWD/$dir ;; esac
bin=$(programs)
if [ -z "$bin" ]; then
  install
  bin=$(programs)
fi
case $1 in
  start | database | reload | crash | stop) "$1" ;;
  *) say "unknown command $1"; exit 2 ;;
esac
