//! Modules as clusters have them, and what is made of each.

use super::*;
use crate::import::write;

fn imported(mappings: &str, more: &str) -> (String, Vec<String>) {
    let text = format!(
        "apiVersion: kmm.sigs.x-k8s.io/v1beta1\nkind: Module\nmetadata:\n  name: kmm-ci\nspec:\n  moduleLoader:\n    container:\n      containerImage: quay.io/a/b:${{KERNEL_FULL_VERSION}}\n      modprobe:\n        moduleName: kmm_ci_a\n        parameters: [x=1]\n      inTreeModulesToRemove: [old]\n      build:\n        dockerfileConfigMap:\n          name: build-map\n      kernelMappings:\n{mappings}{more}"
    );
    let mut draft = import(&text, "kmm.yaml").unwrap();
    if draft.matrix.is_empty() {
        draft.matrix = matrix::examples().remove(0);
    }
    (write(&draft), draft.warnings)
}

const MAP: &str = "---\nkind: ConfigMap\nmetadata:\n  name: build-map\ndata:\n  dockerfile: |\n    FROM a\n    ARG KERNEL_FULL_VERSION\n    RUN git clone -b v1 https://h.example/r\n    RUN cd r && make KVER=${KERNEL_FULL_VERSION}\n";

#[test]
fn a_module_becomes_a_manifest() {
    let (manifest, warnings) = imported("      - literal: 6.1.0-56-amd64\n", MAP);
    assert_eq!(warnings, Vec::<String>::new());
    for expected in [
        "git \"https://h.example/r\" ref=\"v1\"",
        "make KVER=\"{kernel}\"",
        "image \"kmm-ci\" {",
        "    repository \"quay.io/a/b\"\n",
        "    load \"kmm_ci_a\"\n    option \"kmm_ci_a\" x=\"1\"\n    replaces \"old\"\n",
        "    os \"debian\" \"12\" {\n        kernel \"6.1.0-56-amd64\"\n",
    ] {
        assert!(manifest.contains(expected), "{expected}\n{manifest}");
    }
}

#[test]
fn every_field_is_taken_or_named() {
    let text = "kind: Module\nmetadata:\n  name: m\n  namespace: ns\n  labels: {a: b}\nspec:\n  selector: {role: gpu}\n  tolerations:\n  - {key: t, operator: Exists, effect: NoSchedule}\n  - {operator: Exists}\n  imageRepoSecret: {name: pull}\n  devicePlugin: {container: {image: x, command: [y]}, volumes: []}\n  moduleLoader:\n    serviceAccountName: sa\n    container:\n      version: '3'\n      registryTLS: {insecure: true}\n      modprobe:\n        moduleName: a\n        modulesLoadingOrder: [a, b]\n        rawArgs: {load: [x]}\n      kernelMappings:\n      - literal: 6.1.0-56-amd64\n        regexp: ''\n        containerImage: q.io/a/b:$KERNEL_FULL_VERSION\n        registryTLS: {insecure: true}\n      - regexp: '^6'\n        containerImage: q.io/a/b:$KERNEL_FULL_VERSION\n";
    let draft = import(text, "m.yaml").unwrap();
    let manifest = write(&draft);
    for expected in [
        "    load \"b\" \"a\"\n",
        "    output \"a.ko\" \"b.ko\"\n",
        "        namespace \"ns\"\n        pull-secret \"pull\"\n        service-account \"sa\"\n        selector role=\"gpu\"\n        toleration \"t\" effect=\"NoSchedule\"\n        registry-tls insecure=#true\n        ordered-upgrades\n        device-plugin \"x\"\n",
        "    version \"3\"\n",
    ] {
        assert!(manifest.contains(expected), "{expected}\n{manifest}");
    }
    let warnings = draft.warnings.join("\n");
    for expected in [
        "metadata.labels is left out",
        "a toleration without a key",
        "modprobe.rawArgs is left out: `raw-args` has words to load and to unload",
        "spec.devicePlugin.container.command is left out",
        "spec.devicePlugin.volumes is left out",
        "kernelMappings[0].registryTLS is left out",
    ] {
        assert!(warnings.contains(expected), "{expected}\n{warnings}");
    }
    assert!(!warnings.contains("never reached") && !warnings.contains("one image"), "{warnings}");
    let list = format!("kind: List\nitems:\n- {}", text.trim_end().replace('\n', "\n  "));
    assert_eq!(import(&list, "m.yaml").unwrap().warnings, draft.warnings);
}

