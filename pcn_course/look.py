"""The look that pages and widgets share."""

from pathlib import Path

LOOK = Path(__file__).parent / "share/jupyter/voila/templates/pcn/static/look.css"
"""The style sheet with the colours, type and basic parts, all under the class ``pcn``."""
