#!/usr/bin/env bash
# needs: images root buildah podman dockerd mmdebstrap rpmbuild createrepo_c jq docker-registry openssl modinfo python-attestations
# `drvc build --push --sbom --provenance --sign-image` with podman, buildah and Docker's BuildKit: what is attached to images in a
# registry is found as other clients find it, and is valid for the tools of SPDX and in-toto; it is true of the image, the
# packages and the modules as dpkg and modinfo see them; `drvc verify --attestations` reads it back, and finds what is not
# true; two runs write the same but for the image's digest and times. An expired certificate is a warning. Of the stand-in of
# RHEL 9.4, rpm's database is read as real rpm has written it.
# cosign is a stand-in that records what it is asked to sign.
. "$(dirname "$0")/../case.sh"
. "$E2E_DIR/build.sh"
. "$E2E_DIR/registry.sh"

start_registry 5974
kernel=$(newest amd64)
pinned=$(podman image inspect docker.io/library/debian:12 | jq -r '.[0].RepoDigests[0]')
export COSIGN_PASSWORD=canary-$RANDOM$RANDOM
mkdir -p "$CASE_DIR/keys"
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/O=e2e/CN=signer" -addext keyUsage=digitalSignature \
    -keyout "$CASE_DIR/keys/key" -out "$CASE_DIR/keys/signer.pem" 2>/dev/null

# cosign signs nothing here: it writes down its words and what it reads, and leaves the tag that its version 2 leaves.
cat >"$CASE_DIR/bin/cosign" <<SH
#!/bin/sh
echo "\$*" >>"$CASE_DIR/cosign"
[ "\$1" = sign ] || cat >>"$CASE_DIR/cosign.predicates"
for image; do :; done
[ "\$1" != sign ] || exec python3 "$E2E_DIR/artifact.py" "\$image"
SH
chmod +x "$CASE_DIR/bin/cosign"

# project ENGINE: a project for it.
project() {
    rm -rf "$CASE_DIR/project-$1"
    dir=$CASE_DIR/project-$1 base=$pinned
    # Docker would ask its own registry for a digest.
    [ "$1" != docker ] || base=docker.io/library/debian:12
    mkdir -p "$dir"
    cp -r "$ROOT/examples/06-build-here/driver" "$dir/"
    cp "$CASE_DIR/keys/signer.pem" "$dir/"
    echo "/* $1 $EPOCHREALTIME */" >>"$dir/driver/counter/counter.c"
    cat >"$dir/drivers.kdl" <<KDL
drvc edition=1
project "e2e" { registry "$REGISTRY/$1"; }
source "driver" { path "driver"; }
signing { key secret="module-signing-key"; certificate "signer.pem"; }
module "counter" { source "driver" dir="counter"; }
image "counter" { module "counter"; base "$base"; packages "kmod"; }
matrix { os "debian" "12" { base "$base"; kernel "$kernel"; }; }
KDL
}
push() { built_ok "$engine" "$dir" --push --allow-host 127.0.0.1 --secret "id=module-signing-key,src=$CASE_DIR/keys/key" "${insecure[@]}" "$@"; }
read_back() { "$DRVC" verify -C "$dir" counter --attestations --offline --allow-host 127.0.0.1 --format json; }

