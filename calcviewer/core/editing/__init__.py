"""Editing of annotations: pure geometry in canonical catheter-centred millimetres.

Every function is total: an impossible gesture is clipped, or the very same object comes back.
"""
