"""One value for every setting, written as a user would, and set through every source."""

import datetime as dt
from pathlib import Path

import pytest
from pydantic import SecretStr

from shortlist.settings import Settings, load
from shortlist.settings.sources import CONFIG_VARIABLE, variable_name
from shortlist.settings.tree import leaves, value_of

# Dotted name: what is written, and what it means. No value is the default.
VALUES: dict[str, tuple[str, object]] = {
    "preset": ("tiny", "tiny"),
    "seed": ("7", 7),
    "paths.work": ("elsewhere/work", Path("elsewhere/work")),
    "paths.cache": ("elsewhere/cache", Path("elsewhere/cache")),
    "paths.truth": ("elsewhere/truth", Path("elsewhere/truth")),
    "paths.bundles": ("elsewhere/bundles", Path("elsewhere/bundles")),
    "remote.url": ("s3://bundles/of/feed/", "s3://bundles/of/feed"),
    "remote.endpoint": ("http://store:9000", "http://store:9000"),
    "remote.region": ("eu-west-1", "eu-west-1"),
    "remote.tls_ca": ("ca.pem", Path("ca.pem")),
    "remote.timeout_seconds": ("0.5", 0.5),
    "remote.attempts": ("1", 1),
    "remote.poll_seconds": ("0.5", 0.5),
    "world.users": ("500", 500),
    "world.videos": ("700", 700),
    "world.creators": ("90", 90),
    "world.days": ("6", 6),
    "world.impressions": ("9_000", 9_000),
    "world.first_day": ("2025-12-31", dt.date(2025, 12, 31)),
    "world.stock_days": ("12", 12),
    "world.session_length": ("7.5", 7.5),
    "world.chunk_sessions": ("64", 64),
    "world.name": ("elsewhere", "elsewhere"),
    "world.dimensions": ("4", 4),
    "world.tag_share": ("0.25", 0.25),
    "world.affinity_deviation": ("0.5", 0.5),
    "world.user_deviation": ("0.5", 0.5),
    "world.appeal_deviation": ("0.5", 0.5),
    "world.base_logit": ("-1.5", -1.5),
    "world.drift_degrees": ("2", 2.0),
    "world.language_penalty": ("0.5", 0.5),
    "world.fade": ("0.125", 0.125),
    "world.tiring": ("0.125", 0.125),
    "world.recovery": ("0.5", 0.5),
    "world.title_focus": ("0.5", 0.5),
    "world.tag_focus": ("0.5", 0.5),
    "world.random_share": ("0.2", 0.2),
    "world.personal_focus": ("0.5", 0.5),
    "world.appeal_focus": ("0.5", 0.5),
    "world.hype_deviation": ("0.5", 0.5),
    "world.freshness_days": ("1e1", 10.0),
    "datasets.source": ("kuairand:logs", "kuairand:logs"),
    "datasets.test_days": ("6", 6),
    "datasets.validation_days": ("2", 2),
    "datasets.validation_events": ("2", 2),
    "encoders.kind": ("transformers", "transformers"),
    "encoders.model": ("007", "007"),
    "encoders.revision": ("yes", "yes"),
    "encoders.width": ("64", 64),
    "encoders.batch_size": ("8", 8),
    "encoders.cache_gib": ("0.5", 0.5),
    "baselines.popularity_half_life_days": ("3.5", 3.5),
    "baselines.rate_prior_impressions": ("5", 5.0),
    "baselines.knn_neighbours": ("7", 7),
    "baselines.knn_shrinkage": ("0", 0.0),
    "baselines.als_factors": ("8", 8),
    "baselines.als_iterations": ("2", 2),
    "baselines.als_l2": ("0.5", 0.5),
    "baselines.als_confidence": ("2.5", 2.5),
    "baselines.ease_videos": ("70", 70),
    "baselines.ease_l2": ("1e2", 100.0),
    "baselines.weighted_ease_l2": ("50", 50.0),
    "baselines.weighted_ease_half_life_events": ("10", 10.0),
    "baselines.weighted_ease_trend_events": ("2", 2.0),
    "baselines.weighted_ease_rate_power": ("0", 0.0),
    "baselines.content_half_life_events": ("30", 30.0),
    "baselines.content_aversion": ("0", 0.0),
    "baselines.rerank_top": ("20", 20),
    "baselines.rerank_users": ("50", 50),
    "baselines.rerank_trials": ("3", 3),
    "baselines.rerank_trees": ("30", 30),
    "baselines.rerank_tail_days": ("2", 2),
    "baselines.rerank_tail_events": ("4", 4),
    "baselines.rerank_threads": ("2", 2),
    "baselines.observer_dimensions": ("8", 8),
    "baselines.observer_sweeps": ("3", 3),
    "evaluation.k": ("5", 5),
    "evaluation.target": ("long_view", "long_view"),
    "evaluation.policy_share": ("0.25", 0.25),
    "evaluation.beside": ("other", "other"),
    "evaluation.users": ("50", 50),
    "evaluation.ablation_users": ("40", 40),
    "evaluation.bootstrap": ("200", 200),
    "recall.candidates": ("300", 300),
    "recall.popularity_score": ("count", "count"),
    "recall.half_life_days": ("3.5", 3.5),
    "recall.prior_impressions": ("5", 5.0),
    "recall.tag_half_life_days": ("3.5", 3.5),
    "recall.tag_interest": ("0.5", 0.5),
    "recall.tag_aversion": ("0.25", 0.25),
    "recall.tag_rate_weight": ("0", 0.0),
    "recall.als_factors": ("8", 8),
    "recall.als_iterations": ("2", 2),
    "recall.als_l2": ("0.5", 0.5),
    "recall.als_confidence": ("2.5", 2.5),
    "recall.flat_up_to": ("7_000", 7_000),
    "recall.probe_share": ("0.5", 0.5),
    "recall.index_queries": ("20", 20),
    "recall.fusion_offset": ("60", 60.0),
    "recall.popularity_weight": ("0.25", 0.25),
    "recall.tags_weight": ("0.25", 0.25),
    "recall.collaborative_weight": ("0.25", 0.25),
    "recall.vector_weight": ("0.25", 0.25),
    "recall.popularity_quota": ("0.25", 0.25),
    "recall.tags_quota": ("0.25", 0.25),
    "recall.collaborative_quota": ("0.25", 0.25),
    "recall.vector_quota": ("0.25", 0.25),
    "ranker.history": ("20", 20),
    "ranker.width": ("32", 32),
    "ranker.content_components": ("32", 32),
    "ranker.encoder_layers": ("1", 1),
    "ranker.list_layers": ("2", 2),
    "ranker.list_size": ("50", 50),
    "ranker.list_share": ("0.5", 0.5),
    "ranker.list_nearest": ("50", 50),
    "ranker.list_recalled": ("0", 0),
    "ranker.objective": ("next", "next"),
    "ranker.alpha": ("2", 2.0),
    "ranker.beta": ("0.5", 0.5),
    "ranker.temperature": ("1", 1.0),
    "ranker.tower_weight": ("0", 0.0),
    "ranker.watch_weight": ("0", 0.0),
    "ranker.dropout": ("0", 0.0),
    "ranker.epochs": ("2", 2),
    "ranker.patience": ("5", 5),
    "ranker.validation_users": ("0.5", 0.5),
    "ranker.validation_tail": ("0.5", 0.5),
    "ranker.batch_windows": ("8", 8),
    "ranker.window": ("50", 50),
    "ranker.learning_rate": ("0.01", 0.01),
    "ranker.weight_decay": ("0", 0.0),
    "ranker.averaging": ("0.5", 0.5),
    "ranker.gradient_clip": ("5", 5.0),
    "ranker.video_prior": ("2", 2.0),
    "ranker.creator_prior": ("2", 2.0),
    "ranker.refit_users": ("20", 20),
    "ranker.seed": ("3", 3),
    "ranker.threads": ("1", 1),
    "ranker.processes": ("2", 2),
    "slate.size": ("5", 5),
    "slate.method": ("mmr", "mmr"),
    "slate.trade_off": ("0.25", 0.25),
    "slate.more_tags": ("0.25", 0.25),
    "slate.tuning_users": ("50", 50),
    "slate.content_share": ("0.5", 0.5),
    "slate.head_weight": ("1", 1.0),
    "slate.creator_limit": ("1", 1),
    "slate.tag_limit": ("4", 4),
    "slate.creator_apart": ("false", False),
    "slate.epsilon": ("0", 0.0),
    "slate.temperature": ("0.2", 0.2),
    "slate.new_days": ("3", 3.0),
    "pipeline.shards": ("4", 4),
    "pipeline.gate_tolerance": ("0.02", 0.02),
    "serving.budget_ms": ("250", 250.0),
    "serving.bundle": ("00c0ffee", "00c0ffee"),
    "serving.poll_seconds": ("0.25", 0.25),
    "serving.linger_seconds": ("5", 5.0),
    "serving.predictor_address": ("0.0.0.0", "0.0.0.0"),
    "serving.predictor_port": ("9085", 9_085),
    "serving.predictor_management_port": ("9086", 9_086),
    "serving.predictor_metrics_port": ("9087", 9_087),
    "serving.predictor_workers": ("2", 2),
    "serving.predictor_queue": ("8", 8),
    "serving.predictor_heap_mb": ("256", 256),
    "serving.predictor_start_seconds": ("30", 30),
    "serving.predictor_metrics": ("false", False),
    "serving.java": ("/opt/java/bin/java", Path("/opt/java/bin/java")),
    "serving.transformer_address": ("0.0.0.0", "0.0.0.0"),
    "serving.transformer_port": ("9080", 9_080),
    "serving.predictor_url": ("http://ranker:80", "http://ranker:80"),
    "serving.predictor_endpoints": ("rankers:8085", "rankers:8085"),
    "serving.predictor_connections": ("8", 8),
    "serving.reserve_ms": ("20", 20.0),
    "serving.breaker_failures": ("5", 5),
    "serving.breaker_seconds": ("0.5", 0.5),
    "serving.cached_window": ("3", 3),
    "serving.pages_at_once": ("50", 50),
    "serving.waiting_pages": ("50", 50),
    "serving.waiting_vectors": ("60", 60),
    "serving.clock": ("bundle", "bundle"),
    "serving.guarded": ("false", False),
    "serving.keys": ("me:0123456789abcdef", SecretStr("me:0123456789abcdef")),
    "serving.rate": ("5", 5.0),
    "serving.rate_burst": ("7", 7.0),
    "serving.drain_seconds": ("3", 3.0),
    "online.url": ("rediss://cache.example:6380/1", "rediss://cache.example:6380/1"),
    "online.embedded_port": ("6400", 6_400),
    "online.username": ("shortlist", "shortlist"),
    "online.password": ("secret", SecretStr("secret")),
    "online.tls_ca": ("tls/ca.pem", Path("tls/ca.pem")),
    "online.tls_certificate": ("tls/client.pem", Path("tls/client.pem")),
    "online.tls_key": ("tls/client.key", Path("tls/client.key")),
    "online.cluster": ("true", True),
    "online.prefix": ("other", "other"),
    "online.timeout_ms": ("5", 5.0),
    "online.slow_timeout_ms": ("500", 500.0),
    "online.connections": ("4", 4),
    "online.history_events": ("50", 50),
    "online.user_days": ("7", 7.0),
    "online.vector_hours": ("1", 1.0),
    "online.session_minutes": ("5", 5.0),
    "online.session_videos": ("20", 20),
    "online.sessions": ("2", 2),
    "online.event_ids": ("64", 64),
    "online.event_id_days": ("1", 1.0),
    "online.log_entries": ("5_000", 5_000),
    "online.join_hours": ("2", 2.0),
    "online.settle_minutes": ("0", 0.0),
    "online.drain_entries": ("100", 100),
    "online.load_users": ("20", 20),
    "telemetry.log_level": ("debug", "debug"),
}


