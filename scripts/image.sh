#!/usr/bin/env bash
# The container image.
#
#   image.sh check       prove without a container engine that it builds and starts
#   image.sh build TAG   build it with docker or podman, and start the program in it
#
# Both leave its program in target/image/dead-letter. Both build the console first, which is a part of the build context: `build` gets
# a Node.js if there is none, `check` goes on without the console then.
#
# `check` follows the Dockerfile, stage by stage, in target/image/STAGE: the build stage sees the files that .dockerignore lets
# through and no others, and the program starts in a root that holds what the final stage puts there and no more. It differs from
# the image in three things: the compiler and the system libraries are those of this machine, Cargo's profile is `dev`, and
# the dependencies are those that target/ has already. It refuses what it cannot follow.
set -euo pipefail
cd "$(dirname "$0")/.."
for part in http servers/container servers/folder; do
    # shellcheck source=/dev/null
    . "scripts/$part.sh"
done
readonly top=$PWD folder=$PWD/target/image
readonly starts_within=20 ends_within=20 # seconds
# Of the packages libc6 and libgcc-s1, which the final stage's base has.
readonly base_libraries='^(ld-linux.*|libc|libdl|libgcc_s|libm|libpthread|librt)\.so\.[0-9]+$'

say() { echo "image: $*"; }
die() {
    say "$*" >&2
    exit 1
}

# ------------------------------------------------------------------------------------------------------ the build context

# The lines of .dockerignore. Docker takes off white space at both ends, and skips comments and empty lines.
patterns() { sed -E -e 's/^[[:space:]]+//; s/[[:space:]]+$//' -e '/^(#|$)/d' .dockerignore; }

