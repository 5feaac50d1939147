"""Holds the DaemonSet of a page to Kubernetes' own schema, and to what an image of drvc needs: daemonset.py PAGE [CAPABILITY...]

kubernetes-validate (PyPI) has the schemas of each version that Kubernetes publishes; unknown fields are refused. The
CAPABILITYs are those that the container must have, and no other.
"""

import re
import sys

import kubernetes_validate
from ruamel.yaml import YAML

# The oldest release that is worth a look, and the newest that the package has.
VERSIONS = ("1.28", kubernetes_validate.latest_version())


def main(page, capabilities):
    with open(page, encoding="utf-8") as file:
        blocks = re.findall(r"```yaml\n(.*?)```", file.read(), re.S)
    resources = [YAML(typ="safe").load(block) for block in blocks]
    if [one["kind"] for one in resources] != ["DaemonSet"]:
        sys.exit(f"{page} has not just one DaemonSet")
    for resource in resources:
        for version in VERSIONS:
            kubernetes_validate.validate(resource, version, strict=True)
        spec = resource["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        problems = []
        if "command" in container or "args" in container:
            problems.append("it does not run the image's own command")
        if container["securityContext"]["capabilities"] != {"add": capabilities, "drop": ["ALL"]}:
            problems.append(f"its capabilities are not {capabilities} alone")
        if {one["name"] for one in container["volumeMounts"]} != {one["name"] for one in spec["volumes"]}:
            problems.append("a volume is not mounted, or a mount has no volume")
        labels = resource["spec"]["template"]["metadata"]["labels"]
        if not resource["spec"]["selector"]["matchLabels"].items() <= labels.items():
            problems.append("its selector does not select its pods")
        if problems:
            sys.exit(f"{page}: {'; '.join(problems)}")


main(sys.argv[1], sys.argv[2:])
