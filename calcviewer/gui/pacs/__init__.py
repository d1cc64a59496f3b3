"""The hospital's archive in the window: worklist, retrieval, results sent back, receiver."""
