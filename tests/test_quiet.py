"""TensorFlow is loaded without a word on standard error, and with all of them when it fails."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from course_utils.quiet import stderr_aside


@pytest.mark.parametrize("library", ["tensorflow", "keras"])
def test_tensorflow_starts_in_silence(library):
    program = f"import course_utils, {library}; print({library}.__version__)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.strip()


def test_standard_error_works_again_afterwards():
    program = "import course_utils, tensorflow, os; os.write(2, b'heard')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == "heard"


def test_what_was_set_aside_is_given_back_when_the_block_fails(capfd):
    with pytest.raises(ImportError), stderr_aside():
        os.write(2, b"the reason")
        raise ImportError
    assert capfd.readouterr().err == "the reason"


def test_what_was_set_aside_stays_aside_when_the_block_succeeds(capfd):
    with stderr_aside():
        os.write(2, b"chatter")
    assert capfd.readouterr().err == ""
