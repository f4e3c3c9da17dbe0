"""The compiled pipeline is the one in the repository, and is what a server's own schema wants.

After a change that was meant, write it anew with `shortlist pipeline compile`.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import json_format
from kfp.kubernetes import kubernetes_executor_config_pb2
from kfp.pipeline_spec import pipeline_spec_pb2

from components.image import IMAGE
from pipelines.compiling import compile_pipeline
from pipelines.placement import Placement

GOLDEN = Path(__file__).parents[3] / "pipelines/shortlist.yaml"
FANNED_OUT = {"encode-share", "generate-share"}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("compiled") / "shortlist.yaml"
    compile_pipeline(Placement(), path)
    return path


def documents(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    specification, platform = yaml.safe_load_all(path.read_text())
    return specification, platform


def of_executors(specification: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        name.removeprefix("exec-"): executor["container"]
        for name, executor in specification["deploymentSpec"]["executors"].items()
    }


def all_tasks(specification: dict[str, Any]) -> dict[str, dict[str, Any]]:
    dags = [specification["root"]["dag"]]
    dags += [one["dag"] for one in specification["components"].values() if "dag" in one]
    return {
        name: task
        for dag in dags
        for name, task in dag["tasks"].items()
        if "dag" not in specification["components"][task["componentRef"]["name"]]
    }


def test_the_compiled_pipeline_is_the_one_in_the_repository(compiled: Path):
    assert compiled.read_text() == GOLDEN.read_text(), "run `shortlist pipeline compile`"


def test_it_is_valid_by_the_schemas_of_pipelines_and_of_their_platform(compiled: Path):
    specification, platform = documents(compiled)
    parsed = json_format.ParseDict(specification, pipeline_spec_pb2.PipelineSpec())
    assert parsed.pipeline_info.name == "shortlist"
    assert set(parsed.root.input_definitions.parameters) == {"settings", "key", "work", "shards"}
    spec = json_format.ParseDict(platform, pipeline_spec_pb2.PlatformSpec())
    executors = spec.platforms["kubernetes"].deployment_spec.executors
    assert set(executors) == set(parsed.deployment_spec["executors"])
    for executor in executors.values():
        config = kubernetes_executor_config_pb2.KubernetesExecutorConfig()
        json_format.ParseDict(json_format.MessageToDict(executor), config)
        assert [mount.mount_path for mount in config.pvc_mount] == ["/work"]


def test_every_task_has_the_key_the_retries_and_the_resources(compiled: Path):
    specification, _ = documents(compiled)
    tasks, containers = all_tasks(specification), of_executors(specification)
    assert set(tasks) == set(containers)
    for name, task in tasks.items():
        assert {"settings", "key", "work"} <= set(task["inputs"]["parameters"]), name
        assert task["retryPolicy"]["maxRetryCount"] == 2, name
        assert containers[name]["image"] == IMAGE
        assert containers[name]["resources"]["resourceMemoryLimit"] == "8Gi"
        assert "pip install" not in str(containers[name]), "images hold what they need"


def test_data_and_vectors_are_made_in_shares_and_then_made_whole(compiled: Path):
    specification, _ = documents(compiled)
    tasks = specification["root"]["dag"]["tasks"]
    loops = {name: task for name, task in tasks.items() if "parameterIterator" in task}
    inside = {
        task
        for loop in loops.values()
        for task in specification["components"][loop["componentRef"]["name"]]["dag"]["tasks"]
    }
    assert inside == FANNED_OUT
    for whole in ("data", "encode"):
        assert set(tasks[whole]["dependentTasks"]) & set(loops)


def test_what_must_look_for_itself_is_never_skipped_unasked(compiled: Path):
    specification, _ = documents(compiled)
    tasks = all_tasks(specification)
    cached = {name for name, task in tasks.items() if task["cachingOptions"].get("enableCache")}
    assert set(tasks) - cached == FANNED_OUT | {"data", "encode", "gate", "publish"}
    assert cached == {"recall", "train", "evaluate"}


def test_only_what_passed_the_gate_is_published(compiled: Path):
    specification, _ = documents(compiled)
    guarded = {
        name: task["triggerPolicy"]["condition"]
        for name, task in specification["root"]["dag"]["tasks"].items()
        if "triggerPolicy" in task
    }
    ((name, condition),) = guarded.items()
    inside = specification["components"][f"comp-{name}"]["dag"]["tasks"]
    assert set(inside) == {"publish"}
    assert condition == "inputs.parameter_values['pipelinechannel--gate-Output'] != ''"


def test_people_get_figures_a_curve_the_report_and_the_model(compiled: Path):
    specification, _ = documents(compiled)
    kinds = {
        artefact["artifactType"]["schemaTitle"].removeprefix("system.")
        for component in specification["components"].values()
        for artefact in component.get("outputDefinitions", {}).get("artifacts", {}).values()
    }
    assert kinds == {"Metrics", "ClassificationMetrics", "HTML", "Markdown", "Model"}


def test_image_resources_volume_and_nodes_are_as_told(tmp_path: Path):
    told = Placement.told(
        image="registry.example/train:0123abcd",
        cpu="4",
        memory="16Gi",
        volume="claim",
        nodes=["pool=train", "disk=fast"],
        tolerations=["dedicated"],
    )
    compile_pipeline(told, tmp_path / "told.yaml")
    specification, platform = documents(tmp_path / "told.yaml")
    for container in of_executors(specification).values():
        assert container["image"] == "registry.example/train:0123abcd"
        assert container["resources"]["resourceCpuRequest"] == "4"
        assert container["resources"]["resourceMemoryLimit"] == "16Gi"
    placed = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    for executor in placed.values():
        assert executor["nodeSelector"]["labels"] == {"pool": "train", "disk": "fast"}
        assert executor["pvcMount"][0]["constant"] == "claim"
        assert executor["tolerations"] == [{"key": "dedicated", "operator": "Exists"}]
