# Completes the tree of modules that goes into the image, and makes modules.dep for it.
#
# pack link|copy|none [REPLACED...]
#   link, copy, none  how the kernel's own modules that are needed get in: by a link to the node's,
#                     as copies, or not at all, since there must be none
#   REPLACED          modules of the kernel that are unloaded before the image's are loaded
#   $DRVC_KERNEL      the kernel's release
#   /drvc/in-tree     what is needed of the kernel, as find-in-tree has found
#   /drvc/kernel      packages that hold it, to be unpacked
#
# Promises that every symbol has its module, the image's own before the kernel's. Fails with what to
# change in the manifest, and warns of what the node's kernel may load, or keep, in place of the
# image's.
# shellcheck shell=sh
set -eu

mode=$1
shift
root=/drvc/out
tree=$root/lib/modules/$DRVC_KERNEL
kernel_tree=/lib/modules/$DRVC_KERNEL
symbols=$kernel_tree/build/Module.symvers
configuration=$kernel_tree/build/include/config/auto.conf

fail() {
    printf 'drvc: %s\n' "$*" >&2
    exit 1
}

# unpack_packages: of the packages in /drvc/kernel, without the scripts of a boot that they would
# run.
unpack_packages() {
    find /drvc/kernel -name '*.deb' -exec dpkg-deb -x {} /drvc/kernel \; -exec rm {} \;
    find /drvc/kernel -name '*.rpm' \
        -exec rpm -i --nodeps --noscripts --notriggers --excludedocs {} +
    unpacked=$(find /drvc/kernel -type d -path "*/modules/$DRVC_KERNEL" | head -n 1)
    # Headers may have brought these files already.
    [ -z "$unpacked" ] || cp -al --remove-destination "$unpacked/." "$kernel_tree/"
    rm -rf /drvc/kernel
}

# order PREFIX: the kernel's own order, for which a module that is not in it comes last, and so
# wins. What a kernel's list lacks, or all of it, is taken from its files.
order() {
    {
        (cd "$kernel_tree" && find . -name '*.ko*' | sed 's/^[.]\///; s/[.]ko[.].*/.ko/' | sort)
        cat "$kernel_tree/modules.order" 2>/dev/null || :
    } | sed "s|^|$1|" >"$tree/modules.order"
}

# index: makes modules.dep and its like.
index() {
    depmod -b "$root" -e -E "$symbols" "$DRVC_KERNEL" 2>/drvc/depmod || fail "$(cat /drvc/depmod)"
}

# warn_of NAME WHY: asks for `replaces`, unless it is there.
warn_of() {
    printf '%s\n' "$replaced" | grep -qxF "$1" ||
        printf 'drvc: warning: %s: write replaces "%s"\n' "$2" "$1" >&2
}

# compare_names: a module of the kernel that a node has loaded already stays, whatever the image
# holds.
compare_names() {
    {
        find "$kernel_tree/" -name '*.ko*'
        cut -f 3 "$symbols"
    } | sed 's/.*\///; s/[.]ko.*//; s/-/_/g' | sort -u >/drvc/kernel-names
    while read -r name; do
        if grep -qxF "$name" /drvc/kernel-names; then
            warn_of "$name" \
                "the kernel has a module $name too, and a node that has loaded that one keeps it"
        elif [ -z "$kernel_files" ]; then
            guess_name "$name"
        fi
    done </drvc/made
}

# guess_name NAME: the builder has none of the kernel's modules. Most are called as the end of their
# option: CONFIG_JOYSTICK_XPAD=m is xpad. Where several end so, the name tells nothing.
guess_name() {
    case $1 in *[!A-Za-z0-9_]*) return ;; esac
    end=$(printf '%s' "$1" | tr '[:lower:]' '[:upper:]')
    option=$(sed -nE "s/^(CONFIG_(.*_)?$end)=m$/\1/p" "$configuration")
    case $option in
    '' | *"
"*) ;;
    *)
        warn_of "$1" "$option of the kernel may be a module $1 too, which a node keeps once loaded"
        ;;
    esac
}

# compare_symbols: the kernel refuses a module that exports what another one exports that is loaded.
compare_symbols() {
    tab=$(printf '\t')
    find "$tree/updates" -name '*.ko' | while read -r file; do
        name=$(basename "$file" .ko | tr - _)
        nm "$file" | sed -n "s/.* __ksymtab_\(.*\)/\1$tab$name/p"
    done | sort >/drvc/exports
    cut -f 2,3 "$symbols" | sort | join -t "$tab" - /drvc/exports | sort -u -t "$tab" -k 2,3 \
        >/drvc/conflicts
    while read -r symbol owner name; do
        owner=$(basename "$owner" .ko | tr - _)
        case $owner in
        vmlinux | "$name") ;;
        *)
            warn_of "$owner" \
                "$name exports $symbol, as $owner of the kernel does: one refuses the other"
            ;;
        esac
    done </drvc/conflicts
}

[ -e /drvc/wanted ] || fail "find-in-tree has to run before pack"
replaced=$(printf '%s\n' "$@" | sed 's/-/_/g')
if [ "$mode" = none ] && [ -s /drvc/in-tree ]; then
    fail "in-tree is \"none\", yet the kernel has to give: $(cat /drvc/in-tree)"
fi
unpack_packages
xargs sh /drvc/bin/find-in-tree </drvc/wanted || [ -s /drvc/missing ]
if [ -s /drvc/missing ]; then
    missing=$(sort -u /drvc/missing | paste -s -d ' ')
    if [ "$mode" = copy ] || grep -qxF -f /drvc/missing /drvc/in-tree; then
        fail "no module $missing: change packages, or needs"
    fi
    printf 'drvc: warning: what is needed of the kernel needs %s, not found\n' "$missing" >&2
fi

# Hosts with and without /usr merged look for modules at either path.
mkdir -p "$root/usr"
[ -e "$root/usr/lib" ] || ln -s ../lib "$root/usr/lib"
cp "$kernel_tree"/modules.builtin* "$tree" 2>/dev/null || :
for list in builtin builtin.modinfo; do
    [ -e "$tree/modules.$list" ] || : >"$tree/modules.$list"
done

kernel_files=$(find "$kernel_tree/" -name '*.ko*' | head -n 1)
compare_names
compare_symbols
if [ -s /drvc/in-tree ]; then
    ln -s "$kernel_tree" "$tree/host"
    order host/
else
    : >"$tree/modules.order"
fi
index
if warnings=$(grep -v /host/ /drvc/depmod); then
    fail "change packages, or needs; kernel $DRVC_KERNEL: $warnings"
fi
: >/drvc/found
while read -r name; do
    modprobe -d "$root" -S "$DRVC_KERNEL" --show-depends "$name" >>/drvc/found ||
        fail "no module $name: change packages, or needs"
done </drvc/in-tree

if [ "$mode" = copy ] && [ -s /drvc/in-tree ]; then
    rm "$tree/host"
    while read -r _ file _; do
        case $file in
        "$tree"/host/*)
            file=${file#"$tree"/host/}
            install -D -m 644 "$kernel_tree/$file" "$tree/$file"
            ;;
        esac
    done </drvc/found
    order ''
    index
fi

if [ -e /drvc/bin/drvc-load ]; then
    mkdir -p /drvc/out/bin
    { echo '#!/bin/sh' && cat /drvc/bin/drvc-load; } >/drvc/out/bin/drvc-load
    chmod 755 /drvc/out/bin /drvc/out/bin/drvc-load
fi
