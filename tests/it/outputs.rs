//! What is handed over to other engines: bake files, pipelines, OpenShift and KMM resources, matrices, and the nodes of
//! a cluster. The container case `outputs` holds them to their consumers; here is what they say.

use crate::commands::validate;
use crate::project::Project;
use drvc::compiler::render::with_inline_scripts;
use drvc::text::ids::RelPath;
use serde::Deserialize as _;
use serde_json::{Value, json};

/// Adds `output { … }` to the project's manifest.
fn with_output(project: &Project, output: &str) {
    let manifest = project.read("drivers.kdl");
    project.write("drivers.kdl", &format!("{manifest}\noutput {{\n{output}\n}}\n"));
}

/// Compiles, and reads the documents of a YAML output.
#[track_caller]
fn documents(project: &Project, path: &str) -> Vec<Value> {
    let run = project.run(&["compile"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let text = project.read(&format!("drivers.out/{path}"));
    let parsed = serde_yaml_ng::Deserializer::from_str(&text).map(Value::deserialize);
    parsed.map(Result::unwrap).filter(|value| !value.is_null()).collect()
}

fn of_kind<'v>(documents: &'v [Value], kind: &str) -> &'v Value {
    documents.iter().find(|document| document["kind"] == kind).unwrap()
}

#[test]
fn outputs_are_sealed_checked_and_taken_away() {
    let project = Project::example("08-everywhere");
    project.run(&["compile"]).expect(0, "", "30 files written");
    for path in ["github/drvc.yml", "bake/pt-char-dev/debian-12.json", "kmm/pt-char-dev.yaml"] {
        let path = format!("drivers.out/{path}");
        let text = project.read(&path);
        project.write(&path, &text.replace("pt-char-dev", "another"));
        project.write(&path, &(project.read(&path) + " "));
        project.run(&["compile", "--check"]).expect(3, "", &format!("foreign: {path}\n"));
        project.write(&path, &text);
    }
    project.run(&["compile", "--check"]).expect(3, "", "all files are up to date, but drivers.lock is not");
    project.edit("drivers.kdl", "    github {\n        install \"drvc --version\"\n    }\n", "");
    project.run(&["compile"]).expect(0, "", "1 deleted");
    assert!(!project.path("drivers.out/github/drvc.yml").exists());
}

