# Loads the modules of this image, waits, and unloads them when it is told to stop. It needs no more
# than a micro image has: a shell, coreutils and kmod.
#
# drvc-load [--firmware] [--replaces NAME]... NAME...
#   --firmware  the image brings firmware, which goes where the node's kernel looks for it
#   --replaces  a module of the kernel, unloaded before
#   NAME        modules to load, in order
#
# Promises that what runs is what the image holds: a module of another build that was loaded already
# is an error. Ends with modprobe's exit code where that fails, and with 0 after TERM or INT.
# shellcheck shell=sh
set -eu

firmware=no
replaces=
loads=
unloads=

say() {
    printf 'drvc-load: %s\n' "$*" >&2
}

# place_firmware: copies the image's firmware into the directory of the node where its kernel is to
# find it.
place_firmware() {
    parameter=/sys/module/firmware_class/parameters/path
    directory=$(cat "$parameter")
    [ -n "$directory" ] || directory=/var/lib/firmware
    mounted=no
    while read -r _ on _; do
        [ "$on" != "$directory" ] || mounted=yes
    done </proc/mounts
    if [ "$mounted" = no ]; then
        say "$directory of the node is not mounted at $directory," \
            "where its kernel is to find the firmware"
        exit 1
    fi
    cp -r /opt/lib/firmware/. "$directory/"
    printf %s "$directory" >"$parameter"
}

# unload_replaced NAME
unload_replaced() {
    while read -r name _; do
        [ "$name" != "$1" ] || rmmod "$1"
    done </proc/modules
}

unload() {
    # shellcheck disable=SC2086
    modprobe -d /opt -r $unloads
}

# hex FILE: its bytes, on one line.
hex() {
    od -An -v -tx1 "$1" | tr -d ' \n'
}

# check_loaded FILE: whether the module that is loaded by the name of this file is the file's own.
check_loaded() {
    name=$(basename "$1" .ko | tr - _)
    loaded=/sys/module/$name
    if [ ! -e "$loaded/initstate" ]; then
        case "$loads " in
        *" $name "*) ;;
        *) return 0 ;;
        esac
        say "the module $name is not loaded: the kernel of this node has it built in"
        return 1
    fi
    id=
    [ ! -r "$loaded/notes/.note.gnu.build-id" ] || id=$(hex "$loaded/notes/.note.gnu.build-id")
    if [ -n "$id" ]; then
        case $(hex "$1") in *"$id"*) return 0 ;; esac
    elif [ -r "$loaded/srcversion" ]; then
        [ "$(modinfo -F srcversion "$1")" != "$(cat "$loaded/srcversion")" ] || return 0
    else
        say "whether the loaded $name is that of this image cannot be told:" \
            "it has neither build-id nor srcversion"
        return 0
    fi
    say "the module $name that is loaded is not that of this image:" \
        "have it unloaded first, with replaces \"$name\""
    return 1
}

while [ $# -gt 0 ]; do
    case $1 in
    --firmware) firmware=yes ;;
    --replaces)
        replaces="$replaces $2"
        shift
        ;;
    *)
        loads="$loads $1"
        unloads="$1 $unloads"
        ;;
    esac
    shift
done

trap 'unload; exit 0' TERM INT
[ "$firmware" = no ] || place_firmware
for name in $replaces; do
    unload_replaced "$name"
done
# shellcheck disable=SC2086
modprobe -d /opt -a $loads || {
    code=$?
    say "modprobe fails; if the kernel's log says \"exports duplicate symbol\"," \
        "name the symbol's owner in replaces"
    exit $code
}
for file in "/opt/lib/modules/$(uname -r)"/updates/*.ko; do
    [ ! -e "$file" ] || check_loaded "$file"
done
while :; do
    sleep 3600 &
    wait $!
done