#[test]
fn hostile_yaml_is_refused_soon() {
    let aliases: String = (0..30).map(|n| format!("a{}: &a{} [*a{n}, *a{n}]\n", n + 1, n + 1)).collect();
    for text in
        ["{a: ".repeat(20_000), "[".repeat(500_000), "- ".repeat(300_000), format!("a0: &a0 x\n{aliases}")]
    {
        assert!(import(&text, "m.yaml").is_err());
    }
}

#[test]
fn mappings_that_cannot_apply_are_named() {
    let cases = [
        (
            "      - regexp: '^.+\\fc37\\.x86_64$'\n",
            "kernelMappings[0] `^.+\\fc37\\.x86_64$` can never match the name of a kernel",
        ),
        ("      - regexp: '(('\n", "kernelMappings[0] `((` can never match the name of a kernel"),
        (
            "      - regexp: '^.+$'\n      - literal: 6.1.0-56-amd64\n",
            "kernelMappings[1] `6.1.0-56-amd64` is never reached: kernelMappings[0] `^.+$` matches first",
        ),
        (
            "      - regexp: '^.+$'\n      - regexp: '^.+el9.*$'\n",
            "kernelMappings[1] `^.+el9.*$` is never reached: kernelMappings[0] `^.+$` matches first",
        ),
        (
            "      - literal: 6.12.1+deb13-amd64\n      - literal: 6.12.1_deb13-amd64\n",
            "kernelMappings[0] `6.12.1+deb13-amd64` and kernelMappings[1] `6.12.1_deb13-amd64` have the same image, `quay.io/a/b:6.12.1_deb13-amd64`",
        ),
        (
            "      - regexp: '^.+$'\n        containerImage: quay.io/a/b:latest\n",
            "kernelMappings[0] `^.+$` gives all its kernels one image, `quay.io/a/b:latest`",
        ),
        (
            "      - regexp: '^.+$'\n        sign:\n          filesToSign: [/opt/lib/modules/5.14.0-1/x.ko]\n",
            "filesToSign `/opt/lib/modules/5.14.0-1/x.ko` names one kernel for all",
        ),
    ];
    for (mappings, expected) in cases {
        let (_, warnings) = imported(mappings, MAP);
        assert!(warnings.contains(&format!("kmm.yaml: {expected}")), "{mappings}\n{warnings:#?}");
    }
    let copied = MAP.to_owned() + "    COPY --from=a /r/other.ko /opt/\n";
    let secret = "---\nkind: Secret\nmetadata:\n  name: s\ndata:\n  key: eA==\n";
    let signed = "      - regexp: '^.+$'\n        sign:\n          certSecret:\n            name: s\n";
    let given = "      - regexp: '^.+$'\n        build:\n          buildArgs:\n            - name: A\n              value: b\n      - regexp: '^6'\n        build:\n          buildArgs:\n            - name: A\n              value: c\n";
    for (mappings, more, expected) in [
        (
            given,
            MAP,
            "the values of the buildArgs `A` are left out, and the Dockerfile's own stand: say them where they are used",
        ),
        (
            "      - regexp: '^.+$'\n",
            copied.as_str(),
            "moduleName `kmm_ci_a` is not what the Dockerfile makes, `other.ko`",
        ),
        (signed, &format!("{MAP}{secret}"), "the Secret `s` of certSecret has no key `cert`"),
    ] {
        let (_, warnings) = imported(mappings, more);
        assert!(warnings.contains(&format!("kmm.yaml: {expected}")), "{mappings}\n{warnings:#?}");
    }
    let (_, warnings) = imported("      - regexp: '^.+$'\n", &MAP.replace("build-map", "other-map"));
    assert_eq!(
        warnings,
        ["kmm.yaml: the Module is built by the ConfigMap `build-map`, but this file has `other-map`"]
    );
    assert!(import("a: [", "x").is_err() && import("kind: Pod", "x").is_err());
}

