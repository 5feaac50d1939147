# Finds out which of the kernel's own modules those of this image need, and which of them the
# builder lacks.
#
# find-in-tree [NAME...]
#   NAME          modules that are loaded by name, or that a softdep names
#   $DRVC_KERNEL  the kernel's release
#
# Promises the lists /drvc/in-tree (needed of the kernel) and /drvc/missing (needed by these in turn
# too, and not there), one name a line, and an empty directory /drvc/kernel for packages. Fails
# where something is missing, and where the image has no module.
# shellcheck shell=sh
set -eu

tree=/drvc/out/lib/modules/$DRVC_KERNEL
kernel_tree=/lib/modules/$DRVC_KERNEL

fail() {
    printf 'drvc: %s\n' "$*" >&2
    exit 1
}

# plain: from files and lists to names, as the kernel writes them.
plain() {
    tr , '\n' | sed 's/.*\///; s/[.]ko.*//; s/-/_/g' | grep -v '^$' || [ $? = 1 ]
}

# without FILE: the lines that are not in the file.
without() {
    grep -vxF -f "$1" || [ $? = 1 ]
}

mkdir -p "$tree" /drvc/kernel
printf '%s\n' "$@" >/drvc/wanted
find "$tree/updates" -name '*.ko' 2>/dev/null | sort >/drvc/files || :
[ -s /drvc/files ] ||
    fail "the image has no module: no build of it made a .ko file, change output or module"
plain </drvc/files >/drvc/made
{
    tr '\n' '\0' </drvc/files | xargs -0 modinfo -F depends
    cat /drvc/wanted
} | plain | without /drvc/made >/drvc/in-tree

# What is needed is looked for among the kernel's own modules, and so is what these need, until
# nothing new is found.
find "$kernel_tree/" -name '*.ko*' >/drvc/files
: >/drvc/seen
[ ! -e "$kernel_tree/modules.builtin" ] || plain <"$kernel_tree/modules.builtin" >/drvc/seen
: >/drvc/missing
sort -u /drvc/in-tree | without /drvc/seen >/drvc/next
while [ -s /drvc/next ]; do
    : >/drvc/depends
    while read -r name; do
        pattern=$(printf '%s\n' "$name" | sed 's/_/[-_]/g')
        file=$(grep -m 1 "/${pattern}[.]ko" /drvc/files || :)
        if [ -n "$file" ]; then
            modinfo -F depends "$file" | plain >>/drvc/depends
        else
            printf '%s\n' "$name" >>/drvc/missing
        fi
    done </drvc/next
    cat /drvc/next >>/drvc/seen
    sort -u /drvc/depends | without /drvc/seen >/drvc/next.new
    mv /drvc/next.new /drvc/next
done
[ ! -s /drvc/missing ]
