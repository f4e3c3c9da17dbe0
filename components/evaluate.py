"""The judgement: the trained recommender beside the baselines; and the bundle that it is now."""

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def evaluate(
    settings: str,
    key: str,
    work: str,
    data: str,
    content: str,
    recalled: str,
    measured: dsl.Output[dsl.Metrics],
    curve: dsl.Output[dsl.ClassificationMetrics],
    report: dsl.Output[dsl.HTML],
) -> str:
    """Judge the trained recommender and every baseline on the test days; write the bundle.

    Args:
        settings: of the run.
        key: of the run.
        work: directory that all tasks share.
        data: digest of the dataset.
        content: digest of the vectors.
        recalled: digest of recall as it serves, and with it of the ranker.
        measured: the figure that decides, by model.
        curve: hits against false alarms on the logging policy's traffic.
        report: the whole judgement, for people.

    Returns:
        Id of the bundle; nothing points to it yet.
    """
    import json
    import shutil

    from shortlist.evaluation.report.publish import REPORT
    from shortlist.steps.evaluate import HEADLINE, ROC
    from shortlist.steps.line import Line, expect

    line = Line.ordered(settings, key, work)
    expect("data", line.dataset.record.digest, data)
    expect("encode", line.content.digest, content)
    expect("index", line.indexed.digest, recalled)
    judged = line.evaluated
    headline = json.loads((judged.path / HEADLINE).read_text())
    for model, mean in headline["means"].items():
        measured.log_metric(f"{headline['metric']} {model}", mean)
    roc = json.loads((judged.path / ROC).read_text())
    curve.log_roc_curve(roc["fpr"], roc["tpr"], roc["threshold"])
    shutil.copyfile(judged.path / REPORT, report.path)
    return line.bundle.id
