"""The printed report: neutral contents, and the pages drawn from them."""
