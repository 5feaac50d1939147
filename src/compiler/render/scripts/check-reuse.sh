# Tries the modules of an image for an earlier kernel on this one, and records what such a trial
# needs to know of the kernel that modules are built for.
#
# check-reuse headers|abi [--strict]
# check-reuse record
#   headers        the modules serve if both kernels have the same header files and options, but for
#                  release strings, and the same versions of what the modules import
#   abi            the same options and versions are enough, whatever else the header files say
#   --strict       modules that do not serve end the build; else they are compiled after this
#   record         writes the record of this kernel beside the modules below /drvc/out, unless they
#                  brought one along: then they were built for that kernel
#   /drvc/first    the modules of the earlier kernel's image, with its record
#   $DRVC_KERNEL   the kernel's release
#
# Promises that modules that serve are below /drvc/out, all of them with their record, and that
# /drvc/reused is there then and only then. What cannot be told counts as a difference. Says
# `drvc reuse: yes: KERNEL`, which they were built for, or `drvc reuse: no: WHY`.
# shellcheck shell=sh
set -eu
export LC_ALL=C

level=$1
strict=${2:-}
build=/lib/modules/$DRVC_KERNEL/build
updates=/drvc/out/lib/modules/$DRVC_KERNEL/updates
first=/drvc/first
tab=$(printf '\t')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# differ WHY: the modules do not serve here.
differ() {
    if [ "$strict" = --strict ]; then
        printf 'drvc: reuse is strict, and %s: change reuse, or the matrix\n' "$*" >&2
        exit 1
    fi
    printf 'drvc reuse: no: %s\n' "$*"
    exit 0
}

# release_words: the texts in which a kernel's files name the kernel itself: its release, that
# without architecture or flavour, and for rpm the release of its package.
release_words() {
    bare=${DRVC_KERNEL%".$(uname -m)"*}
    package=${bare#*-}
    package=${package%%-*}
    printf '%s\n' "$DRVC_KERNEL" "$bare"
    case $package in
    *.*.*) printf '%s\n' "$package" "$(printf '%s\n' "$package" | sed 's/[.][a-z].*//')" ;;
    esac
    # A version alone, such as 6.1.0, is no name of one kernel; Debian's 6.12.107+deb12 is.
    while [ "$bare" != "${bare%-*}" ]; do
        bare=${bare%-*}
        case $bare in
        *[-+]*) printf '%s\n' "$bare" ;;
        esac
    done
}

# plain: a file without the kernel's release and without the options that hold one.
plain() {
    sed -f "$work/plain.sed"
}

# options: the sum of the kernel's options. A comment above them says its upstream version.
options() {
    sed '/^#/d' "$build/include/config/auto.conf" | plain | sha256sum | cut -d' ' -f1
}

# trees: the directories with the kernel's header files: its own, and the one that it builds on.
trees() {
    own=$(readlink -f "$build")
    printf '%s\n' "$own"
    (cd "$own" && sed -n 's/^include  *\([^$ ]*\)\/Makefile$/\1/p' Makefile |
        while read -r shared; do readlink -f "$shared"; done)
}

# files DIRECTORY...: what a module is built from there: not the programs, and not the files that
# do nothing but name the kernel.
files() {
    elf=$(printf '\177ELF')
    find -L "$@" -type f ! -name Module.symvers ! -name System.map ! -name '.config*' \
        ! -name '*.a' ! -path '*/include/generated/utsrelease.h' \
        ! -path '*/include/generated/utsversion.h' ! -path '*/include/generated/package.h' \
        ! -path '*/include/generated/compile.h' -print 2>/dev/null | sort -u >"$work/found" || :
    tr '\n' '\0' <"$work/found" | { xargs -0 grep -L "^$elf" -- || :; } | sort
}

# sums FILE...: of each in the list $work/files, with and without the kernel's name in it.
sums() {
    tr '\n' '\0' <"$work/files" | { xargs -0 grep -lF -f "$work/words" -- || :; } | sort \
        >"$work/named"
    comm -23 "$work/files" "$work/named" | tr '\n' '\0' | xargs -0 sha256sum --
    while read -r file; do
        sum=$(plain <"$file" | sha256sum)
        printf '%s  %s\n' "${sum%% *}" "$file"
    done <"$work/named"
}

# headers: the sum over all header files and everything else that a build reads; nothing where
# not all of them could be read.
headers() {
    # shellcheck disable=SC2046
    files $(trees) >"$work/files"
    grep -q '/include/linux/module[.]h$' "$work/files" || return 0
    sums >"$work/sums"
    [ "$(wc -l <"$work/sums")" = "$(wc -l <"$work/files")" ] || return 0
    plain <"$work/sums" | sort | sha256sum | cut -d ' ' -f 1
}

# sum_of FILE...: of those that are there; nothing where none is.
sum_of() {
    cat "$@" 2>/dev/null | plain | sha256sum | cut -d ' ' -f 1
}

# vermagic: the files that make the words of `vermagic` out of the options.
vermagic() {
    # shellcheck disable=SC2046
    find -L $(trees) -path '*/include/linux/vermagic.h' -o -path '*/include/asm/vermagic.h' \
        2>/dev/null | sort -u >"$work/vermagic" || :
    [ -s "$work/vermagic" ] || return 0
    tr '\n' '\0' <"$work/vermagic" | xargs -0 cat | sha256sum | cut -d ' ' -f 1
}

