"""``python -m course_utils``: check the installation, in French, with a repair for each fault."""

from __future__ import annotations

import sys

from course_utils.diagnostics import diagnose, report


def main() -> int:
    """Print the report; return 1 when something must be repaired."""
    findings = diagnose()
    print(report(findings))
    return int(any(finding.state == "fault" for finding in findings))


if __name__ == "__main__":
    sys.exit(main())
