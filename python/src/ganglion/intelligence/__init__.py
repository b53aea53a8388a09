"""Shared intelligence: asks hosts that have code, and goes on with a library where nobody answers in time."""

from ._similar import SimilarNode
from .blocking import Intelligence
from .errors import (
    IntelligenceClosed,
    IntelligenceError,
    IntelligenceFailed,
    IntelligenceTimeout,
    IntelligenceUnavailable,
)
from .for_asyncio import AsyncIntelligence
from .settings import IntelligenceSettings, SettingProblem, read_intelligence_settings

__all__ = [
    "AsyncIntelligence",
    "Intelligence",
    "IntelligenceClosed",
    "IntelligenceError",
    "IntelligenceFailed",
    "IntelligenceSettings",
    "IntelligenceTimeout",
    "IntelligenceUnavailable",
    "SettingProblem",
    "SimilarNode",
    "read_intelligence_settings",
]