# imports DIRECTORY: the symbols that its modules leave to the kernel, one a line: not those that
# one of them exports itself.
imports() {
    find "$1" -name '*.ko' | sort >"$work/modules"
    while read -r file; do nm "$file"; done <"$work/modules" >"$work/nm"
    sed -n 's/.* __ksymtab_//p' "$work/nm" | sort -u >"$work/own"
    # .TOC. is no symbol of the kernel: every module of ppc64le names it.
    { sed -n '/ [.]TOC[.]$/d; s/^ *[Uwv] //p' "$work/nm" && echo module_layout; } | sort -u |
        comm -23 - "$work/own"
}

# symbols FILE: name, version, owner, class and namespace of each, sorted by name.
symbols() {
    sed -n "s/^\(0x[0-9a-f]*\)$tab\([^$tab]*\)$tab\(.*[^$tab]\)$tab*$/\2$tab\1$tab\3/p" "$1" | sort
}

# of LIST: those lines of symbols whose name is in the list.
of() {
    join -t "$tab" -j 1 - "$1"
}

# some FILE: its first lines, for messages.
some() {
    head -n 3 "$1" | cut -f 1 | paste -s -d ' '
}

release_words | sort -u >"$work/words"
{
    printf '%s\n' '/^\(#define \|--cfg=\)*CONFIG_\(BUILD_SALT\|VERSION_SIGNATURE\)[ =]/d'
    # Longer words first, since they hold the shorter ones.
    sort -r "$work/words" | sed 's/[].[*^$\/]/\\&/g; s/.*/s\/&\/@\/g/'
} >"$work/plain.sed"
printf '%s\n' CONFIG_BUILD_SALT CONFIG_VERSION_SIGNATURE >>"$work/words"
symbols "$build/Module.symvers" >"$work/now"

# record: what has to be the same on another kernel.
record() {
    printf 'kernel %s\n' "$DRVC_KERNEL"
    printf 'headers %s\n' "$(headers)"
    printf 'options %s\n' "$(options)"
    printf 'vermagic %s\n' "$(vermagic)"
    imports "$updates" >"$work/imports"
    of "$work/imports" <"$work/now"
}

if [ "$level" = record ]; then
    if [ -e "$updates/drvc-reuse" ]; then
        printf 'drvc reuse: yes: %s\n' "$(sed -n 's/^kernel //p' "$updates/drvc-reuse")"
    else
        record >"$work/record"
        install -m 644 "$work/record" "$updates/drvc-reuse"
    fi
    exit 0
fi

built_for=$(sed -n 's/^kernel //p' "$first/drvc-reuse" 2>/dev/null || :)
[ -n "$built_for" ] || differ "the earlier image has no record of its kernel"
# same NAME VALUE: as the record says of the earlier kernel.
same() {
    recorded=$(sed -n "s/^$1 //p" "$first/drvc-reuse")
    if [ -z "$2" ] || [ "$recorded" != "$2" ]; then
        differ "the $1 of $DRVC_KERNEL are not those of $built_for"
    fi
}
grep -qx CONFIG_MODVERSIONS=y "$build/include/config/auto.conf" ||
    differ "$DRVC_KERNEL has no versions of its symbols"
same options "$(options)"
case $level in
headers) same headers "$(headers)" ;;
*)
    same vermagic "$(vermagic)"
    ! grep -q '^CONFIG_RANDSTRUCT=y' "$build/include/config/auto.conf" ||
        differ "$DRVC_KERNEL lays its structures out at random"
    ;;
esac

imports "$first" >"$work/imports"
[ -s "$work/modules" ] || differ "the earlier image has no modules"
of "$work/imports" <"$work/now" >"$work/exported"
sed -n "/$tab/p" "$first/drvc-reuse" | sort | of "$work/imports" >"$work/recorded"
comm -3 "$work/exported" "$work/recorded" | sed "s/^$tab//" >"$work/changed"
[ ! -s "$work/changed" ] ||
    differ "$DRVC_KERNEL has another version, class, namespace or owner of: $(some "$work/changed")"
while read -r file; do
    magic=$(modinfo -F vermagic "$file")
    [ "${magic%% *}" = "$built_for" ] ||
        differ "${file##*/} is of ${magic%% *}, and the record of $built_for"
    modprobe --dump-modversions "$file" | sed "s/^\(0x[0-9a-f]*\)$tab\(.*\)/\2$tab\1/" |
        sort >"$work/versions"
    nm "$file" | sed -n 's/^ *U //p' | { cat && echo module_layout; } | sort -u |
        comm -12 - "$work/imports" >"$work/needed"
    join -t "$tab" -o 1.1,1.2 "$work/exported" "$work/needed" | sort >"$work/wanted"
    join -t "$tab" -v 2 "$work/wanted" "$work/needed" >"$work/absent"
    comm -23 "$work/wanted" "$work/versions" >>"$work/absent"
    grep "${tab}0x00000000$" "$work/wanted" >>"$work/absent" || :
    [ ! -s "$work/absent" ] ||
        differ "$DRVC_KERNEL does not have what ${file##*/} was built with: $(some "$work/absent")"
done <"$work/modules"

mkdir -p "$updates"
cp -R "$first/." "$updates/"
find "$updates" -name '*.ko' | while read -r file; do
    # Descriptions of types are those of the other kernel, and not every kernel takes these.
    ! readelf -SW "$file" | grep -qF ' .BTF' ||
        objcopy --remove-section .BTF --remove-section .BTF.base "$file"
done
: >/drvc/reused
printf 'drvc reuse: yes: %s\n' "$built_for"