/// The lines of the block `kmm`, each with its words sorted.
fn kmm(manifest: &str) -> std::collections::BTreeSet<Vec<String>> {
    let (_, block) = manifest.split_once("\n    kmm {\n").unwrap();
    let (block, _) = block.split_once("\n    }\n").unwrap();
    let words = |line: &str| {
        let line = line.replace("#\"", "\"").replace("\"#", "\"").replace("\\\\", "\\");
        let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        words.sort();
        words
    };
    block.lines().filter(|line| !line.trim().starts_with("//")).map(words).collect()
}

#[test]
fn what_drvc_wrote_comes_back_with_the_same_words() {
    let module = include_str!("../../../examples/08-everywhere/drivers.out/kmm/pt-char-dev.yaml");
    let draft = import(module, "m.yaml").unwrap();
    let (mut wanted, found) =
        (kmm(include_str!("../../../examples/08-everywhere/drivers.kdl")), kmm(&write(&draft)));
    // A Module does not say these: they are other resources, and the version of the operator.
    wanted.retain(|line| {
        !line.iter().any(|word| ["machine-config", "preflight", "version"].contains(&word.as_str()))
    });
    assert_eq!(found, wanted, "{}", write(&draft));
    assert_eq!(draft.project.version.as_deref(), Some("1.0.0"));
}

#[test]
fn each_word_of_a_module_has_one_in_the_manifest() {
    let text = "kind: Module\nmetadata: {name: m}\nspec:\n  imageRebuildTriggerGeneration: 3\n  dra:\n    driverName: d.example.com\n    serviceAccountName: sa\n    container: {image: q.io/d:1, args: [-v], env: [{name: A, value: b}, {name: C, valueFrom: {}}]}\n    deviceClasses: [{name: c, selectors: [{cel: {expression: x == 1}}]}]\n  moduleLoader:\n    container:\n      imagePullPolicy: Never\n      containerImage: q.io/a/b:$KERNEL_FULL_VERSION\n      modprobe: {rawArgs: {load: [-d, /tmp/opt, qq], unload: [-r, qq]}}\n      build:\n        dockerfileConfigMap: {name: x}\n        secrets: [{name: s}]\n        buildArgs: [{name: A, value: one}, {name: B, value: two}]\n      kernelMappings:\n      - regexp: '^5'\n        build: {buildArgs: [{name: A, value: three}], selector: {big: ''}}\n      - literal: 5.14.0-1.x86_64\n      - literal: 6.1.0-56-amd64\n";
    let draft = import(text, "m.yaml").unwrap();
    let manifest = write(&draft);
    for expected in [
        "        image-pull-policy \"Never\"\n        raw-args {\n            load \"-d\" \"/tmp/opt\" \"qq\"\n            unload \"-r\" \"qq\"\n        }\n        image-rebuild-trigger 3\n",
        "        dra \"d.example.com\" image=\"q.io/d:1\" {\n            args \"-v\"\n            env A=\"b\"\n            service-account \"sa\"\n            device-class \"c\" {\n                selector \"x == 1\"\n            }\n        }\n",
        "        build regexp=\"^5\" {\n            secret \"s\"\n            build-arg B=\"two\" A=\"three\"\n            selector big=\"\"\n        }\n        build {\n            secret \"s\"\n            build-arg A=\"one\" B=\"two\"\n        }\n",
        "    load \"qq\"\n",
    ] {
        assert!(manifest.contains(expected), "{expected}\n{manifest}");
    }
    let warnings = draft.warnings.join("\n");
    for expected in
        ["env `C` is left out", "the `build` of `5.14.0-1.x86_64` is left out: another `build` is for it too"]
    {
        assert!(warnings.contains(expected), "{expected}\n{warnings}");
    }
    let two_keys = text
        .replace("big: ''}}", "big: ''}}\n        sign: {keySecret: {name: k}, certSecret: {name: c}}")
        .replace("amd64\n", "amd64\n        sign: {keySecret: {name: k2}, certSecret: {name: c}}\n");
    let warnings = import(&two_keys, "m.yaml").unwrap().warnings.join("\n");
    assert!(warnings.contains("`sign` is left out: its mappings have different keys"), "{warnings}");
}