# Whether the file is let through: of all lines that name it or a folder above it, the last decides.
is_admitted() { # FILE PATTERN...
    local file=$1 pattern admitted=
    for pattern in "${@:2}"; do
        if [[ $pattern == !* && $file/ == "${pattern#!}"/* ]]; then
            admitted=yes
        elif [[ $pattern == '*' || $file/ == "$pattern"/* ]]; then
            admitted=
        fi
    done
    [[ -n $admitted ]]
}

# The files of the build context. Only lists of what is let through are understood: `*`, and then names of files and folders.
context() {
    local pattern file
    local -a lines
    mapfile -t lines < <(patterns)
    [[ ${lines[0]-} == '*' ]] || die "the first line of .dockerignore is not '*': this script supports no other format"
    for pattern in "${lines[@]:1}"; do
        [[ $pattern =~ ^!?[[:alnum:]_.-]+(/[[:alnum:]_.-]+)*$ && ! $pattern =~ (^!?|/)\.{1,2}(/|$) ]] \
            || die ".dockerignore: '$pattern' is not the name of a file or folder. This script supports nothing else"
        [[ $pattern != !* || -e ${pattern#!} ]] || die ".dockerignore admits ${pattern#!}, which does not exist"
    done
    for pattern in "${lines[@]:1}"; do
        [[ $pattern == !* ]] || continue
        while read -r file; do
            if is_admitted "$file" "${lines[@]}"; then echo "$file"; fi
        done < <(find "${pattern#!}" ! -type d)
    done | sort -u
}

# --------------------------------------------------------------------------------------------------------- the Dockerfile

# One instruction a line.
instructions() { sed -E '/^[[:space:]]*(#|$)/d' Dockerfile | sed -E -e ':a' -e '/\\$/{N;s/\\\n[[:space:]]*//;ba' -e '}'; }

# The words of ["a", "b"], a line each.
words() { grep -oE '"[^"]*"' <<<"$1" | tr -d '"'; }

stage='' root='' base='' build_base='' workdir=/ user=0:0 entrypoint='' arguments=''

from() { # IMAGE [AS STAGE]
    build_base=$base base=$1 stage=${3-final} root=$folder/${3-final} workdir=/
    mkdir -p "$root"
}

copy() { # [--from=STAGE] FROM TO
    local files
    if [[ $* == '. .' ]]; then
        context >"$folder/context"
        mapfile -t files <"$folder/context"
        cp -a --parents "${files[@]}" "$root$workdir"
    elif [[ $1 == --from=* && $2 == /* && $3 == /* ]]; then
        mkdir -p "$(dirname "$root$3")"
        cp "$folder/${1#--from=}$2" "$root$3"
    else
        die "Dockerfile: this script does not support COPY $*"
    fi
}

# What the build stage runs has to stay within its WORKDIR.
run_build() { # COMMAND
    local command=$1 manifest
    command=$(sed -E 's/^(--mount=[^ ]+ +)*//; s/ --release / /g; s:target/release/:target/debug/:g' <<<"$command")
    [[ ! $command =~ (^|[[:space:]=])/ ]] || die "Dockerfile: this script does not run build commands with absolute paths: $command"
    cd "$root$workdir"
    # Without a manifest of its own here, Cargo would build the one in a folder above.
    manifest=$(cargo locate-project --workspace --message-format plain)
    [[ $manifest == "$PWD/Cargo.toml" ]] || die '.dockerignore does not admit Cargo.toml'
    CARGO_TARGET_DIR=target CARGO_BUILD_BUILD_DIR=$top/target sh -ec "$command" \
        || die 'the image cannot be built from the files that .dockerignore admits (see above)'
    cd "$top"
}

# The final stage installs packages. Of them, and of the base, the root gets what the program needs.
run_final() { # COMMAND
    local packages
    packages=$(sed -nE 's/.*apt-get install ([^&;]*).*/\1/p' <<<"$1" | xargs -n 1 | grep -v '^-')
    [[ $packages == ca-certificates ]] || die "Dockerfile: this script supports only the package ca-certificates: RUN $1"
    if [[ -e /etc/ssl/certs/ca-certificates.crt ]]; then
        install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
    fi
}

# Follows the Dockerfile.
stages() {
    local instruction rest
    while read -r instruction rest <&3; do
        # shellcheck disable=SC2086
        case $instruction in
            FROM) from $rest ;;
            WORKDIR) workdir=$rest && mkdir -p "$root$workdir" ;;
            COPY) copy $rest ;;
            RUN) if [[ $stage == final ]]; then run_final "$rest"; else run_build "$rest"; fi ;;
            USER) user=$rest ;;
            ENTRYPOINT) entrypoint=$(words "$rest") ;;
            CMD) arguments=$(words "$rest") ;;
            EXPOSE | LABEL) ;;
            *) die "Dockerfile: this script does not support $instruction" ;;
        esac
    done 3< <(instructions)
}

