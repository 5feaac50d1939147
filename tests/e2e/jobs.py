"""Runs a job of a pipeline on this machine, as its service would: jobs.py FILE JOB VALUES

VALUES is a JSON object of what the service fills in: for GitHub the value of each expression, for GitLab variables. An
expression without a value is an error. Of a GitLab job with a matrix every line is run.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

from ruamel.yaml import YAML


def run(name, script, environment):
    print(f"  {name}", file=sys.stderr)
    done = subprocess.run(["bash", "-eo", "pipefail", "-c", script], env={**os.environ, **environment}, check=False)
    if done.returncode:
        sys.exit(f"{name} ends with {done.returncode}:\n{script}")


def github(job, values):
    for step in job["steps"]:
        wanted = values[step["if"]] if "if" in step else "true"
        if "run" not in step or wanted == "false":
            continue
        fill = lambda text: re.sub(r"\$\{\{ (.*?) \}\}", lambda found: values[found[1]], text)
        run(step["name"], step["run"], {key: fill(value) for key, value in step.get("env", {}).items()})


def gitlab(jobs, name, values):
    job = {**jobs.get(jobs[name].get("extends"), {}), **jobs[name]}
    script = "\n".join(job.get("before_script", []) + job["script"])
    for line in job.get("parallel", {}).get("matrix", [{}]):
        run(line.get("NAME", name), script, {**job.get("variables", {}), **values, **line})


def main(path, name, values):
    values = json.loads(values)
    pipeline = YAML(typ="safe").load(pathlib.Path(path))
    if "jobs" in pipeline:
        github(pipeline["jobs"][name], values)
    else:
        gitlab(pipeline, name, values)


main(*sys.argv[1:])
