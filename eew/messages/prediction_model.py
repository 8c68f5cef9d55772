"""From a received prediction back to the model that made it."""

from __future__ import annotations

from functools import cache

from eew.errors import ConfigError
from eew.model.alert import AlertPrediction
from eew.physics.shaking import ShakingModel, shaking_model, shaking_model_names

__all__ = ["model_of"]


def model_of(prediction: AlertPrediction) -> ShakingModel:
    """Return the shaking model that ``prediction.relation`` names, by its name or its words.

    Raises
    ------
    ConfigError
        If this version has no such model, or it is of another scale.
    """
    return _model(prediction.relation, prediction.scale)


@cache
def _model(relation: str, scale: str) -> ShakingModel:
    names = shaking_model_names()
    by_words = {shaking_model(name).relation: name for name in names}
    name = relation if relation in names else by_words.get(relation)
    if name is None:
        raise ConfigError("prediction.relation", f"unknown shaking model {relation!r}")
    model = shaking_model(name)
    if model.scale != scale:
        raise ConfigError(
            "prediction.scale", f"{relation!r} gives {model.scale}, the message says {scale!r}"
        )
    return model
