#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq
# Every self-check of a Dockerfile, seen failing on purpose, with what it says. Mistakes that a manifest can hold are
# made in one; those that only a wrong builder can bring are made in the Dockerfile.
. "$(dirname "$0")/../case.sh"

kernel=$(newest amd64)
dir=$CASE_DIR/project
c_module "$dir/good" good
c_module "$dir/stranger" stranger 'return no_such_function();' 'extern int no_such_function(void);'
cat >"$dir/stranger/Makefile" <<'MAKE'
modules:
	$(MAKE) -C $(KDIR) M=$(PWD) modules
MAKE
cat >"$dir/wrong.patch" <<'PATCH'
--- a/good.c
+++ b/good.c
@@ -1,3 +1,3 @@
 #include <linux/nothing.h>
-this line is not there
+this one neither
 
PATCH

manifest "$dir" <<KDL
source "good" { path "good"; }
source "stranger" { path "stranger"; }
source "patched" { path "good"; patch "wrong.patch"; }

module "fine" { source "good"; output "good.ko"; }
module "lacks-option" { source "good"; output "good.ko"; requires-config "CONFIG_NO_SUCH_OPTION"; }
module "sets-option" { source "good"; output "good.ko"; requires-config "!CONFIG_NET"; }
module "no-file" { source "good"; output "other.ko"; }
module "no-module" { source "good"; output "other.ko" optional=#true; }
module "other-kernel" {
    source "good"
    script "make -C {kernel_dir} M=\$PWD modules; sed -i 's/${kernel%-amd64}/6.1.0-00/g' good.ko"
    output "good.ko"
}
module "other-gcc" {
    source "good"
    script "make -C {kernel_dir} M=\$PWD modules; sed -i 's/12[.]2[.]0/11.2.0/g' good.ko"
    output "good.ko"
}
module "unknown-symbol" {
    source "stranger"
    make "modules" KDIR="{kernel_dir}" KBUILD_MODPOST_WARN="1"
    output "stranger.ko"
}
module "wrong-patch" { source "patched"; output "good.ko"; }
module "no-package" { source "good"; output "good.ko"; packages "no-such-package"; }

image "fine" { module "fine"; }
image "lacks-option" { module "lacks-option"; }
image "sets-option" { module "sets-option"; }
image "no-file" { module "no-file"; }
image "no-module" { module "no-module"; }
image "other-kernel" { module "other-kernel"; }
image "other-gcc" { module "other-gcc"; }
image "unknown-symbol" { module "unknown-symbol"; }
image "unknown-module" { module "fine"; load "no_such_module"; }
image "wrong-patch" { module "wrong-patch"; }
image "no-package" { module "no-package"; }

matrix { os "debian" "12" { kernel "$kernel"; }; }
KDL
compile "$dir"

builds_ok buildah "$dir" fine
builds_not 'drvc: module lacks-option: this kernel lacks CONFIG_NO_SUCH_OPTION, change requires-config or the matrix' \
    buildah "$dir" lacks-option
builds_not 'drvc: module sets-option: this kernel sets CONFIG_NET, change requires-config or the matrix' \
    buildah "$dir" sets-option
builds_not 'drvc: module no-file: no other.ko: change output, or dir of source; there is: ./good.ko' \
    buildah "$dir" no-file
builds_not 'drvc: the image has no module: no build of it made a .ko file, change output or module' \
    buildah "$dir" no-module
builds_not "drvc: module other-kernel: good.ko is of kernel 6.1.0-00-amd64, not $kernel: make must use {kernel_dir}" \
    buildah "$dir" other-kernel
builds_not 'drvc: module other-gcc: good.ko is not of gcc 12, as the kernel is: change CC' buildah "$dir" other-gcc
builds_not 'needs unknown symbol no_such_function' buildah "$dir" unknown-symbol
grep -aqF "drvc: change packages, or needs; kernel $kernel: " "$LOG" || die "unknown-symbol does not say what to change"
builds_not 'drvc: no module no_such_module: change packages, or needs' buildah "$dir" unknown-module
builds_not 'drvc: source patched: this patch does not apply, change patch: wrong.patch' buildah "$dir" wrong-patch
builds_not 'Unable to locate package no-such-package' buildah "$dir" no-package

spoilt fine '/check-kernel x86_64/s/x86_64/aarch64/' 'drvc: the builder is x86_64, not aarch64: change --platform, or arch'
spoilt fine 's|check-kernel x86_64 .*|check-kernel x86_64 /usr/src/nothing|' \
    'drvc: no kernel in /usr/src/nothing: change kernel, or builder'
spoilt fine "s|DRVC_KERNEL='[^']*'|DRVC_KERNEL='6.1.0-1-amd64'|" \
    "is of kernel \"$kernel\", not 6.1.0-1-amd64: change kernel, or builder"