#[test]
fn references_that_change_are_named() {
    let other = |image: &str| format!("      - literal: 6.1.0-56-amd64\n        containerImage: {image}\n");
    let (manifest, warnings) = imported(&other("quay.io/a/b:v1-6.1.0-56-amd64"), "");
    assert!(
        manifest.contains("    tag \"v1-{kernel}\"\n") && !warnings.join("\n").contains("pushed"),
        "{manifest}\n{warnings:?}"
    );
    let (manifest, warnings) = imported(&other("quay.io/c/d:12"), "");
    assert!(
        manifest.contains("    repository \"quay.io/a/b\"\n") && !manifest.contains("tag "),
        "{manifest}"
    );
    let expected = "the image `quay.io/c/d:12` is pushed as `quay.io/a/b:6.1.0-56-amd64` now";
    assert!(warnings.join("\n").contains(expected), "{warnings:?}");
    let text = "kind: Module\nmetadata: {name: m}\nspec:\n  moduleLoader:\n    container:\n      modprobe: {moduleName: a, parameters: [flag, x=1]}\n      kernelMappings:\n      - &one {regexp: '^6', containerImage: 'q.io/a/b:$KERNEL_FULL_VERSION'}\n      - {<<: *one, literal: 6.1.0-56-amd64, regexp: ''}\n      - {<<: *one, literal: 1.2-nobody, regexp: ''}\n";
    let draft = import(text, "m.yaml").unwrap();
    let warnings = draft.warnings.join("\n");
    for expected in [
        "kernelMappings[0] `^6` names no kernel: put those of your nodes into the matrix",
        "parameter `flag` is left out",
        "`1.2-nobody` belongs to: put it into the matrix",
    ] {
        assert!(warnings.contains(expected), "{expected}\n{warnings}");
    }
    // One kernel that nobody knows takes no other with it.
    assert!(write(&draft).contains("kernel \"6.1.0-56-amd64\""), "{}", write(&draft));
}

#[test]
fn a_hub_and_a_template_are_read_as_what_they_are() {
    let hub = "kind: ManagedClusterModule\nmetadata: {name: h}\nspec:\n  spokeNamespace: spoke\n  selector: {gpu: x}\n  jobNamespace: jobs\n  moduleSpec:\n    selector: {a: b}\n    moduleLoader:\n      container:\n        modprobe: {moduleName: m}\n        kernelMappings:\n        - {literal: 6.1.0-56-amd64, containerImage: 'q.io/a/b:6.1.0-56-amd64'}\n";
    let draft = import(hub, "h.yaml").unwrap();
    let manifest = write(&draft);
    assert!(manifest.contains("namespace \"spoke\"\n        selector a=\"b\"\n"), "{manifest}");
    assert!(
        draft.warnings.join("\n").contains("the hub's spec.selector is left out"),
        "{:?}",
        draft.warnings
    );
    assert!(
        draft.warnings.join("\n").contains("spec.jobNamespace `jobs` is left out"),
        "{:?}",
        draft.warnings
    );
    let Err(refused) = import("kind: Module\nmetadata:\n  name: {{ .Release.Name }}\n", "t.yaml") else {
        panic!()
    };
    assert!(refused.0.contains("helm template"), "{refused}");
}

