#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq git openssl python3 modinfo
# The ways to build: Makefiles as drivers have them, from a git source at a pinned commit with a patch on top; commands,
# scripts, environment, packages, optional outputs. The git server is one of our own (see git.sh).
# shellcheck disable=SC2016
. "$(dirname "$0")/../case.sh"
. "$E2E_DIR/git.sh"

kernel=$(newest amd64)
dir=$CASE_DIR/project repository=$CASE_DIR/served/driver
for name in pwd uname my-mod commands; do c_module "$repository/$name" "${name//-/_}"; done
mv "$repository/my-mod/my_mod.c" "$repository/my-mod/my-mod.c"
echo 'obj-m := my-mod.o' >"$repository/my-mod/Kbuild"
cat >"$repository/pwd/Makefile" <<'MAKE'
all:
	$(MAKE) -C $(KDIR) M=$(PWD) modules
MAKE
cat >"$repository/uname/Makefile" <<'MAKE'
KVER ?= $(shell uname -r)
all:
	$(MAKE) -C /lib/modules/$(KVER)/build M=$(PWD) EXTRA_CFLAGS='-DSAYS="\"$(SAYS)\""' modules
MAKE
mkdir -p "$dir"
cat >"$dir/says.patch" <<'PATCH'
--- a/uname/uname.c
+++ b/uname/uname.c
@@ -1,4 +1,5 @@
 #include <linux/module.h>
+MODULE_INFO(says, SAYS);
 
 static int __init uname_init(void)
 {
PATCH
commit=$(git_repository "$repository")
# A repository with a submodule that is nowhere.
mkdir -p "$CASE_DIR/served/whole/part"
printf '[submodule "part"]\n\tpath = part\n\turl = ../part\n' >"$CASE_DIR/served/whole/.gitmodules"
git -C "$CASE_DIR/served/whole" init -q -b main
git -C "$CASE_DIR/served/whole" update-index --add --cacheinfo "160000,$commit,part"
whole=$(git_repository "$CASE_DIR/served/whole")
git_server "$CASE_DIR/served"
manifest "$dir" <<KDL
source "driver" {
    git "$GIT_URL/driver" commit="$commit"
    patch "says.patch"
}
module "pwd" { source "driver" dir="pwd"; make "all" KDIR="{kernel_dir}"; }
module "uname" { source "driver" dir="uname"; make SAYS="a (b); c"; }
module "my-mod" { source "driver" dir="my-mod"; }
module "commands" {
    source "driver" dir="commands"
    packages "cpio"
    env GREETING="it's \"\$HOME\" \`x\`"
    run "make" "-C" "{kernel_dir}" "M=/usr/src/drvc/commands/commands" "modules"
    run "cp" "commands.ko" "a \$b;.ko"
    script """
        command -v cpio
        mkdir -p {out}/share
        printf '%s\\n' "\$GREETING" >{out}/share/greeting
        """
    output "commands.ko"
    output "absent-*.ko" optional=#true
}
image "all" {
    module "pwd" "uname" "my-mod" "commands"
    load "my-mod"
    in-tree "none"
}

// What cannot be built: a commit that is not there, and a directory that the repository lacks.
source "elsewhere" { git "$GIT_URL/driver" commit="${commit//[0-9a-f]/1}"; }
module "elsewhere" { source "elsewhere"; }
source "whole" { git "$GIT_URL/whole" commit="$whole" { submodules #true; }; }
module "whole" { source "whole"; }
image "no-submodule" { module "whole"; }
image "no-commit" { module "elsewhere"; }
module "astray" { source "driver" dir="no/such/directory"; }
image "no-directory" { module "astray"; }

matrix { os "debian" "12" { kernel "$kernel"; base "$GIT_BASE"; }; }
KDL
compile "$dir"
builds_ok buildah "$dir" all
root=$(root_of buildah "$(image_of "$dir" all)")
updates=$root/opt/lib/modules/$kernel/updates
equal "modules" "$(find "$updates" -type f -printf '%f\n' | sort | xargs)" 'commands.ko my-mod.ko pwd.ko uname.ko'
for file in "$updates"/*.ko; do
    equal "vermagic of $file" "$(modinfo -F vermagic "$file" | cut -d' ' -f1)" "$kernel"
done
equal "what the patched source says" "$(modinfo -F says "$updates/uname.ko")" 'a (b); c'
equal "what the script wrote" "$(cat "$root/opt/share/greeting")" 'it'\''s "$HOME" `x`'
equal "command" "$(config_of buildah "$(image_of "$dir" all)" | jq -c .Cmd)" '["/opt/bin/drvc-load","my_mod"]'

builds_not '1111111111111111111111111111111111111111' \
    buildah "$dir" no-commit
builds_not 'submodule' buildah "$dir" no-submodule
builds_not '/usr/src/drvc/astray/no/such/directory/Makefile: No such file or directory' buildah "$dir" no-directory