#[test]
fn a_checked_drvc_is_fetched_once_and_handed_on() {
    let (sum, rev) = ("1".repeat(64), "2".repeat(40));
    for (install, fetched) in [
        (format!(r#"url="https://files.lan/drvc" sha256="{sum}""#), "sha256sum -c -"),
        (format!(r#"image="quay.io/acme/drvc@sha256:{sum}""#), "podman cp "),
        (format!(r#"cargo-git="https://git.lan/drvc.git" rev="{rev}""#), "cargo install --locked --root"),
    ] {
        let project = Project::new();
        with_output(&project, &format!("github {{ install {install}; }}\ngitlab {{ install {install}; }}"));
        let workflow = &documents(&project, "github/drvc.yml")[0];
        let steps = |job: &str| workflow["jobs"][job]["steps"].as_array().unwrap().clone();
        let runs = |steps: &[Value]| {
            steps.iter().any(|step| step["run"].as_str().unwrap_or_default().contains(fetched))
        };
        let uses = |steps: &[Value], action: &str| steps.iter().any(|step| step["uses"] == action);
        let (first, images) = (steps("changes"), steps("images"));
        assert!(runs(&first) && uses(&first, "actions/upload-artifact@v4"), "{first:?}");
        assert!(!runs(&images) && uses(&images, "actions/download-artifact@v4"), "{images:?}");
        let pipeline = &documents(&project, "gitlab/drvc.yml")[0];
        assert!(pipeline["drvc-changes"]["script"].to_string().contains(fetched), "{pipeline}");
        assert_eq!(
            pipeline["drvc-changes"]["artifacts"]["paths"],
            json!(["drvc-jobs.yml", "drvc-report.html", "drvc-home/bin/drvc"])
        );
        assert_eq!(pipeline["drvc-build"]["variables"]["DRVC_PIPELINE"], "$CI_PIPELINE_ID");
        let jobs = project.run(&["matrix", "--all", "--format", "gitlab"]).stdout;
        let jobs: Value = serde_yaml_ng::from_str(&jobs).unwrap();
        let needs = json!([{"pipeline": "$DRVC_PIPELINE", "job": "drvc-changes"}]);
        assert_eq!(jobs["images x86_64"]["needs"], needs, "{jobs}");
    }
    let project = Project::new();
    with_output(&project, "github { install image=\"quay.io/acme/drvc:1\"; }");
    project.run(&["check"]).expect(1, "", "names no digest");
}

#[test]
fn a_changed_source_changes_no_dockerfile() {
    let project = Project::new();
    with_output(&project, "bake; github { install \"drvc --version\"; }");
    project.write("driver/fix.patch", "--- a/x\n+++ b/x\n");
    project.edit(
        "drivers.kdl",
        "    path \"driver\"\n",
        "    path \"driver\"\n    patch \"driver/fix.patch\"\n",
    );
    project.run(&["compile"]).expect(0, "", "files written");
    let before = project.outputs();
    assert!(
        before.values().all(|text| !text.contains("LABEL dev.drvc")),
        "no file that is checked in has a key"
    );
    for (file, text) in [("driver/example.c", "int other;\n"), ("driver/fix.patch", "--- a/y\n+++ b/y\n")] {
        let before = project.outputs();
        project.write(file, text);
        let changed = project.run(&["matrix", "--changed", "--format", "json"]);
        assert!(!validate("matrix", &changed.stdout)["targets"].as_array().unwrap().is_empty(), "{file}");
        project.run(&["compile"]).expect(0, "", "3 files written");
        let after = project.outputs();
        let differ: Vec<_> = after.iter().filter(|(path, text)| before.get(*path) != Some(text)).collect();
        let differ: Vec<_> = differ.into_iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(differ, ["bake/example/debian-12.json", "keys", "plan.json"], "{file}");
    }
    let plan: Value = serde_json::from_str(&project.read("drivers.out/plan.json")).unwrap();
    let line = |one: &Value| format!("{} {}", one["id"].as_str().unwrap(), one["key"].as_str().unwrap());
    let lines: Vec<_> = plan["targets"].as_array().unwrap().iter().map(line).collect();
    let keys = project.read("drivers.out/keys");
    assert_eq!(keys.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>(), lines);
    let bake: Value = serde_json::from_str(&project.read("drivers.out/bake/example/debian-12.json")).unwrap();
    let labels = bake["target"].as_object().unwrap().values().map(|one| &one["labels"]["dev.drvc.key"]);
    assert_eq!(
        labels.collect::<Vec<_>>(),
        plan["targets"].as_array().unwrap().iter().map(|one| &one["key"]).collect::<Vec<_>>()
    );
    project.run(&["matrix", "--changed", "--format", "json"]).expect(0, "\"targets\": []", "");
}

#[test]
fn no_image_is_called_as_an_output() {
    let project = Project::new();
    project.edit("drivers.kdl", "image \"example\"", "image \"keys\"");
    project.run(&["check"]).expect(1, "", "`keys` is the name of a file that drvc writes");
}

#[test]
fn bake_files_hold_every_target_once() {
    let project = Project::example("08-everywhere");
    project.run(&["compile"]).expect(0, "", "files written");
    let mut dockerfiles = Vec::new();
    for (path, text) in project.outputs().iter().filter(|(path, _)| path.starts_with("bake/")) {
        let file: Value = serde_json::from_str(text).unwrap();
        let targets = file["target"].as_object().unwrap();
        let names: Vec<_> = targets.keys().map(String::as_str).collect();
        assert_eq!(file["group"]["default"]["targets"], json!(names), "{path}");
        for (name, target) in targets {
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c)), "{name}");
            assert_eq!(target["context"], ".");
            let dockerfile = target["dockerfile"].as_str().unwrap();
            assert!(project.path(dockerfile).exists(), "{dockerfile}");
            dockerfiles.push(dockerfile.to_owned());
        }
    }
    dockerfiles.sort();
    let plan: Value = serde_json::from_str(&project.read("drivers.out/plan.json")).unwrap();
    let all = plan["targets"].as_array().unwrap().iter();
    let all: Vec<_> = all.map(|one| format!("drivers.out/{}", one["dockerfile"].as_str().unwrap())).collect();
    assert_eq!(dockerfiles, all);
}

#[test]
fn bake_gets_texts_as_they_are() {
    let project = Project::new();
    project.edit(
        "drivers.kdl",
        "load \"example\"",
        "load \"example\"\n    label text=\"${{HOME}} %{{if}} \\\"\"",
    );
    with_output(&project, "bake { cache-from \"type=registry,ref={registry}/cache:{kernel}\"; }");
    project.run(&["compile"]).expect(0, "", "11 files written");
    let file: Value = serde_json::from_str(&project.read("drivers.out/bake/example/debian-12.json")).unwrap();
    let target = file["target"].as_object().unwrap().values().next().unwrap();
    assert_eq!(target["labels"]["text"], "$${HOME} %%{if} \"");
    assert_eq!(target["cache-from"], json!(["type=registry,ref=quay.io/example/cache:6.1.0-18-amd64"]));
}

#[test]
fn kmm_loads_in_the_order_of_the_image() {
    let project = Project::new();
    project.edit(
        "drivers.kdl",
        "    load \"example\"\n",
        "    load \"example\" \"other\"\n    option \"other\" debug=\"1\" name=\"a b\"\n    replaces \"old-example\"\n    \
         softdep \"other\" { pre \"helper\"; post \"late\"; }\n",
    );
    project.edit(
        "drivers.kdl",
        "source \"driver\"\n}",
        "source \"driver\"\n    output \"example.ko\" \"other.ko\"\n}",
    );
    with_output(&project, "kmm { sign key=\"mok\" certificate=\"mok-cert\"; }");
    let run = project.run(&["check"]);
    run.expect(0, "", "warning[unmapped-setting]");
    run.expect(0, "", "KMM gives parameters to `late` alone, not to `other`");
    let documents = documents(&project, "kmm/example.yaml");
    let container = &of_kind(&documents, "Module")["spec"]["moduleLoader"]["container"];
    assert_eq!(container["modprobe"]["moduleName"], "late");
    assert_eq!(container["modprobe"]["modulesLoadingOrder"], json!(["late", "other", "helper", "example"]));
    assert_eq!(container["inTreeModulesToRemove"], json!(["old_example"]));
    let mapping = &container["kernelMappings"][0];
    assert_eq!(mapping["literal"], "6.1.0-18-amd64");
    assert_eq!(mapping["containerImage"], "quay.io/example/example:6.1.0-18-amd64_signed");
    assert_eq!(mapping["sign"]["unsignedImage"], "quay.io/example/example:6.1.0-18-amd64");
    assert_eq!(
        mapping["sign"]["filesToSign"],
        json!([
            "/opt/lib/modules/6.1.0-18-amd64/updates/example.ko",
            "/opt/lib/modules/6.1.0-18-amd64/updates/other.ko"
        ])
    );
}

#[test]
fn kmm_pulls_what_the_lock_has_a_digest_for() {
    let project = Project::new();
    with_output(&project, "kmm");
    let digest = format!("sha256:{}", "7".repeat(64));
    let pin = format!(
        "\n[[image]]\nreference = \"quay.io/example/example:6.1.0-18-amd64\"\ndigest = \"{digest}\"\n"
    );
    project.write("drivers.lock", &crate::lock::sealed(&(project.read("drivers.lock") + &pin)));
    let documents = documents(&project, "kmm/example.yaml");
    let mapping = &of_kind(&documents, "Module")["spec"]["moduleLoader"]["container"]["kernelMappings"][0];
    assert_eq!(mapping["containerImage"], format!("quay.io/example/example@{digest}"));
    let report = project.run(&["check"]).stderr;
    assert!(!report.contains("unused-lock-entry"), "{report}");
    project.run(&["lock", "--offline"]).expect(0, "", "3 entries, nothing moved");
    assert!(project.read("drivers.lock").contains(&digest), "`drvc lock` takes out what is used");
}

/// The project of the examples, without what holds for one architecture alone.
fn for_all_kernels() -> Project {
    let project = Project::example("08-everywhere");
    let manifest = project.read("drivers.kdl");
    let (before, on) = manifest.split_once("    on arch=").unwrap();
    let (_, after) = on.split_once("\n    }\n").unwrap();
    project.write("drivers.kdl", &(before.to_owned() + after));
    project
}

/// The project of the examples with these kernels of OpenShift, and a `kmm` node.
fn with_kmm(kernels: &str, kmm: &str) -> Project {
    let project = for_all_kernels();
    let manifest = project.read("drivers.kdl");
    let (head, _) = manifest.split_once("matrix {").unwrap();
    project
        .write("drivers.kdl", &format!("{head}matrix {{\n{kernels}\n}}\noutput {{\nkmm {{\n{kmm}\n}}\n}}\n"));
    let _ = std::fs::remove_file(project.path("drivers.lock"));
    project
}

const TWO_STREAMS: &str = r#"
    os "openshift" "4.16.20" { kernel "5.14.0-427.57.1.el9_4.x86_64"; }
    os "openshift" "4.19.1" { kernel "5.14.0-570.19.1.el9_6.x86_64"; }
"#;

#[test]
fn kmm_builds_unknown_kernels_by_the_dockerfile_of_those_that_match() {
    let both = r#"build regexp="^5\\.14\\.0-427\\."
        build regexp="el9_6""#;
    let project = with_kmm(TWO_STREAMS, both);
    let documents = documents(&project, "kmm/pt-char-dev.yaml");
    let mappings = &of_kind(&documents, "Module")["spec"]["moduleLoader"]["container"]["kernelMappings"];
    let config_map = |mapping: &Value| mapping["build"]["dockerfileConfigMap"]["name"].clone();
    let known = |kernel: &str| {
        let all = mappings.as_array().unwrap();
        config_map(
            all.iter()
                .find(|mapping| mapping["literal"].as_str().is_some_and(|one| one.contains(kernel)))
                .unwrap(),
        )
    };
    let open: Vec<_> =
        mappings.as_array().unwrap().iter().filter(|mapping| !mapping["regexp"].is_null()).collect();
    assert_eq!((config_map(open[0]), config_map(open[1])), (known("427"), known("570")));
    assert_ne!(known("427"), known("570"));
    let several = with_kmm(TWO_STREAMS, r#"build regexp="^5\\.14\\.0-""#);
    several.run(&["compile"]).expect(1, "", "ambiguous-mapping");
    let none = with_kmm(TWO_STREAMS, r#"build regexp="^6\\.""#);
    none.run(&["compile"]).expect(0, "", "matches no kernel of the matrix");
}

#[test]
fn kmm_signs_files_by_their_paths() {
    let kernels = r#"
    os "openshift" "4.16.20" { kernel "5.14.0-427.57.1.el9_4.x86_64+rt" "5.14.0-427.57.1.el9_4.x86_64"; }"#;
    let sign = r#"sign key="k" certificate="c""#;
    let project = with_kmm(kernels, &format!("{sign}\nbuild regexp=\"x86_64$\""));
    let documents = documents(&project, "kmm/pt-char-dev.yaml");
    let mappings = &of_kind(&documents, "Module")["spec"]["moduleLoader"]["container"]["kernelMappings"];
    let signed: Vec<_> =
        mappings.as_array().unwrap().iter().map(|one| one["sign"]["filesToSign"].clone()).collect();
    let path = |kernel: &str| json!([format!("/opt/lib/modules/{kernel}/updates/ptemplate_char_dev.ko")]);
    assert_eq!(
        signed,
        [
            path("5.14.0-427.57.1.el9_4.x86_64"),
            path("5.14.0-427.57.1.el9_4.x86_64+rt"),
            path("${KERNEL_FULL_VERSION}")
        ]
    );
    // What `+` stands in, KMM would look for with `_`.
    let project = with_kmm(kernels, &format!("{sign}\nbuild regexp=\"rt$\""));
    project.run(&["compile"]).expect(0, "", "KMM would look for what it signs");
    project.edit(
        "drivers.kdl",
        "    source \"accelerator\" dir",
        "    output \"*.ko\"\n    source \"accelerator\" dir",
    );
    project.run(&["compile"]).expect(1, "", "KMM cannot sign `*.ko`");
}

#[test]
fn kmm_removes_modules_by_kernel() {
    let project = with_kmm(TWO_STREAMS, "namespace \"drivers\"");
    project.edit(
        "drivers.kdl",
        "    load \"ptemplate_char_dev\"",
        "    load \"ptemplate_char_dev\"\n    on kernel=\"5.14.0-427.*\" { replaces \"old_driver\"; }",
    );
    let documents = documents(&project, "kmm/pt-char-dev.yaml");
    let container = &of_kind(&documents, "Module")["spec"]["moduleLoader"]["container"];
    assert!(container["inTreeModulesToRemove"].is_null());
    let mappings = container["kernelMappings"].as_array().unwrap();
    let removed: Vec<_> = mappings.iter().map(|one| one["inTreeModulesToRemove"].clone()).collect();
    assert_eq!(removed, [json!(["old_driver"]), Value::Null]);
}

#[test]
fn kmm_signs_by_patterns_where_the_cluster_takes_them() {
    let kernels = r#"
    os "openshift" "4.16.20" { kernel "5.14.0-427.57.1.el9_4.x86_64+rt"; }"#;
    let kmm = "version \"2.6\"\nsign key=\"k\" certificate=\"c\"\nbuild regexp=\"rt$\"";
    let project = with_kmm(kernels, kmm);
    let signed = |project: &Project| -> Vec<Value> {
        let documents = documents(project, "kmm/pt-char-dev.yaml");
        let mappings = &of_kind(&documents, "Module")["spec"]["moduleLoader"]["container"]["kernelMappings"];
        mappings.as_array().unwrap().iter().map(|one| one["sign"]["filesToSign"][0].clone()).collect()
    };
    let path = |kernel: &str, file: &str| format!("/opt/lib/modules/{kernel}/updates/{file}.ko");
    let kernel = "5.14.0-427.57.1.el9_4.x86_64+rt";
    assert_eq!(signed(&project), [path(kernel, "ptemplate_char_dev"), path("*", "ptemplate_char_dev")]);
    let manifest = project.read("drivers.kdl");
    let several = "    output \"*.ko\"\n    source \"accelerator\" dir";
    project.write("drivers.kdl", &manifest.replace("    source \"accelerator\" dir", several));
    assert_eq!(signed(&project), [path(kernel, "*"), path("*", "*")]);
    project.edit("drivers.kdl", "version \"2.6\"", "version \"2.5\"");
    project.run(&["compile"]).expect(1, "", "KMM cannot sign `*.ko`");
}

#[test]
fn kmm_gets_what_its_version_knows() {
    let known = |kmm: &str| {
        let run = with_kmm(TWO_STREAMS, kmm).run(&["compile"]);
        (run.code, run.stderr)
    };
    for (version, since, kmm) in [
        ("1.0", "1.1", "ordered-upgrades"),
        ("2.2", "2.3", "toleration \"k\""),
        ("2.3", "2.4", "preflight"),
        ("2.5", "2.6", "image-rebuild-trigger 1"),
        ("2.6", "2.7", "dra \"d.example.com\" image=\"quay.io/p/d:1\""),
    ] {
        let (code, report) = known(&format!("{kmm}\nversion \"{version}\""));
        assert_eq!((code, report.matches("error[unknown-to-kmm]").count()), (Some(1), 1), "{report}");
        assert!(report.contains(&format!("KMM {since} is the first that does")), "{report}");
        for version in [since, "2.99", "3.0"] {
            assert_eq!(known(&format!("{kmm}\nversion \"{version}\"")).0, Some(0), "{kmm}");
        }
        assert_eq!(known(kmm).0, Some(0), "{kmm}");
    }
    let (code, report) = known(&format!("namespace \"{}\"", "n".repeat(31)));
    assert_eq!((code, report.contains("more than 41 characters")), (Some(1), true), "{report}");
    assert_eq!(known(&format!("namespace \"{}\"", "n".repeat(30))).0, Some(0));
}

#[test]
fn kmm_says_what_the_manifest_says() {
    let kmm = r#"raw-args { load "-d" "/tmp/opt" "a"; unload "-r" "a"; }
        dra "gpu.example.com" image="quay.io/p/d:1" { device-class "gpus" { selector "device.driver == 'x'"; }; }"#;
    let project = with_kmm(TWO_STREAMS, kmm);
    project.run(&["check"]).expect(0, "", "`raw-args` take the place of what image `pt-char-dev` says");
    let documents = documents(&project, "kmm/pt-char-dev.yaml");
    let spec = &of_kind(&documents, "Module")["spec"];
    let modprobe =
        json!({ "rawArgs": { "load": ["-d", "/tmp/opt", "a"], "unload": ["-r", "a"] }, "dirName": "/opt" });
    assert_eq!(spec["moduleLoader"]["container"]["modprobe"], modprobe);
    let class = json!({ "name": "gpus", "selectors": [{ "cel": { "expression": "device.driver == 'x'" } }] });
    let dra = json!({ "driverName": "gpu.example.com", "container": { "image": "quay.io/p/d:1" }, "deviceClasses": [class] });
    assert_eq!(spec["dra"], dra);
    let both = format!("{kmm}\nload-args \"-v\"\ndevice-plugin \"quay.io/p/d:1\"");
    let run = with_kmm(TWO_STREAMS, &both).run(&["compile"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
}

#[test]
fn kmm_is_asked_about_kernels_before_nodes_have_them() {
    let project = Project::example("08-everywhere");
    let kernel = "5.14.0-427.62.1.el9_4.x86_64";
    let path = format!("kmm/preflight/openshift-4.18.7-x86_64/{kernel}.yaml");
    let documents = documents(&project, &path);
    let dockerfile = format!("drivers.out/pt-char-dev/openshift-4.18.7-x86_64/{kernel}/Dockerfile");
    let toolkit = project.read(&dockerfile);
    let toolkit =
        toolkit.lines().find_map(|line| line.strip_prefix("FROM ")?.strip_suffix(" AS kernel")).unwrap();
    let expected = json!({ "kernelVersion": kernel, "dtkImage": toolkit, "pushBuiltImage": true });
    assert_eq!(of_kind(&documents, "PreflightValidationOCP")["spec"], expected);
    let upstream = self::documents(&project, "kmm/preflight/debian-12-x86_64/6.1.0-56-amd64.yaml");
    let expected = json!({ "kernelVersion": "6.1.0-56-amd64", "pushBuiltImage": true });
    assert_eq!(of_kind(&upstream, "PreflightValidation")["spec"], expected);
}

/// The fields of both kinds, as their CRDs have them: upstream's in KMM 1.1 to 2.6, OpenShift's in 2.4 to 2.7.
#[test]
fn validations_have_the_fields_of_their_kinds_and_no_other() {
    for (version, api) in [("2.0", "v1beta1"), ("2.1", "v1beta2"), ("2.7", "v1beta2")] {
        let project = for_all_kernels();
        let manifest = project.read("drivers.kdl");
        let (head, _) = manifest.split_once("output {").unwrap();
        // What OpenShift's KMM asked for before 2.4 is no kernel.
        let head = match version {
            "2.0" | "2.1" => {
                let (before, _) = head.split_once("    os \"openshift\"").unwrap();
                format!("{before}    os \"debian\" \"12\" {{ kernel \"6.1.0-56-amd64\"; }}\n}}\n")
            }
            _ => head.to_owned(),
        };
        let kmm = format!("kmm {{ namespace \"drivers\"; version \"{version}\"; preflight; }}");
        project.write("drivers.kdl", &format!("{head}output {{\n{kmm}\n}}\n"));
        project.run(&["compile"]).expect(0, "", "written");
        let outputs = project.outputs();
        let written: Vec<_> = outputs.iter().filter(|(path, _)| path.starts_with("kmm/preflight/")).collect();
        assert_eq!(written.len(), if version == "2.7" { 4 } else { 1 });
        for (path, text) in written {
            let document: Value = serde_yaml_ng::from_str(text).unwrap();
            let (fields, metadata) =
                (document.as_object().unwrap(), document["metadata"].as_object().unwrap());
            assert_eq!(fields.keys().collect::<Vec<_>>(), ["apiVersion", "kind", "metadata", "spec"]);
            assert_eq!(document["apiVersion"], format!("kmm.sigs.x-k8s.io/{api}"));
            // Both belong to the whole cluster, whatever the Module's namespace is.
            assert_eq!(metadata.keys().collect::<Vec<_>>(), ["name"]);
            let name = document["metadata"]["name"].as_str().unwrap();
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
            assert!(name.len() <= 253 && name.chars().all(fits), "{name}");
            let on_openshift = path.contains("/openshift-");
            let (kind, known): (_, &[&str]) = match on_openshift {
                true => ("PreflightValidationOCP", &["dtkImage", "kernelVersion", "pushBuiltImage"]),
                false => ("PreflightValidation", &["kernelVersion", "pushBuiltImage"]),
            };
            let mut spec: Vec<_> = document["spec"].as_object().unwrap().keys().map(String::as_str).collect();
            spec.sort_unstable();
            assert_eq!((document["kind"].as_str().unwrap(), &*spec), (kind, known));
            assert!(document["spec"]["pushBuiltImage"].is_boolean());
            // The webhook splits it at these, and wants three parts.
            let kernel = document["spec"]["kernelVersion"].as_str().unwrap();
            assert!(kernel.split(['.', '-']).count() >= 3, "{kernel}");
        }
    }
}

#[test]
fn texts_of_outputs_are_texts_to_every_reader() {
    let project = Project::example("08-everywhere");
    project.edit("drivers.kdl", "    github {\n", "    github {\n        directory \"@scope/driver\"\n");
    project.edit(
        "drivers.kdl",
        "namespace \"drivers\"\n        selector",
        "namespace \"on\"\n        selector",
    );
    project.run(&["compile"]).expect(0, "", "files written");
    let workflow: Value = serde_yaml_ng::from_str(&project.read("drivers.out/github/drvc.yml")).unwrap();
    assert_eq!(workflow["defaults"]["run"]["working-directory"], "@scope/driver");
    // Without quotes this key is `true` to readers of YAML 1.1.
    assert!(project.read("drivers.out/github/drvc.yml").contains("\n\"on\":\n"));
    assert!(project.read("drivers.out/kmm/pt-char-dev.yaml").contains("namespace: \"on\"\n"));
}

#[test]
fn buildconfigs_push_to_the_registry_with_a_secret() {
    let project = Project::example("08-everywhere");
    project.edit("drivers.kdl", "    buildconfig {", "    buildconfig {\n        push-secret \"push\"");
    let path = "buildconfig/pt-char-dev/openshift-4.18.7-x86_64/5.14.0-427.62.1.el9_4.x86_64.yaml";
    let documents = documents(&project, path);
    let spec = &of_kind(&documents, "BuildConfig")["spec"];
    assert_eq!(spec["strategy"]["dockerStrategy"]["pullSecret"]["name"], "registry");
    assert_eq!(spec["output"]["pushSecret"]["name"], "push");
    assert_eq!(spec["output"]["to"]["kind"], "DockerImage");
    assert!(documents.iter().all(|document| document["kind"] != "ImageStream"));
}

#[test]
fn buildconfigs_build_the_very_dockerfile() {
    let project = Project::example("08-everywhere");
    let id = "pt-char-dev/openshift-4.18.7-x86_64/5.14.0-427.62.1.el9_4.x86_64";
    let documents = documents(&project, &format!("buildconfig/{id}.yaml"));
    let build = of_kind(&documents, "BuildConfig");
    let text = build["spec"]["source"]["dockerfile"].as_str().unwrap();
    let dockerfile = project.read(&format!("drivers.out/{id}/Dockerfile"));
    let (image, label) = text.rsplit_once("LABEL dev.drvc.key=").unwrap();
    let out = RelPath::parse("drivers.out").unwrap();
    assert_eq!(with_inline_scripts(dockerfile.split_once("\n\n").unwrap().1, &out), image);
    assert!(image.contains("RUN mkdir -p /drvc/bin && printf") && !image.contains("drivers.out"), "{image}");
    assert_eq!(label.trim_end().trim_matches('\''), build["metadata"]["annotations"]["dev.drvc.key"]);
    assert_eq!(build["spec"]["nodeSelector"]["kubernetes.io/arch"], "amd64");
    assert_eq!(build["spec"]["output"]["to"]["name"], "pt-char-dev:5.14.0-427.62.1.el9_4.x86_64");
    assert!(build["metadata"]["name"].as_str().unwrap().len() <= 57);
    assert_eq!(
        build["spec"]["strategy"]["dockerStrategy"],
        json!({ "pullSecret": { "name": "registry" } }),
        "a Driver Toolkit needs no subscription"
    );
    assert_eq!(of_kind(&documents, "ImageStream")["metadata"]["name"], "pt-char-dev");

    let project = Project::new();
    project.edit(
        "drivers.kdl",
        "    path \"driver\"\n",
        "    git \"https://example.com/d.git\" commit=\"0123456789012345678901234567890123456789\"\n",
    );
    project.edit("drivers.kdl", "    os \"debian\"", "    os \"rhel\" \"9.4\" {\n        kernel \"5.14.0-427.13.1.el9_4.x86_64\"\n    }\n    os \"debian\"");
    with_output(&project, "buildconfig { entitlement-secret \"mine\"; }");
    let path = "buildconfig/example/rhel-9.4-x86_64/5.14.0-427.13.1.el9_4.x86_64.yaml";
    let documents = self::documents(&project, path);
    let volume = &of_kind(&documents, "BuildConfig")["spec"]["strategy"]["dockerStrategy"]["volumes"][0];
    assert_eq!(volume["source"]["secret"]["secretName"], "mine");
    assert_eq!(volume["mounts"][0]["destinationPath"], "/etc/pki/entitlement");
}

#[test]
fn matrices_hold_the_targets_asked_for() {
    let project = Project::new();
    project.edit("drivers.kdl", "\"6.1.0-18-amd64\"", "\"6.1.0-18-amd64\" \"6.1.0-20-amd64\"");
    let all = ["example/debian-12-x86_64/6.1.0-18-amd64", "example/debian-12-x86_64/6.1.0-20-amd64"];
    let targets = |words: &[&str]| {
        let run = project.run(&[&["matrix", "--format", "json"], words].concat());
        let matrix = validate("matrix", &run.stdout);
        let targets = matrix["targets"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned());
        targets.collect::<Vec<_>>()
    };
    assert_eq!(targets(&["--all"]), all);
    assert_eq!(targets(&["--changed"]), all);
    project.run(&["compile"]).expect(0, "", "12 files written");
    assert!(targets(&["--changed"]).is_empty());
    project.edit("drivers.out/example/debian-12-x86_64/6.1.0-20-amd64/Dockerfile", "FROM", "# mine\nFROM");
    assert_eq!(targets(&["--changed"]), all[1..]);
    project.run(&["matrix", "--format", "json"]).expect(2, "", "--changed|--since <REV>|--all");

    let github: Value =
        serde_json::from_str(&project.run(&["matrix", "--all", "--format", "github"]).stdout).unwrap();
    assert_eq!(github["toolkits"], json!({"include": []}));
    assert_eq!(
        github["images"]["include"][1],
        json!({
            "name": "debian-12-x86_64 6.1.0-20-amd64", "runner": "ubuntu-24.04",
            "targets": "--target example/debian-12-x86_64/6.1.0-20-amd64",
        })
    );
    let gitlab = project.run(&["matrix", "--all", "--format", "gitlab", "--push"]).stdout;
    let gitlab: Value = serde_yaml_ng::from_str(&gitlab).unwrap();
    assert_eq!(gitlab["images x86_64"]["parallel"]["matrix"].as_array().unwrap().len(), 2);
    assert_eq!(gitlab[".drvc"]["script"][0], "drvc build --engine podman --keep-going --push $TARGETS");
    let nothing = project.run(&["matrix", "--changed", "--format", "gitlab"]).stdout;
    let nothing: Value = serde_yaml_ng::from_str(&nothing).unwrap();
    assert!(nothing["images x86_64"].is_object());
    assert_eq!(nothing[".drvc"].get("before_script"), None);
    let bake: Value =
        serde_json::from_str(&project.run(&["matrix", "--changed", "--format", "bake"]).stdout).unwrap();
    assert_eq!(bake["target"].as_object().unwrap().len(), 1);
    project.edit("drivers.kdl", "\"6.1.0-20-amd64\"", "\"6.1.0-20-arm64\"");
    project.run(&["matrix", "--all", "--format", "gitlab"]).expect(2, "", "no runner is known for aarch64");
}

/// A project whose two kernels stand on toolkits, and which has a subscription's secrets where it needs one.
fn with_toolkits() -> Project {
    let project = Project::new();
    project.edit(
        "drivers.kdl",
        "        kernel \"6.1.0-18-amd64\"\n",
        "        kernel \"6.1.0-18-amd64\" \"6.1.0-20-amd64\"\n        builder \"toolkit\"\n",
    );
    project.edit("drivers.kdl", "image \"example\" {", "toolkit \"kit\"\nimage \"example\" {");
    let second = "image \"second\" {\n    module \"example\"\n}\nmatrix {";
    project.edit("drivers.kdl", "matrix {", second);
    project
}

#[test]
fn a_job_builds_the_toolkits_and_targets_that_it_names() {
    let project = with_toolkits();
    let matrix = project.run(&["matrix", "--all", "--format", "github"]).stdout;
    let matrix: Value = serde_json::from_str(&matrix).unwrap();
    let mut built = Vec::new();
    for phase in ["toolkits", "images"] {
        let jobs = matrix[phase]["include"].as_array().unwrap();
        assert_eq!(jobs.len(), 2, "{phase}");
        for job in jobs {
            let options = job["targets"].as_str().unwrap();
            let words = ["build", "--dry-run", "--offline", "--format", "json"].into_iter();
            let run = project.run(&words.chain(options.split(' ')).collect::<Vec<_>>());
            assert_eq!(run.code, Some(0), "{}", run.stderr);
            let named: Vec<_> = options.split(' ').filter(|word| *word != "--target").collect();
            let targets = validate("build", &run.stdout)["targets"].take();
            let ids: Vec<_> =
                targets.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
            assert_eq!(ids, named);
            built.extend(ids.into_iter().map(str::to_owned));
        }
    }
    let plan: Value = serde_json::from_str(&project.read("drivers.out/plan.json")).unwrap();
    let all = ["toolkits", "targets"].map(|field| plan[field].as_array().unwrap().clone()).concat();
    let mut all: Vec<_> = all.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
    all.sort();
    built.sort();
    assert_eq!(built, all);

    let build = |target: &str| project.run(&["build", "--dry-run", "--offline", "--target", target]);
    build("_toolkit").expect(
        0,
        "",
        "would build _toolkit/debian-12-x86_64/6.1.0-18-amd64: there is no image yet\n",
    );
    build("_toolkit/debian-12-x86_64").expect(0, "", "\n2 toolkits: 2 to build, in ");
    build("6.1.0-18").expect(0, "", "\n2 targets: 2 to build, in ");
    build("_toolkit/debian-12-x86_64/6.1.0-81-amd64").expect(
        2,
        "",
        "help: did you mean `_toolkit/debian-12-x86_64/6.1.0-18-amd64`?",
    );
    Project::new().run(&["build", "--dry-run", "--offline", "--target", "_toolkit"]).expect(
        2,
        "",
        "no toolkit is selected by `_toolkit`",
    );
}

#[test]
fn one_toolkit_holds_a_kernel_and_its_flavours() {
    let project = Project::new();
    let (plain, early) = ("5.14.0-427.13.1.el9_4.x86_64", "5.14.0-284.11.1");
    let matrix = format!(
        "matrix {{\n    os \"rhel\" \"9.2\" \"9.4\" {{\n        kernel \"{plain}\" \"{plain}+rt\" \"{plain}+debug\" \
         \"{early}.el9_2.x86_64\" \"{early}.rt14.296.el9_2.x86_64\"\n        builder \"toolkit\"\n    }}\n"
    );
    project.edit("drivers.kdl", "matrix {\n", &matrix);
    let toolkit = "toolkit \"kit\" {\n    flavor \"rt\" \"64k\"\n}\nimage \"example\" {";
    project.edit("drivers.kdl", "image \"example\" {", toolkit);
    project.run(&["compile"]).expect(0, "", "6 targets");
    let plan: Value = serde_json::from_str(&project.read("drivers.out/plan.json")).unwrap();
    let named = |of: &str, field: &str| -> Vec<String> {
        let all = plan[of].as_array().unwrap().iter().filter(|one| one["os"] == "rhel");
        all.map(|one| one[field].as_str().unwrap().to_owned()).collect()
    };
    let mut kernels = named("toolkits", "kernel");
    kernels.sort();
    let with = |base: &str, end: &str| format!("{base}{end}");
    let alone = [".el9_2.x86_64", ".rt14.296.el9_2.x86_64"].map(|end| with(early, end));
    let [first, second] = alone;
    assert_eq!(kernels, [first, second, plain.to_owned(), with(plain, "+debug")]);
    let of_rt = format!("_toolkit/rhel-9.4-x86_64/{plain}");
    let used: Vec<_> = named("targets", "toolkit").into_iter().filter(|id| *id == of_rt).collect();
    assert_eq!(used.len(), 2);
    let file = project.read(&format!("drivers.out/{of_rt}/Dockerfile"));
    for expected in [
        format!("kernel-rt-devel-{plain}"),
        format!("kernel-core-{plain}"),
        format!("kernel-rt-core-{plain}"),
        format!("kernel-compiler /usr/src/kernels/{plain}+rt check gcc"),
        format!("kernel-rt-version='{plain}+rt'"),
        "rhel-9-for-x86_64-rt-e4s-rpms".to_owned(),
    ] {
        assert!(file.contains(&expected), "{expected}\n{file}");
    }
    assert!(!file.contains("64k"), "{file}");
}

#[test]
fn a_cluster_is_compared_with_the_plan() {
    let project = Project::new();
    project.edit(
        "drivers.kdl",
        "        kernel \"6.1.0-18-amd64\"\n    }\n",
        "        kernel \"6.1.0-18-amd64\" \"6.1.0-20-amd64\"\n    }\n    exclude kernel=\"6.1.0-20-*\" reason=\"it hangs\"\n",
    );
    let node = |name: &str, kernel: &str, arch: &str| {
        json!({
            "metadata": {"name": name, "labels": {}},
            "status": {"nodeInfo": {"kernelVersion": kernel, "architecture": arch, "osImage": "Debian"}},
        })
    };
    let nodes =
        |items: &[Value]| project.write("nodes.json", &json!({"kind": "List", "items": items}).to_string());
    nodes(&[node("b", "6.1.0-18-amd64", "amd64"), node("a", "6.1.0-18-amd64", "amd64")]);
    let run = project.run(&["plan", "--nodes", "nodes.json"]);
    run.expect(0, "6.1.0-18-amd64  x86_64  a, b   example  quay.io/example/example:6.1.0-18-amd64\n", "");
    run.expect(0, "\nall 2 nodes are covered\n", "");
    nodes(&[
        node("a", "6.1.0-18-amd64", "amd64"),
        node("b", "6.1.0-18-amd64", "arm64"),
        node("c", "6.1.0-20-amd64", "amd64"),
    ]);
    let run = project.run(&["plan", "--nodes", "nodes.json"]);
    run.expect(3, "nothing: excluded, it hangs\n", "");
    run.expect(
        3,
        "\n2 of 3 nodes are not covered: add `6.1.0-18-amd64`, `6.1.0-20-amd64` to the matrix\n",
        "",
    );
    let found =
        validate("nodes", &project.run(&["plan", "--nodes", "nodes.json", "--format", "json"]).stdout);
    assert_eq!((found["nodes"].as_u64(), found["covered"].as_u64()), (Some(3), Some(1)));
    project.write("nodes.json", "{}");
    project.run(&["plan", "--nodes", "nodes.json"]).expect(
        4,
        "",
        "help: make it with `kubectl get nodes -o json`",
    );
    project.run(&["plan", "--nodes", "no.json"]).expect(4, "", "cannot read `no.json`: no such file");
}

#[test]
fn what_kubectl_prints_is_understood() {
    let project = Project::example("08-everywhere");
    let listed = crate::repository("tests/it/nodes.json");
    let words = ["plan", "--nodes", listed.as_str()];
    let run = project.run(&words);
    let lines = [
        "KERNEL                         ARCH     NODES                IMAGE        COVERED BY\n",
        "5.14.0-427.57.1.el9_4.aarch64  aarch64  worker-1             pt-char-dev  quay.io/example/pt-char-dev:5.14.0-427.57.1.el9_4.aarch64\n",
        "5.14.0-427.57.1.el9_4.x86_64   x86_64   control-0, worker-0  pt-char-dev  quay.io/example/pt-char-dev:5.14.0-427.57.1.el9_4.x86_64\n",
        "5.14.0-427.65.1.el9_4.x86_64   x86_64   worker-3             pt-char-dev  nothing\n",
        "\n1 of 5 nodes are not covered: add `5.14.0-427.65.1.el9_4.x86_64` to the matrix\n",
    ];
    lines.iter().for_each(|line| run.expect(3, line, "2 drift"));
    let found = validate("nodes", &project.run(&[&words[..], &["--format", "json"]].concat()).stdout);
    assert_eq!((found["nodes"].as_u64(), found["covered"].as_u64()), (Some(5), Some(4)));
    let kernel = &found["kernels"][1];
    assert_eq!(kernel["nodes"], json!(["control-0", "worker-0"]));
    assert_eq!(
        kernel["images"][0]["targets"],
        json!(["pt-char-dev/openshift-4.18.2-x86_64/5.14.0-427.57.1.el9_4.x86_64"])
    );
}
