"""The ranker: its size, its losses and its training."""

from typing import Literal

from pydantic import Field

from shortlist.settings.base import Branch


class RankerSettings(Branch):
    """Width, depth and training of the cascade."""

    history: int = Field(50, ge=1, le=500, description="Last events of a user that are encoded.")
    width: int = Field(64, ge=8, le=1024, multiple_of=8, description="Width inside the ranker.")
    content_components: int = Field(
        128, ge=1, le=4_096, description="Principal components of the content that the ranker sees."
    )
    encoder_layers: int = Field(2, ge=1, le=16, description="Layers of the history encoder.")
    list_layers: int = Field(4, ge=1, le=16, description="Layers of the list ranker.")
    list_size: int = Field(
        100, ge=2, le=1_000, description="Best candidates of the pre-rank, ranked as a list."
    )
    list_share: float = Field(
        0.1, gt=0, le=1, description="Share of the windows of a step that train the list ranker."
    )
    list_nearest: int = Field(
        200,
        ge=1,
        le=10_000,
        description="Videos nearest to the user vector that may keep a training list company.",
    )
    list_recalled: int = Field(
        100,
        ge=0,
        le=10_000,
        description="Videos recalled by tables that may keep a training list company.",
    )
    objective: Literal["auto", "outcome", "next"] = Field(
        "auto",
        description="What is learned: the `outcome` of what was shown, or the `next` video that a "
        "user goes on to watch; `auto` takes outcomes where a part of the traffic was random.",
    )
    alpha: float = Field(1.0, gt=0, le=1e6, description="Weight of the error about outcomes.")
    beta: float = Field(
        0.02,
        ge=0,
        le=1e6,
        description="Weight of the expected distance of the videos ranked first.",
    )
    temperature: float = Field(
        0.5, gt=0, le=1e6, description="Softness of the softmax that tells what is ranked first."
    )
    tower_weight: float = Field(
        1.0, ge=0, le=1e6, description="Weight of the error of user vector and item vector alone."
    )
    watch_weight: float = Field(
        1.0,
        ge=0,
        le=1e6,
        description="Weight of the error about the log of watch seconds after a click.",
    )
    dropout: float = Field(0.3, ge=0, lt=1, description="Share of activations dropped in training.")
    epochs: int = Field(6, ge=1, le=1_000, description="Passes over the log at most.")
    patience: int = Field(
        2,
        ge=1,
        le=1_000,
        description="Epochs without a better validation after which training stops.",
    )
    validation_users: float = Field(
        0.2, gt=0, lt=1, description="Share of the users whose last events stop the training."
    )
    validation_tail: float = Field(
        0.1, gt=0, lt=1, description="Share of these users' events that is held out."
    )
    batch_windows: int = Field(
        16, ge=1, le=4_096, description="Windows of a step of training, on each process."
    )
    window: int = Field(100, ge=1, le=1_000, description="Rows predicted in a window, at most.")
    learning_rate: float = Field(3e-3, gt=0, lt=1, description="Highest learning rate of AdamW.")
    weight_decay: float = Field(0.05, ge=0, lt=1, description="Decay of weights by AdamW.")
    averaging: float = Field(
        0.995,
        ge=0,
        lt=1,
        description="Share of the averaged weights that a step keeps; the average is served.",
    )
    gradient_clip: float = Field(
        1.0, gt=0, le=1e9, description="Largest norm of a step's gradient."
    )
    video_prior: float = Field(
        4.0,
        ge=0,
        le=1e9,
        description="Strength of the prior that keeps a video at its content's place.",
    )
    creator_prior: float = Field(
        6.0, ge=0, le=1e9, description="Strength of the prior that keeps creators alike."
    )
    refit_users: int = Field(
        400,
        ge=0,
        le=100_000,
        description="Users by whom the vectors of videos are refitted to the pre-rank; 0 leaves "
        "them as trained.",
    )
    seed: int | None = Field(
        None,
        ge=0,
        le=4_294_967_295,
        description="Seed of the training; without one, that of everything.",
    )
    threads: int = Field(
        2, ge=1, le=256, description="Threads of training; results are the same for one number."
    )
    processes: int = Field(
        1,
        ge=1,
        le=4_096,
        description="Processes that torchrun trains with; results are the same for one number.",
    )
