"""Tests of pictures inside a run."""
