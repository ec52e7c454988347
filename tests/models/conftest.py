"""Hypothesis measures no time here: a busy machine is no failure of the model."""

from hypothesis import HealthCheck, settings

settings.register_profile("models", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("models")
