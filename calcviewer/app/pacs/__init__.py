"""Archives as the operator knows them: named peers, their secrets, the inbox."""
