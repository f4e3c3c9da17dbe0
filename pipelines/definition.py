"""The pipeline: from nothing, or from a log, to a published bundle.

All tasks share the directory ``work``: a volume on a cluster, any directory under `kfp.local`.
Artefacts would copy logs, vectors and models of hundreds of megabytes in and out of every task;
so these stay on the volume, found by their content, and artefacts carry what people look at.
"""

from typing import Any

from kfp import dsl, kubernetes

from components.data import data, generate_share
from components.encode import encode, encode_share
from components.evaluate import evaluate
from components.gate import gate
from components.publish import publish
from components.recall import recall
from components.train import train
from pipelines.placement import Placement

NAME = "shortlist"
MOUNT = "/work"
_BACKOFF = "30s"


def definition(placement: Placement) -> Any:
    """The pipeline with its tasks placed; a function of kfp, to be compiled or called.

    Its parameters: ``settings`` and ``key`` (see `shortlist.steps.order`), ``work``, the directory
    that tasks share, and ``shards``, a list of the numbers from 0 to ``pipeline.shards`` - 1.
    """

    def placed(task: Any, *, cached: bool = True) -> Any:
        task.set_container_image(placement.image)
        task.set_cpu_request(placement.cpu).set_cpu_limit(placement.cpu)
        task.set_memory_request(placement.memory).set_memory_limit(placement.memory)
        if placement.retries:
            task.set_retry(placement.retries, backoff_duration=_BACKOFF)
        # Whether a step need run is for the step to find: only those that depend on nothing but
        # their inputs may be skipped unasked.
        task.set_caching_options(cached)
        kubernetes.mount_pvc(task, pvc_name=placement.volume, mount_path=MOUNT)
        for label, value in placement.nodes.items():
            kubernetes.add_node_selector(task, label, value)
        for key in placement.tolerations:
            kubernetes.add_toleration(task, key=key, operator="Exists")
        return task

    @dsl.pipeline(
        name=NAME, description="Data, vectors, recall, ranker, judgement, gate and bundle."
    )
    def shortlist(settings: str, key: str, work: str = MOUNT, shards: list[int] = [0]) -> str:  # noqa: B006
        order = {"settings": settings, "key": key, "work": work}
        with dsl.ParallelFor(shards, name="shares of the log") as shard:
            days = placed(generate_share(**order, shard=shard), cached=False)
        log = placed(data(**order, shares=dsl.Collected(days.output)), cached=False)
        with dsl.ParallelFor(shards, name="shares of the videos") as shard:
            texts = placed(encode_share(**order, shard=shard), cached=False).after(log)
        content = placed(
            encode(**order, data=log.output, shares=dsl.Collected(texts.output)), cached=False
        )
        tables = placed(recall(**order, data=log.output, content=content.output))
        made = {"data": log.output, "content": content.output}
        recalled = placed(train(**order, **made, tables=tables.output)).outputs["Output"]
        bundle = placed(evaluate(**order, **made, recalled=recalled)).outputs["Output"]
        passed = placed(gate(**order, bundle=bundle), cached=False).outputs["Output"]
        with dsl.If(passed != "", name="passed"):
            placed(publish(**order, bundle=passed), cached=False)
        output: str = bundle
        return output

    return shortlist
