"""Kubeflow Pipelines components: each wraps one step of `shortlist.steps.line`.

A component reads its inputs, calls the step and writes small outputs: digests, figures, the report,
a pointer to the model. What is large stays in the directory ``work``, which all tasks of a run
share: a volume on a cluster, any directory on one machine. Every task may be repeated, for the
steps find what is finished; so a retry after a kill costs what the kill cost.

The functions travel as source text: what they need they import inside.
"""