# A program is built for the C library of the base that it runs on, and with a compiler that is new enough.
check_bases() {
    local needed given
    [[ ${build_base##*-} == "$(sed -E 's/.*:([a-z]+)(-slim)?$/\1/' <<<"$base")" ]] \
        || die "Dockerfile: $build_base and $base use different releases of Debian"
    needed=$(sed -nE 's/^rust-version = "(.*)"/\1/p' Cargo.toml)
    given=$(sed -E 's/^rust:([0-9.]+)-.*/\1/' <<<"$build_base")
    printf '%s\n' "$needed" "$given" | sort --check=quiet --version-sort \
        || die "Dockerfile: $build_base is older than Rust $needed, which Cargo.toml requires"
}

# The shared libraries that the program names. The base has to have them.
libraries() { # PROGRAM
    local library
    ldd "$1" | grep -oE '/[^ ]+' | while read -r library; do
        [[ ${library##*/} =~ $base_libraries ]] || die "the program needs ${library##*/}, which is missing in the image"
        install -D "$(readlink -f "$library")" "$root$library"
    done
}

# ------------------------------------------------------------------------------------------------------------ the program

# Waits for what a command prints.
await() { # PID WORDS COMMAND...
    local deadline=$((SECONDS + starts_within))
    until [[ $("${@:3}") == *$2* ]]; do
        kill -0 "$1" 2>/dev/null || die "the program stopped. See $folder/log"
        ((SECONDS < deadline)) || die "no '$2' from ${*:4} within $starts_within s. See $folder/log"
        sleep 0.1
    done
}

ended() { timeout "$2" tail --pid="$1" --sleep-interval=0.1 --follow /dev/null; } # PID SECONDS

end() { # PID
    kill -TERM "$1" 2>/dev/null || return 0
    ended "$1" $ends_within || kill -KILL "$1"
}

# Where neither server can be reached, the program is alive, says what it lacks, and stops when it is told to.
serve() { # COMMAND...
    local pid status=0
    "$@" >"$folder/log" 2>&1 &
    pid=$!
    # shellcheck disable=SC2064
    trap "end $pid" EXIT
    await $pid alive get "$admin_address" /health/live
    await $pid '"database":"' get "$admin_address" /health/ready
    await $pid '"openapi":' get "$http_address" /openapi.json
    [[ ! -e console/dist/index.html ]] || await $pid 'id="root"' get "$http_address" /
    say "without servers it is live and not ready: $(get "$admin_address" /health/ready | grep -o '"database":"[^"]*"')"
    kill -TERM $pid
    ended $pid $ends_within || die "it did not stop within $ends_within s. See $folder/log"
    wait $pid || status=$?
    trap - EXIT
    ((status == 0)) || die "it stopped with status $status. See $folder/log"
}

# Tries the program. What runs it is COMMAND, and what serves is COMMAND with the arguments of CMD.
try() { # COMMAND...
    local version
    version=$("$@" --version)
    [[ $("$@" --help) == *Commands:* ]] || die 'its --help names no commands'
    say "version $version"
    # shellcheck disable=SC2086
    serve "$@" $arguments
}

# Addresses of this run, and servers that are not there.
settings=()
choose_settings() {
    http_address=127.0.0.1:$(free_port) admin_address=127.0.0.1:$(free_port)
    settings=("HTTP_ADDR=$http_address" "ADMIN_ADDR=$admin_address" DEAD_LETTER_DRAIN_DELAY=0s
        DATABASE_URL=postgres://nobody@127.0.0.1:1/none AMQP_URL=amqp://127.0.0.1:1)
}

# As root, of the machine or of a user namespace. There the image's user does not exist, and it is root's.
in_root() { # USER ROOT PROGRAM [ARGUMENT OF CMD]
    local -a as=("--userspec=$1")
    chroot "${as[@]}" / true 2>/dev/null || as=()
    arguments=${*:4}
    choose_settings
    try env -i "${settings[@]}" "$(command -v chroot)" "${as[@]}" "$2" "$3"
}

# ------------------------------------------------------------------------------------------------------------- what is done

check() {
    local way
    if scripts/backstage.sh has-node; then scripts/backstage.sh console; fi
    rm -rf "$folder"
    mkdir -p "$folder"
    stages
    check_bases
    libraries "$root$entrypoint"
    cp "$root$entrypoint" "$folder/dead-letter"
    install -d -m 1777 "$root/tmp"
    say "the program builds from the $(wc -l <"$folder/context") files that .dockerignore admits"
    for way in '' 'unshare --map-root-user' 'sudo -n'; do
        # shellcheck disable=SC2086
        if $way chroot / true 2>/dev/null; then
            $way "$top/scripts/image.sh" in-root "$user" "$root" "$entrypoint" $arguments
            return
        fi
    done
    say 'SKIPPED: the program was not started in a root file system of its own, because chroot is not permitted'
}

build() { # TAG
    local engine container
    engine=$(engine) || die 'neither docker nor podman is available'
    scripts/backstage.sh console
    "$engine" build --tag "$1" .
    rm -rf "$folder"
    mkdir -p "$folder"
    container=$("$engine" create "$1")
    "$engine" cp "$container:/usr/local/bin/dead-letter" "$folder/dead-letter"
    "$engine" rm "$container" >/dev/null
    choose_settings
    try "$engine" run --rm --network=host "${settings[@]/#/--env=}" "$1"
}

case ${1-} in
    check) check ;;
    build) build "$2" ;;
    in-root) in_root "${@:2}" ;;
    *) die 'usage: image.sh check | build TAG' ;;
esac
