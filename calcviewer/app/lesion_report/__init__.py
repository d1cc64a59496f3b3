"""From a study and its results to what the printed lesion report says and shows."""