for engine in podman buildah docker; do
    project $engine
    insecure=(--push-arg=--tls-verify=false)
    [ $engine != docker ] || insecure=()
    : >"$CASE_DIR/cosign"
    : >"$CASE_DIR/cosign.predicates"
    push --sbom --provenance=https://ci.example.com/drivers --sign-image --sign-arg=--key=cosign.key
    says '1 target: 1 built'
    says 'SPDX, SLSA provenance, signature'
    tag=$kernel
    documents=$CASE_DIR/documents.$engine
    mkdir -p "$documents"
    equal "what is attached by $engine" \
        "$(python3 "$E2E_DIR/attestations.py" "$REGISTRY" "$engine/counter" "$tag" "$documents" | xargs)" \
        'application/spdx+json application/vnd.in-toto+json'
    list=$documents/sbom.spdx.json

    # As dpkg and modinfo see it.
    root=$(root_of $engine "$REGISTRY/$engine/counter:$tag")
    equal "packages in the image of $engine" \
        "$(jq -r '.packages[] | select(.SPDXID | startswith("SPDXRef-installed-")) | "\(.name) \(.versionInfo)"' "$list" | sort)" \
        "$(dpkg-query --root "$root" -W -f '${Package} ${Version}\n' | sort)"
    module=$root/opt/lib/modules/$kernel/updates/counter.ko
    said=$(jq -c '.packages[] | select(.SPDXID == "SPDXRef-module-0")' "$list")
    equal "the module's sum" "$(jq -r '.checksums[0].checksumValue' <<<"$said")" "$(sha256sum <"$module" | cut -d' ' -f1)"
    contains "the module" "$said" "signed by: $(modinfo -F signer "$module"); with: $(modinfo -F sig_hashalgo "$module")"
    contains "the module" "$said" "kernel module: $kernel SMP"
    contains "the packages that it was built with" "$(cat "$list")" "pkg:deb/debian/linux-headers-$kernel@"
    contains "the packages that it was built with" "$(cat "$list")" '"relationshipType":"BUILD_DEPENDENCY_OF"'
    contains "the base" "$(cat "$list")" "$(jq -rn --arg digest "${base#*debian}" '$digest | ltrimstr("@") | ltrimstr(":") | @uri')"

    # The provenance names the list, and the files that it was built from.
    provenance=$documents/provenance.intoto.json
    equal "the list in the provenance" \
        "$(jq -r '.predicate.runDetails.byproducts[0].digest.sha256' "$provenance")" "$(sha256sum <"$list" | cut -d' ' -f1)"
    equal "the manifest in the provenance" \
        "$(jq -r '.predicate.buildDefinition.resolvedDependencies[] | select(.name == "drivers.kdl").digest.sha256' "$provenance")" \
        "$(sha256sum <"$dir/drivers.kdl" | cut -d' ' -f1)"
    equal "who has built it" "$(jq -r .predicate.runDetails.builder.id "$provenance")" https://ci.example.com/drivers
    equal "the key in the provenance" \
        "$(jq -r .predicate.buildDefinition.internalParameters.key "$provenance")" "$(target "$dir" counter key)"

    # cosign was given the image by its digest, and both documents.
    equal "what cosign has signed for $engine" "$(cut -d' ' -f1-4 "$CASE_DIR/cosign" | xargs)" \
        'attest --yes --type spdxjson attest --yes --type slsaprovenance1 sign --yes --key=cosign.key '"$(awk '$1 == "sign" {print $NF}' "$CASE_DIR/cosign")"
    contains "what cosign has signed" "$(cat "$CASE_DIR/cosign")" "--key=cosign.key $REGISTRY/$engine/counter@sha256:"
    contains "the predicates" "$(cat "$CASE_DIR/cosign.predicates")" '"SPDXID":"SPDXRef-DOCUMENT"'
    contains "the predicates" "$(cat "$CASE_DIR/cosign.predicates")" '"buildDefinition"'

    report=$(read_back) || die "$(printf 'verify --attestations says:\n%s' "$report")"
    equal "what drvc reads back" "$(jq -c '[.attached[] | [.kind, .checked]]' <<<"$report")" \
        '[["application/spdx+json",true],["https://slsa.dev/provenance/v1",true],["signature of cosign",false]]'

    # What has all of that is up to date, and no stage is left in the engine.
    push --sbom --provenance --sign-image
    says '1 target: 1 up to date'
    [ ! -s "$COUNT" ] || ! grep -q build "$COUNT" || die "something was built again"
    say "  attested with $engine"
done

# An image without proofs gets a list when one is asked for, and provenance by a build alone; what is untrue is found out.
engine=podman insecure=(--push-arg=--tls-verify=false)
project podman
push
says '1 target: 1 built'
report=$(read_back) && die "verify finds nothing wrong with an image without proofs"
equal "what is missing" "$(jq -c '[.findings[] | select(.code == "missing-attestation").level]' <<<"$report")" '["warning","warning"]'
push --sbom
says '1 target: 1 up to date'
says ': SPDX'
mkdir "$CASE_DIR/again"
python3 "$E2E_DIR/attestations.py" "$REGISTRY" podman/counter "$kernel" "$CASE_DIR/again" >"$CASE_DIR/logs/again"
contains "a list of an image of another run" "$(jq -r .comment "$CASE_DIR/again/sbom.spdx.json")" 'it was built in another run'
push --sbom --provenance --dry-run
says 'its image has no provenance, which only its build can give'
push --sbom --provenance
says '1 target: 1 built'
says 'SPDX, SLSA provenance'
mkdir "$CASE_DIR/newest"
python3 "$E2E_DIR/attestations.py" "$REGISTRY" podman/counter "$kernel" "$CASE_DIR/newest" >"$CASE_DIR/logs/newest"
image=$REGISTRY/podman/counter@sha256:$(jq -r '.subject[0].digest.sha256' "$CASE_DIR/newest/provenance.intoto.json")
for kind in application/spdx+json:sbom.spdx.json application/vnd.in-toto+json:provenance.intoto.json; do
    python3 "$E2E_DIR/artifact.py" "$image" "${kind%:*}" "$CASE_DIR/documents.buildah/${kind#*:}"
    report=$(read_back) && die "verify trusts a document about another image"
    contains "what is said of a document about another image" "$(jq -r '.findings[] | select(.code == "wrong-attestation").message' <<<"$report")" \
        'is about another image'
done
sed 's/"checksumValue":"[0-9a-f]*"/"checksumValue":"00"/g; s/"name":"kmod"/"name":"kmodx"/' "$CASE_DIR/newest/sbom.spdx.json" >"$CASE_DIR/spoilt"
python3 "$E2E_DIR/artifact.py" "$image" application/spdx+json "$CASE_DIR/spoilt"
report=$(read_back) && die "verify trusts a document that was changed"
for what in 'has another sum for /opt' 'does not list what is installed: kmod'; do
    contains "what is said of a document that was changed" "$(jq -r '.findings[].message' <<<"$report")" "$what"
done
say "  documents that are not true are found"

# fresh NAME: what a run writes that makes the image anew, in the directory NAME; facts NAME FILE: one of its files, without the
# facts of the run.
fresh() {
    rm -r "$CASE_DIR/registry/docker/registry/v2/repositories/podman"
    podman rmi -f "$(image_of "$dir" counter)" >/dev/null
    push --sbom --provenance
    mkdir "$CASE_DIR/$1"
    python3 "$E2E_DIR/attestations.py" "$REGISTRY" podman/counter "$kernel" "$CASE_DIR/$1" >"$CASE_DIR/logs/$1"
}
facts() {
    local list=$CASE_DIR/$1/sbom.spdx.json provenance=$CASE_DIR/$1/provenance.intoto.json
    sed -e "s/$(jq -r '.subject[0].digest.sha256' "$provenance")/IMAGE/g" -e "s/$(sha256sum <"$list" | cut -d' ' -f1)/LIST/g" \
        -e "s/$(jq -r .documentNamespace "$list")/NAMESPACE/g" \
        -e 's/"\(created\|startedOn\|finishedOn\)": *"[^"]*"/"\1":"TIME"/g' -e 's/@[0-9T:-]*Z"/@TIME"/' "$CASE_DIR/$1/$2" >"$CASE_DIR/$1/facts.$2"
}
fresh first
fresh second
for file in sbom.spdx.json provenance.intoto.json; do
    ! cmp -s "$CASE_DIR/first/$file" "$CASE_DIR/second/$file" || die "the second run has made nothing anew"
    facts first $file
    facts second $file
    cmp "$CASE_DIR/first/facts.$file" "$CASE_DIR/second/facts.$file" || die "two runs write another $file"
done
say "  two runs write the same"

# What no target names any more goes with its proofs: the tag of this image has gone to a newer one.
old=$(jq -r '.subject[0].digest.sha256' "$CASE_DIR/second/provenance.intoto.json")
python3 "$E2E_DIR/artifact.py" "$REGISTRY/podman/counter@sha256:$old"
echo '/* newer */' >>"$dir/driver/counter/counter.c"
push --sbom
new=$(python3 -c "
import hashlib, urllib.request
types = ', '.join('application/vnd.' + kind + '+json' for kind in ('oci.image.manifest.v1', 'docker.distribution.manifest.v2'))
request = urllib.request.Request('http://$REGISTRY/v2/podman/counter/manifests/$kernel', headers={'Accept': types})
print(hashlib.sha256(urllib.request.urlopen(request).read()).hexdigest())")
prune() { PATH=$CASE_DIR/bin:$PATH "$DRVC" prune -C "$dir" --engine podman --registry --allow-host 127.0.0.1 "$@" 2>&1; }
tags() { python3 -c "import json, urllib.request; print(*sorted(json.load(urllib.request.urlopen('http://$REGISTRY/v2/podman/counter/tags/list'))['tags']))"; }
equal "tags before drvc prune" "$(tags)" "$(printf '%s\n' "$kernel" "sha256-$old" "sha256-$old.sig" "sha256-$new" | sort | xargs)"
contains "drvc prune" "$(prune)" "would remove $REGISTRY/podman/counter@sha256:$old (no tag)"
prune --yes >"$CASE_DIR/logs/prune"
equal "tags after drvc prune" "$(tags)" "$kernel sha256-$new"
for kept in "$CASE_DIR"/registry/docker/registry/v2/repositories/podman/counter/_manifests/revisions/sha256/*/link; do
    file=$CASE_DIR/registry/docker/registry/v2/blobs/sha256/$(sed 's/sha256:\(..\)/\1\/\1/' "$kept")/data
    lacks "a manifest that is left" "$(cat "$file")" "$old"
done
say "  what is attached goes with its image"

# A certificate that is valid no longer is a warning, and nothing else: kernels load the module all the same.
openssl x509 -in "$CASE_DIR/keys/signer.pem" -signkey "$CASE_DIR/keys/key" -days -1 -out "$CASE_DIR/keys/expired.pem" 2>/dev/null
report=$("$DRVC" verify -C "$dir" counter --offline --certificate "$CASE_DIR/keys/expired.pem" --format json) && die "an expired certificate is nothing to verify"
equal "what is said of an expired certificate" "$(jq -c '[.findings[] | select(.level != "note") | [.code, .level]]' <<<"$report")" \
    '[["expired-certificate","warning"]]'

# --- rpm: the stand-in keeps its database as RHEL 9 does

rpm_kernel=5.14.0-427.13.1.el9_4.x86_64
base_image localhost/e2e/ubi-sqlite:9.4 "$CASE_DIR" <<'DOCKERFILE'
FROM registry.access.redhat.com/ubi9/ubi:9.4
RUN mkdir -p /etc/rpm && printf '%%_dbpath /var/lib/rpm\n%%_db_backend sqlite\n' >/etc/rpm/macros
DOCKERFILE
dir=$CASE_DIR/rpm base="localhost/e2e/ubi-sqlite:{release}"
mkdir -p "$dir"
cp -r "$ROOT/examples/06-build-here/driver" "$dir/"
echo "/* $EPOCHREALTIME */" >>"$dir/driver/counter/counter.c"
printf 'profile edition=1 extends="rhel"\nline "9" {\n    base "%s"\n    minimal "%s"\n}\n' $base $base >"$dir/os.kdl"
cat >"$dir/drivers.kdl" <<KDL
drvc edition=1
project "e2e" { registry "$REGISTRY/rpm"; }
profile "rhel" "os.kdl"
source "driver" { path "driver"; }
module "counter" { source "driver" dir="counter"; }
image "counter" { module "counter"; }
matrix { os "rhel" "9.4" { kernel "$rpm_kernel"; }; }
KDL
built_ok podman "$dir" --push --allow-host 127.0.0.1 "${insecure[@]}" --sbom
documents=$CASE_DIR/documents.rpm
mkdir "$documents"
python3 "$E2E_DIR/attestations.py" "$REGISTRY" rpm/counter "$rpm_kernel" "$documents" >"$CASE_DIR/logs/rpm"
cp -r "$(root_of podman "$(image_of "$dir" counter)")/var/lib/rpm" "$CASE_DIR/rpmdb"
installed=$(rpm --dbpath "$CASE_DIR/rpmdb" --define '_db_backend sqlite' -qa \
    --qf '%{NAME} %|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\n' | sort)
contains "what rpm lists" "$installed" kmod
equal "packages of rpm in the image" \
    "$(jq -r '.packages[] | select(.SPDXID | startswith("SPDXRef-installed-")) |
        select(.externalRefs[].referenceLocator | startswith("pkg:rpm/")) | "\(.name) \(.versionInfo)"' \
        "$documents/sbom.spdx.json" | sort)" "$installed"
contains "the packages that it was built with" "$(cat "$documents/sbom.spdx.json")" "pkg:rpm/redhat/kernel-devel@${rpm_kernel%.x86_64}"
say "  rpm's packages are listed"
dir=$CASE_DIR/project-podman

# Without cosign nothing is built.
rm "$CASE_DIR/bin/cosign"
echo '/* another key */' >>"$dir/driver/counter/counter.c"
built_not 4 'cannot run `cosign`' podman "$dir" --push --sign-image --allow-host 127.0.0.1 --secret "id=module-signing-key,src=$CASE_DIR/keys/key"

# Neither cosign's password nor the key is in a document, or in anything else that is in the registry or beside the outputs.
! grep -raqF "$COSIGN_PASSWORD" "$CASE_DIR"/documents.* "$CASE_DIR/registry" "$CASE_DIR"/*/drivers.out "$CASE_DIR/logs" ||
    die "the password of cosign's key is somewhere"
! grep -raqF "$(sed -n 3p "$CASE_DIR/keys/key")" "$CASE_DIR"/documents.* "$CASE_DIR/registry" "$CASE_DIR"/*/drivers.out "$CASE_DIR/logs" ||
    die "a part of the key is somewhere"
