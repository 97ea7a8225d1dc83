from tests.models.conftest import hub

__all__ = ["hub"]