def test_the_table_has_a_row_for_every_setting_and_no_other() -> None:
    assert set(VALUES) == {name for name, _ in leaves()}


def test_no_row_has_the_default() -> None:
    assert [
        name for name, (_, value) in VALUES.items() if value_of(Settings(), name) == value
    ] == []


def test_every_setting_has_a_description_that_is_a_sentence() -> None:
    assert [name for name, field in leaves() if not (field.description or "").endswith(".")] == []


@pytest.mark.parametrize("name", VALUES)
def test_a_setting_means_the_same_from_every_source(name: str, tmp_path: Path) -> None:
    text, expected = VALUES[name]
    file = tmp_path / "settings.yaml"
    file.write_text(_as_yaml(name, text))
    command_line = load(assignments=[f"{name}={text}"], environ={CONFIG_VARIABLE: ""})
    environment = load(environ={variable_name(name): text, CONFIG_VARIABLE: ""})
    from_file = load(config=file, environ={})
    for state in (command_line, environment, from_file):
        assert value_of(state.settings, name) == expected
        assert type(value_of(state.settings, name)) is type(expected)
    assert command_line.origins[name] == "command line"
    assert environment.origins[name] == f"environment {variable_name(name)}"
    assert from_file.origins[name] == f"file {file}"


def _as_yaml(name: str, text: str) -> str:
    """``a.b`` and a value as nested lines of YAML."""
    parts = name.split(".")
    lines = [f"{'  ' * depth}{part}:" for depth, part in enumerate(parts)]
    return "\n".join(lines) + f" {text}\n"
