"""Intravascular optical coherence tomography."""
