# Rscript tools/lint.R FILE...: what lintr says of them; fails if that is anything.

found <- lapply(commandArgs(trailingOnly = TRUE), lintr::lint)
for (lints in found) print(lints)
if (sum(lengths(found)) > 0) quit(status = 1)
