"""What every test of the course, and every notebook that nbval executes, runs under."""

from __future__ import annotations

import os

# The kernels that nbval starts inherit this: running the tests must not touch the progress of whoever runs them.
os.environ.setdefault("COURSE_PROGRESS", "0")
