"""What the program does, as one session and a few workflows, without a window.

`session` is the one mutable object; `review` and `correction` are the steps it takes, and
`results` what follows from them. `workflows` is what the commands do. `export` and `exchange`
write and read files for others, `review_store` keeps the operator's work, `lesion_report` says
what is printed.
"""
