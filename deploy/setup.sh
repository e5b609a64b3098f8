#!/bin/sh
# Installs what building and running Aisle needs and this machine lacks: a C compiler and linker, libpq, and the programs
# of Postgres and Redis (not when DATABASE_URL names a database: then only what building needs); with --tests also the load
# balancers and the HTTP cache that tests use. Says what it does, starts no service, and does nothing when everything is there.
set -eu

say() { printf 'setup: %s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

# Is one of these files there?
exists() {
    for file in "$@"; do
        if [ -e "$file" ]; then return 0; fi
    done
    return 1
}

have_libpq() {
    if have pkg-config && pkg-config --exists libpq 2>/dev/null; then return 0; fi
    have pg_config && exists "$(pg_config --includedir)/libpq-fe.h"
}

have_postgres() {
    { have postgres && have initdb; } || exists /usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb \
        /opt/homebrew/opt/postgresql*/bin/initdb /usr/local/opt/postgresql*/bin/initdb /usr/local/pgsql/bin/initdb
}

have_redis() {
    have redis-server || have valkey-server || exists /opt/homebrew/bin/redis-server /usr/local/bin/redis-server
}

# What is missing, by the name of its Debian package.
missing=
have cc || missing="$missing build-essential"
have pkg-config || have pg_config || missing="$missing pkg-config"
have_libpq || missing="$missing libpq-dev"
if [ -z "${DATABASE_URL:-}" ]; then
    have_postgres || missing="$missing postgresql"
    if [ -z "${REDIS_URL:-}" ]; then
        have_redis || missing="$missing redis-server"
    fi
fi
if [ "${1:-}" = --tests ]; then
    have haproxy || exists /usr/sbin/haproxy || missing="$missing haproxy"
    have nginx || exists /usr/sbin/nginx || missing="$missing nginx-light"
    # Its modules are packaged by Debian only; elsewhere its tests are left out.
    if have apt-get; then
        have varnishd || exists /usr/sbin/varnishd || missing="$missing varnish"
        exists /usr/lib/*/varnish/vmods/libvmod_xkey.so || missing="$missing varnish-modules"
    fi
fi
missing=${missing# }

# What root does. Debian's packages would make a database cluster and start services on the usual ports: nobody asked for
# those, so both are switched off while the packages go in, and the settings are put back afterwards.
install_debian='
set -eu
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
clusters=/etc/postgresql-common/createcluster.conf
made_policy= saved_clusters=
restore() {
    if [ -n "$made_policy" ]; then rm -f "$policy"; fi
    if [ -n "$saved_clusters" ]; then mv -f "$saved_clusters" "$clusters"; fi
}
trap restore EXIT
trap "exit 130" INT TERM HUP
install() { apt-get install -y -q --no-install-recommends -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 "$@"; }
apt-get update -q -o Acquire::Retries=3
if [ ! -e "$policy" ]; then
    made_policy=yes
    printf "#!/bin/sh\nexit 101\n" >"$policy"
    chmod 755 "$policy"
fi
case " $* " in
*" postgresql "*)
    install postgresql-common
    saved_clusters=$clusters.before-aisle
    cp -p "$clusters" "$saved_clusters"
    sed -i "s/^#*[[:space:]]*create_main_cluster.*/create_main_cluster = false/" "$clusters"
    grep -q "^create_main_cluster = false" "$clusters" || echo "create_main_cluster = false" >>"$clusters"
    ;;
esac
install "$@"
if command -v systemctl >/dev/null; then
    for service in redis-server haproxy nginx-light varnish; do
        case " $* " in *" $service "*) systemctl -q disable "${service%-light}" || true ;; esac
    done
fi
'

give_up() {
    say "cannot install ($1). Please install, and run this again:"
    say "  Debian, Ubuntu: apt-get install $missing"
    say "  Fedora: dnf install gcc pkgconf libpq-devel postgresql-server valkey"
    say "  macOS: brew install libpq postgresql@17 redis"
    exit 1
}

if [ -n "$missing" ]; then
    say "this machine lacks: $missing"
    # The names are ours and hold no blanks inside: splitting them is meant.
    # shellcheck disable=SC2086
    if have apt-get; then
        if [ "$(id -u)" = 0 ]; then
            say "installing with apt-get"
            sh -c "$install_debian" setup $missing >&2 || give_up "apt-get failed"
        elif have sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
            say "installing with sudo apt-get"
            sudo sh -c "$install_debian" setup $missing >&2 || give_up "sudo apt-get failed"
        else
            give_up "not root, and no sudo without a password"
        fi
    elif have brew; then
        for package in $missing; do
            case $package in
            build-essential) give_up "no C compiler; xcode-select --install brings one" ;;
            pkg-config) brew install pkgconf ;;
            libpq-dev) brew install libpq ;;
            postgresql) brew install postgresql@17 ;;
            redis-server) brew install redis ;;
            haproxy) brew install haproxy ;;
            nginx-light) brew install nginx ;;
            esac
        done >&2
    else
        give_up "neither apt-get nor brew"
    fi
    say "done"
fi

if ! have cargo && ! exists "${HOME:-/root}/.cargo/bin/cargo"; then
    say "cargo is missing; see https://rustup.rs, or: curl --proto '=https' -sSf https://sh.rustup.rs | sh"
    exit 1
fi
