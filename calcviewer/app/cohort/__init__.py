"""Many pullbacks analysed as one cohort: found, shared out, resumed, put into tables."""