#[test]
fn arguments_that_all_builds_are_given_are_put_into_the_dockerfile() {
    let text = "kind: Module\nmetadata: {name: m}\nspec:\n  moduleLoader:\n    container:\n      modprobe: {moduleName: m}\n      build:\n        buildArgs: [{name: DRV, value: '1.2'}]\n        dockerfileConfigMap: {name: c}\n      kernelMappings:\n      - {regexp: '^6', containerImage: 'q.io/a/b:$KERNEL_FULL_VERSION'}\n---\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  dockerfile: |\n    FROM a\n    ARG DRV=0.1\n    ARG KERNEL_VERSION\n    RUN git clone -b v${DRV} https://h.example/m && cd m && make KVER=$KERNEL_VERSION\n";
    let draft = import(text, "m.yaml").unwrap();
    assert!(write(&draft).contains("ref=\"v1.2\""), "{}", write(&draft));
    assert!(!draft.warnings.concat().contains("buildArgs"), "{:?}", draft.warnings);
}

#[test]
fn the_values_of_build_arguments_are_put_in_or_named() {
    let map = MAP.replace("    RUN cd r", "    ARG Q=none\n    RUN cd r").replace("make ", "make Q=${Q} ");
    let build = |value: &str| {
        format!(
            "      - literal: 6.1.0-56-amd64\n        build: {{buildArgs: [{{name: Q, value: \"{value}\"}}], dockerfileConfigMap: {{name: build-map}}}}\n"
        )
    };
    let (manifest, warnings) = imported(&build("rdma,xdp=1"), &map);
    assert!(manifest.contains("make Q=\"rdma,xdp=1\" KVER=\"{kernel}\""), "{manifest}");
    assert_eq!(warnings, Vec::<String>::new());
    let (manifest, warnings) = imported(&build("a b"), &map);
    assert!(manifest.contains("make Q=\"none\""), "{manifest}");
    assert_eq!(
        warnings,
        [
            "kmm.yaml: the values of the buildArgs `Q` are left out, and the Dockerfile's own stand: say them where they are used"
        ]
    );
}

#[test]
fn an_image_by_its_digest_keeps_its_repository() {
    let digest = "0".repeat(64);
    let text = format!(
        "kind: Module\nmetadata: {{name: m}}\nspec:\n  moduleLoader:\n    container:\n      modprobe: {{moduleName: a}}\n      kernelMappings:\n      - {{literal: 6.1.0-56-amd64, containerImage: \"q.io/a/b@sha256:{digest}\"}}\n"
    );
    let draft = import(&text, "m.yaml").unwrap();
    assert_eq!(draft.images[0].repository.as_deref(), Some("q.io/a/b"));
    let pushed = "is pushed as `q.io/a/b:6.1.0-56-amd64` now";
    assert!(draft.warnings.iter().any(|warning| warning.contains(pushed)), "{:?}", draft.warnings);
}

#[test]
fn a_parameter_that_no_module_can_have_takes_no_other_along() {
    let text = "kind: Module\nmetadata: {name: m}\nspec:\n  moduleLoader:\n    container:\n      modprobe: {moduleName: a, parameters: [a.debug=1, x=2]}\n      kernelMappings:\n      - {literal: 6.1.0-56-amd64, containerImage: 'q.io/a/b:$KERNEL_FULL_VERSION'}\n";
    let draft = import(text, "m.yaml").unwrap();
    assert!(write(&draft).contains("    option \"a\" x=\"2\"\n"), "{}", write(&draft));
    let said = "parameter `a.debug=1` is left out: `a.debug` is no name of a module's parameter";
    assert!(draft.warnings.concat().contains(said), "{:?}", draft.warnings);
}
